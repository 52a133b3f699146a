"""Check a Wayland compositor for what glfw does not check, over its socket; a few bytes of the protocol, no library."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

CONNECT_S = 1.0
_MAX_BYTES = 1_000_000
# object ids, chosen by the client, and the opcodes of the requests and events used
_DISPLAY, _REGISTRY, _CALLBACK = 1, 2, 3
_SYNC, _GET_REGISTRY, _GLOBAL = 0, 1, 0


def lacks_seat() -> bool:
    """Whether the compositor has no keyboard, mouse or touch, on which glfw 3.4 crashes. False where that is
    unknown.
    """
    name = os.environ.get("WAYLAND_DISPLAY", "")
    if not name or "WAYLAND_SOCKET" in os.environ:  # an inherited connection can be used only once
        return False
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(CONNECT_S)
            line.connect(str(path))
            return b"wl_seat" not in _globals(line)
    except (OSError, struct.error):
        return False


def _globals(line: socket.socket) -> set[bytes]:
    """Names of the compositor's interfaces. Raises OSError, or struct.error if it does not speak Wayland."""
    line.sendall(_message(_DISPLAY, _GET_REGISTRY, _REGISTRY) + _message(_DISPLAY, _SYNC, _CALLBACK))
    found: set[bytes] = set()
    data = b""
    while len(data) < _MAX_BYTES:
        while len(data) < 8 or len(data) < struct.unpack_from("=I", data, 4)[0] >> 16:
            block = line.recv(65_536)
            if not block:
                raise OSError("the compositor has closed the connection")
            data += block
        sender, header = struct.unpack_from("=II", data)
        length, opcode = header >> 16, header & 0xFFFF
        if sender == _CALLBACK:  # all earlier requests are answered
            return found
        if sender == _REGISTRY and opcode == _GLOBAL:
            n_bytes = struct.unpack_from("=I", data, 12)[0]
            found.add(data[16 : 16 + n_bytes].rstrip(b"\0"))
        data = data[max(length, 8) :]
    raise OSError("the compositor sends too much")


def _message(receiver: int, opcode: int, argument: int) -> bytes:
    return struct.pack("=III", receiver, 12 << 16 | opcode, argument)
