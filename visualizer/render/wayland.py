"""What glfw does not ask a Wayland compositor, read from its socket: a few bytes of the protocol, no library."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

ANSWER_S = 1.0
_MOST_BYTES = 1_000_000
# numbers of objects, as the client chooses them, and of what is asked and told of them
_DISPLAY, _REGISTRY, _CALLBACK = 1, 2, 3
_SYNC, _GET_REGISTRY, _GLOBAL = 0, 1, 0


def lacks_seat() -> bool:
    """Whether the compositor has neither keyboard nor mouse nor touch. False where that cannot be found out.

    glfw 3.4 crashes there when it is started.
    """
    name = os.environ.get("WAYLAND_DISPLAY", "")
    if not name or "WAYLAND_SOCKET" in os.environ:  # an open connection can be used once only
        return False
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(path))
            return b"wl_seat" not in _globals(line)
    except (OSError, struct.error):
        return False


def _globals(line: socket.socket) -> set[bytes]:
    """The names of what the compositor offers. Raises OSError, and struct.error for what is no Wayland."""
    line.sendall(_message(_DISPLAY, _GET_REGISTRY, _REGISTRY) + _message(_DISPLAY, _SYNC, _CALLBACK))
    found: set[bytes] = set()
    data = b""
    while len(data) < _MOST_BYTES:
        while len(data) < 8 or len(data) < struct.unpack_from("=I", data, 4)[0] >> 16:
            block = line.recv(65_536)
            if not block:
                raise OSError("the compositor has hung up")
            data += block
        sender, word = struct.unpack_from("=II", data)
        length, kind = word >> 16, word & 0xFFFF
        if sender == _CALLBACK:  # all that was asked before is answered
            return found
        if sender == _REGISTRY and kind == _GLOBAL:
            n_bytes = struct.unpack_from("=I", data, 12)[0]
            found.add(data[16 : 16 + n_bytes].rstrip(b"\0"))
        data = data[max(length, 8) :]
    raise OSError("the compositor does not come to an end")


def _message(receiver: int, kind: int, argument: int) -> bytes:
    return struct.pack("=III", receiver, 12 << 16 | kind, argument)
