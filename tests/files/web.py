"""A web server on this machine that misbehaves on demand, for the tests of fetching."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server hands out, and what it was asked. Change it between requests."""

    content: bytes
    etag: str = '"first"'
    content_type: str = "application/octet-stream"
    status: int = 200
    #: understands Range and If-Range
    has_ranges: bool = True
    #: tells Content-Length; else the body comes in chunks
    tells_length: bool = True
    #: for each request to come: cut the connection after so many bytes of the body
    cuts: list[int] = field(default_factory=list)
    #: after so many bytes of the body, wait for `go_on`
    waits_after: int | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    #: path, Range header of each request so far
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def ranges(self) -> list[str]:
        """The Range header of each request so far."""
        return [wanted for _, wanted in self.asked]


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[Site]:
    """A server on 127.0.0.1, in a thread: /file is the content, /moved leads there, /round leads to itself."""
    site = Site(content)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    site.url = f"http://127.0.0.1:{server.server_address[1]}/file"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def dead_address() -> Iterator[str]:
    """An address on this machine at which nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the other side went away, which is what many a test does


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append((self.path, self.headers.get("Range", "")))
        if self.path in ("/moved", "/round"):
            self.send_response(302)
            self.send_header("Location", "/file" if self.path == "/moved" else "/round")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first = 0
        wanted = self.headers.get("Range", "")
        if site.has_ranges and wanted and self.headers.get("If-Range") == site.etag and site.status == 200:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= len(site.content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(site.content) - 1}/{len(site.content)}")
        else:
            self.send_response(site.status)
        body = site.content[first:]
        self.send_header("Content-Type", site.content_type)
        if site.etag:
            self.send_header("ETag", site.etag)
        if site.tells_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(OSError):  # the other side was killed
            self._send(body)

    def _send(self, body: bytes) -> None:
        site = self.site
        cut = site.cuts.pop(0) if site.cuts else None
        if cut is not None:
            self._write(body[:cut])
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if site.waits_after is not None:
            self._write(body[: site.waits_after])
            self.wfile.flush()
            site.go_on.wait(60)
            body = body[site.waits_after :]
        self._write(body)
        if not site.tells_length:
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, body: bytes) -> None:
        if not self.site.tells_length and body:
            body = b"%x\r\n%s\r\n" % (len(body), body)
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
