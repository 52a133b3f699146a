"""Downloading one file: resumed where it was interrupted, checked, and given its name only when complete."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import shutil
import urllib.request
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__
from ..errors import VisualizerError
from ..networks import hash_fault
from ..oneline import plain, reason_of
from .download import DownloadSource, PartialDownload

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

_CONNECT_S, _READ_S = 20.0, 40.0  # timeouts for connecting, and for receiving anything
_MAX_RETRIES = 4  # interrupted transfers that are resumed at once; then the error is raised
_ELSEWHERE = "VISUALIZER_NETWORKS_DIR can name another folder"


class Fetched(NamedTuple):
    """Bytes on the disk, and the size of the file, None while it is unknown."""

    n_bytes: int
    n_total: int | None


class _Interrupted(Exception):
    """The server could not be reached, or stopped sending. The message is one for the user."""


def fetch(url: str, to: Path, *, sha256: str = "", git_blob: str = "") -> Generator[Fetched, None, None]:
    """Download `url` to the file `to`, replacing one that is there; yields as bytes come.

    sha256: hex digits, all 64 or the first ones; git_blob: the SHA-1 that git gives the file; nothing is checked if
    neither is given. If it is stopped or killed, NAME.part stays, from which the next call continues; `to` is never
    incomplete.
    Proxies are those of the environment (HTTPS_PROXY, NO_PROXY, ...). Raises VisualizerError, one line.
    """
    with _disk_errors(to), PartialDownload(to) as part:
        n_retries, is_done = 0, part.holds_all_of(url)
        while not is_done:
            n_before = part.n_bytes
            try:
                is_done = yield from _receive(url, part)
            except _Interrupted as interruption:
                n_retries += 1
                if n_retries > _MAX_RETRIES or part.n_bytes <= n_before:
                    raise VisualizerError(str(interruption)) from interruption.__cause__
                log.warning("fetch: %s; resuming", interruption)
        fault = hash_fault(part.file, sha256, git_blob)
        if fault:
            part.remove()
            raise VisualizerError(
                f"what came from {plain(url)} is not the file expected ({fault}) and was removed; try again, "
                "perhaps from another network"
            )
        part.finish()
        yield Fetched(part.n_bytes, part.n_bytes)


def _receive(url: str, part: PartialDownload) -> Generator[Fetched, None, bool]:
    """Request the missing bytes and append them; False if the whole file must be requested again. Raises
    _Interrupted.
    """
    import httpx

    headers = {"User-Agent": f"visualizer/{__version__}", "Accept-Encoding": "identity"}
    version = part.source.version if part.source is not None and part.source.url == url else ""
    resumes = version != ""
    if resumes:
        # If-Range: if the file has changed meanwhile, the server sends all of the new one instead of its end
        headers |= {"Range": f"bytes={part.n_bytes}-", "If-Range": version}
    try:
        with _client() as client, client.stream("GET", url, headers=headers) as response:
            matches = response.headers.get("Content-Range", "").startswith(f"bytes {part.n_bytes}-")
            if resumes and response.status_code == 206 and matches:
                log.info("fetch: %s is resumed at byte %d", url, part.n_bytes)
            elif resumes and response.status_code in (206, 416):  # the server does not resume although it promised to
                part.begin(DownloadSource(url=url, version="", n_total=None))
                return False
            else:
                _check_answer(response)
                part.begin(DownloadSource(url=url, version=_version(response), n_total=_length(response)))
            yield from _append(response, part)
            return True
    except httpx.RequestError as fault:
        raise _Interrupted(_message(fault, part)) from fault


def _append(response: httpx.Response, part: PartialDownload) -> Generator[Fetched, None, None]:
    n_total = part.source.n_total if part.source else None
    if n_total is not None:
        n_free = shutil.disk_usage(part.folder).free
        if n_free < n_total - part.n_bytes:
            raise OSError(errno.ENOSPC, f"{_mb(n_total - part.n_bytes)} more are needed, {_mb(n_free)} are free")
    yield Fetched(part.n_bytes, n_total)
    for block in response.iter_raw():
        part.append(block)
        yield Fetched(part.n_bytes, n_total)


def _client() -> httpx.Client:
    import httpx

    try:
        return httpx.Client(timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S), follow_redirects=True)
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as fault:
        # a SOCKS proxy, an invalid address, a missing file of certificates
        raise VisualizerError(
            f"the environment's proxy or certificates cannot be used ({plain(fault)}); "
            "look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
        ) from fault


def _check_answer(response: httpx.Response) -> None:
    """Raise VisualizerError unless the response is the whole file."""
    url, host = plain(response.url), plain(response.url.host)
    status = f"{response.status_code} {plain(response.reason_phrase)}".strip()
    if response.status_code in (404, 410):
        raise VisualizerError(
            f"{host} no longer has {url} ({status}); a file from elsewhere can be given with --weights"
        )
    if response.status_code == 407:
        raise VisualizerError(f"the proxy{_proxy(response.url)} wants a name and password ({status}); see HTTPS_PROXY")
    if response.status_code != 200:
        raise VisualizerError(f"{host} does not hand out {url} ({status}); try again later")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise VisualizerError(f"{host} sent a web page instead of {url}; does this network want you to log in first?")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise VisualizerError(f"{host} sent {url} compressed, which was not asked for; try again later")


def _version(response: httpx.Response) -> str:
    """The server's version of the file, if it can be used with If-Range; else ""."""
    tag: str = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return str(response.headers.get("Last-Modified", ""))


def _length(response: httpx.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _message(fault: httpx.RequestError, part: PartialDownload) -> str:
    """An error of the connection as one line for the user."""
    import httpx

    url = fault.request.url
    reason = plain(re.sub(r"^\[Errno -?\d+\] ", "", str(fault))) or type(fault).__name__
    if isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        way_out = "are you online?"
        if "CERTIFICATE" in reason:
            way_out = "SSL_CERT_FILE can name the certificates that your network uses"
        elif _proxy(url):
            way_out = "the proxy is set in the environment"
        line = f"{plain(url.host)} cannot be reached{_proxy(url, ' through ')} ({reason}); {way_out}"
    elif isinstance(fault, httpx.ReadTimeout):
        line = f"{plain(url.host)} sent nothing for {_READ_S:.0f} s; try again later"
    elif isinstance(fault, httpx.TooManyRedirects | httpx.UnsupportedProtocol):
        line = f"{plain(url)} leads nowhere ({reason}); a file from elsewhere can be given with --weights"
    else:
        line = f"the transfer from {plain(url.host)} was interrupted ({reason}); try again"
    if part.n_bytes and part.source is not None and part.source.version:
        line += f". {_mb(part.n_bytes)} are kept: the same command continues from there"
    return line


def _proxy(url: httpx.URL, before: str = " ") -> str:
    """The proxy that requests for `url` go through, without its password; "" if there is none."""
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all", "")
    if not found or urllib.request.proxy_bypass(url.host):
        return ""
    scheme, _, rest = found.rpartition("://")
    return f"{before}{plain(scheme or 'http')}://{plain(rest.rpartition('@')[2])}"


@contextlib.contextmanager
def _disk_errors(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        folder = plain(to.parent)
        reason = reason_of(fault)
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise VisualizerError(
                f"no room for {plain(to.name)} in {folder} ({reason}); make room there, or {_ELSEWHERE}"
            ) from fault
        raise VisualizerError(f"{plain(to.name)} cannot be written in {folder} ({reason}); {_ELSEWHERE}") from fault


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e7 else f"{n_bytes / 1e6:.0f} MB"
