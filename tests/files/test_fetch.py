"""Fetching over a real connection, from a server on this machine, through everything that goes wrong on the way."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.files.disks import full_disk, locked_folder
from tests.files.web import Site, dead_address, serving
from visualizer.errors import VisualizerError
from visualizer.files.download import DownloadSource, PartialDownload
from visualizer.files.fetch import Fetched, fetch

CONTENT = bytes(range(256)) * 1200  # 307 kB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT_BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving(CONTENT) as site:
        yield site


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "networks" / "net.pth"


def run(url: str, to: Path, sha256: str = SHA256, git_blob: str = "") -> list[Fetched]:
    return list(fetch(url, to, sha256=sha256, git_blob=git_blob))


def refused(url: str, to: Path, *words: str, **hashes: str) -> str:
    """The message: one line with the words in it; nothing lies under the final name."""
    with pytest.raises(VisualizerError) as fault:
        run(url, to, **hashes)
    line = str(fault.value)
    assert "\n" not in line and line.isprintable()
    for word in words:
        assert word in line
    assert not to.exists()
    return line


def left(to: Path) -> set[str]:
    return {path.name for path in to.parent.iterdir()} if to.parent.exists() else set()


@pytest.mark.parametrize("hashes", [{}, {"sha256": SHA256[:8]}, {"sha256": ""}, {"sha256": "", "git_blob": GIT_BLOB}])
@pytest.mark.parametrize("tells_length", [True, False])
def test_a_whole_file(site: Site, to: Path, hashes: dict[str, str], tells_length: bool) -> None:
    site.tells_length = tells_length
    steps = run(site.url, to, **hashes)
    assert to.read_bytes() == CONTENT and left(to) == {"net.pth"}
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [step.n_bytes for step in steps] == sorted(step.n_bytes for step in steps)
    assert all(step.n_total == (len(CONTENT) if tells_length else None) for step in steps[:-1])


def test_what_was_there_is_replaced(site: Site, to: Path) -> None:
    to.parent.mkdir()
    to.write_bytes(b"old")
    run(site.url, to)
    assert to.read_bytes() == CONTENT


def test_a_redirect_is_followed(site: Site, to: Path) -> None:
    run(site.url.replace("/file", "/moved"), to)
    assert to.read_bytes() == CONTENT and [path for path, _ in site.asked] == ["/moved", "/file"]


def test_a_redirect_in_a_circle(site: Site, to: Path) -> None:
    refused(site.url.replace("/file", "/round"), to, "leads nowhere", "--weights")
    assert left(to) == set()


def test_a_transfer_that_is_cut_goes_on_by_itself(site: Site, to: Path) -> None:
    site.cuts = [100_000, 50_000]
    run(site.url, to)
    assert to.read_bytes() == CONTENT
    assert site.ranges == ["", "bytes=100000-", "bytes=150000-"]


def test_a_transfer_that_is_cut_again_and_again_is_kept_for_the_next_try(site: Site, to: Path) -> None:
    site.cuts = [10_000] * 5
    refused(site.url, to, "127.0.0.1", "interrupted", "0.1 MB are kept", "continues from there")
    assert left(to) == {"net.pth.part", "net.pth.part.json"}
    steps = run(site.url, to)
    assert to.read_bytes() == CONTENT and left(to) == {"net.pth"}
    assert site.ranges[-1] == "bytes=50000-" and steps[0] == (50_000, len(CONTENT))


def test_a_server_that_sends_nothing_at_all(site: Site, to: Path) -> None:
    site.cuts = [0]
    refused(site.url, to, "interrupted", "try again")
    assert len(site.asked) == 1


def stop_half_way(site: Site, to: Path) -> int:
    """Begin, and stop as by Ctrl-C; how many bytes are there."""
    with closing(fetch(site.url, to, sha256=SHA256)) as steps:
        for step in steps:
            if step.n_bytes > 100_000:
                break
    assert not to.exists()
    return step.n_bytes


def test_a_stopped_fetch_goes_on(site: Site, to: Path) -> None:
    n_bytes = stop_half_way(site, to)
    steps = run(site.url, to)
    assert to.read_bytes() == CONTENT
    assert site.ranges == ["", f"bytes={n_bytes}-"] and steps[0].n_bytes == n_bytes


@pytest.mark.parametrize("what", ["no ranges", "changed", "no version", "other address", "note lost", "note damaged"])
def test_where_going_on_would_be_wrong_all_comes_anew(site: Site, to: Path, what: str) -> None:
    if what == "no version":
        site.etag = ""
    stop_half_way(site, to)
    note = to.with_name("net.pth.part.json")
    url = site.url
    if what == "no ranges":
        site.has_ranges = False
    elif what == "changed":
        site.content, site.etag = CONTENT[::-1], '"second"'
    elif what == "other address":
        url += "?other"
    elif what == "note lost":
        note.unlink()
    elif what == "note damaged":
        note.write_text('{"url": 3')
    run(url, to, sha256=hashlib.sha256(site.content).hexdigest())
    assert to.read_bytes() == site.content
    if what in ("no version", "other address", "note lost", "note damaged"):
        assert site.ranges == ["", ""]


def test_a_weak_tag_is_not_gone_on_from(site: Site, to: Path) -> None:
    site.etag = 'W/"first"'
    stop_half_way(site, to)
    run(site.url, to)
    assert site.ranges == ["", ""] and to.read_bytes() == CONTENT


def test_a_range_that_cannot_be_had_is_asked_for_anew(site: Site, to: Path) -> None:
    to.parent.mkdir()
    with PartialDownload(to) as part:  # longer than the file
        part.begin(DownloadSource(url=site.url, version='"first"', n_total=None))
        part.append(CONTENT * 2)
    assert run(site.url, to)[-1].n_bytes == len(CONTENT)
    assert site.ranges == [f"bytes={len(CONTENT) * 2}-", ""] and to.read_bytes() == CONTENT


def test_killed_before_the_last_step_nothing_is_fetched_again(site: Site, to: Path) -> None:
    with PartialDownload(to) as part:
        part.begin(DownloadSource(url=site.url, version='"first"', n_total=len(CONTENT)))
        part.append(CONTENT)
    run(site.url, to)
    assert to.read_bytes() == CONTENT and site.asked == []


@pytest.mark.parametrize("hashes", [{"sha256": "12345678"}, {"sha256": "", "git_blob": SHA256[:40]}])
def test_a_wrong_file_is_thrown_away(site: Site, to: Path, hashes: dict[str, str]) -> None:
    refused(site.url, to, "not the file expected", "was removed", next(filter(None, hashes.values()))[:8], **hashes)
    assert left(to) == set()


def test_a_wrong_file_leaves_the_one_that_is_there(site: Site, to: Path) -> None:
    to.parent.mkdir()
    to.write_bytes(b"old")
    with pytest.raises(VisualizerError, match="not the file expected"):
        run(site.url, to, sha256="12345678")
    assert to.read_bytes() == b"old" and left(to) == {"net.pth"}


def test_bytes_spoilt_on_the_disk_are_found_out(site: Site, to: Path) -> None:
    stop_half_way(site, to)
    with to.with_name("net.pth.part").open("r+b") as part:
        part.write(b"spoilt")
    refused(site.url, to, "not the file expected")
    run(site.url, to)
    assert to.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, ["404", "no longer has", "/file", "--weights"]),
        (403, ["403", "try again later"]),
        (500, ["500", "try again later"]),
        (206, ["206"]),
        (407, ["proxy", "password"]),
    ],
)
def test_an_answer_that_is_no_file(site: Site, to: Path, status: int, words: list[str]) -> None:
    site.status = status
    refused(site.url, to, *words)
    assert left(to) == set()


def test_a_login_page_does_not_cost_what_has_come(site: Site, to: Path) -> None:
    n_bytes = stop_half_way(site, to)
    site.content, site.content_type, site.etag = b"<html>welcome</html>", "text/html; charset=utf-8", ""
    refused(site.url, to, "web page", "log in")
    site.content, site.content_type, site.etag = CONTENT, "application/octet-stream", '"first"'
    run(site.url, to)
    assert site.ranges[-1] == f"bytes={n_bytes}-" and to.read_bytes() == CONTENT


def test_nobody_answers(site: Site, to: Path) -> None:
    with dead_address() as dead:
        refused(dead + "/file", to, "127.0.0.1 cannot be reached", "refused", "are you online?")
    assert left(to) == set()


def test_a_name_that_leads_nowhere(site: Site, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = socket.getaddrinfo

    def unknown(host: object, *rest: Any, **options: Any) -> Any:
        """As it is everywhere; there are networks that have an answer for every name."""
        if "nowhere.invalid" in str(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return really(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refused("http://nowhere.invalid/file", to, "nowhere.invalid cannot be reached", "are you online?")


def test_no_web_address(site: Site, to: Path) -> None:
    refused("file:///etc/passwd", to, "leads nowhere")


def test_a_dead_proxy_is_named_without_its_password(site: Site, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dead_address() as dead:
        monkeypatch.setenv("http_proxy", dead.replace("http://", "http://me:secret@"))
        line = refused(site.url, to, "cannot be reached through", dead, "refused")
    assert "secret" not in line and site.asked == []
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    run(site.url, to)
    assert to.read_bytes() == CONTENT


def test_a_proxy_is_used(site: Site, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", site.url.removesuffix("/file"))
    run("http://nowhere.invalid/file", to)
    assert to.read_bytes() == CONTENT and site.asked[0][0] == "http://nowhere.invalid/file"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "ftp://127.0.0.1", "http://[", "http://host:port"])
def test_a_proxy_that_cannot_be_used(site: Site, to: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    refused(site.url, to, "proxy", "environment")


def test_certificates_that_are_missing(site: Site, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(to / "none.pem"))
    refused(site.url, to, "SSL_CERT_FILE")


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_full_disk(site: Site, tmp_path: Path, tells_length: bool) -> None:
    site.tells_length = tells_length
    with full_disk(tmp_path, 128 * 1024) as folder:
        to = folder / "net.pth"
        refused(site.url, to, "no room for net.pth", str(folder), "VISUALIZER_NETWORKS_DIR")
        assert left(to) <= {"net.pth.part", "net.pth.part.json"}
        site.content = CONTENT[:1000]
        site.etag = '"smaller"'
        run(site.url, to, sha256=hashlib.sha256(site.content).hexdigest())  # room for this one, beside or over the rest
        assert to.read_bytes() == site.content


def test_a_folder_that_may_not_be_written_to(site: Site) -> None:
    with locked_folder() as folder:
        for to in (folder / "net.pth", folder / "networks" / "net.pth"):
            refused(site.url, to, "cannot be written", "Permission denied", "VISUALIZER_NETWORKS_DIR")
    assert site.asked == []


def test_a_folder_that_is_a_file(site: Site, tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("")
    refused(site.url, tmp_path / "networks" / "net.pth", "cannot be written", "VISUALIZER_NETWORKS_DIR")


FETCH = """
import sys
from pathlib import Path
from visualizer.errors import VisualizerError
from visualizer.files.fetch import fetch
try:
    for step in fetch(sys.argv[1], Path(sys.argv[2]), sha256=sys.argv[3]):
        print(step.n_bytes, flush=True)
except VisualizerError as fault:
    sys.exit(str(fault))
"""


def start(site: Site, to: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, site.url, str(to), SHA256]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(process: subprocess.Popen[str], n_bytes: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= n_bytes:
            return
    raise AssertionError(process.communicate())


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_killed_in_the_middle_it_goes_on_from_there(site: Site, to: Path) -> None:
    site.waits_after = 150_000
    with start(site, to) as process:
        wait_until(process, 150_000)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert left(to) == {"net.pth.part", "net.pth.part.json"}
    site.waits_after = None
    with start(site, to) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert to.read_bytes() == CONTENT and left(to) == {"net.pth"}
    assert site.ranges == ["", "bytes=150000-"] and output.startswith("150000\n")


def test_two_at_once_do_not_spoil_each_other(site: Site, to: Path) -> None:
    site.waits_after = 150_000
    with start(site, to) as first:
        wait_until(first, 150_000)
        refused(site.url, to, "net.pth is being fetched by another process")
        with start(site, to) as second:
            assert "another process" in second.communicate(timeout=120)[1]
        site.go_on.set()
        first.communicate(timeout=120)
    assert first.returncode == 0 and second.returncode == 1
    assert to.read_bytes() == CONTENT and left(to) == {"net.pth"} and len(site.asked) == 1


def test_many_at_once_leave_one_whole_file(site: Site, to: Path) -> None:
    outcomes: list[str] = []

    def one() -> None:
        try:
            run(site.url, to)
            outcomes.append("")
        except VisualizerError as fault:
            outcomes.append(str(fault))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8 and "" in outcomes
    assert all(not outcome or "another process" in outcome for outcome in outcomes)
    assert to.read_bytes() == CONTENT and left(to) == {"net.pth"}
