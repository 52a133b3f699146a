"""Check whether a display server is reachable, without opening a display."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

CONNECT_S = 1.0


def is_display_reachable(environment: Mapping[str, str]) -> bool:
    """Return False only when certainly no window can be opened: on Linux, when no display named in the environment
    accepts a connection.
    """
    if not sys.platform.startswith("linux"):
        return True
    servers = [server for server in (_x11(environment.get("DISPLAY", "")), _wayland(environment)) if server is not None]
    return any(_accepts(family, address) for family, address in servers)


def pauses_hidden_windows(environment: Mapping[str, str]) -> bool:
    """Return whether the display server stops a window that is not visible from drawing, as Wayland does (another
    workspace, say).

    Chooses between X11 and Wayland as `render.glfw_library` does.
    """
    if not sys.platform.startswith("linux"):
        return False
    variant = environment.get("PYGLFW_LIBRARY_VARIANT")
    if variant:
        return variant == "wayland"
    x11, wayland = bool(environment.get("DISPLAY")), bool(environment.get("WAYLAND_DISPLAY"))
    return wayland if x11 != wayland else environment.get("XDG_SESSION_TYPE") == "wayland"


def _x11(name: str) -> tuple[socket.AddressFamily, str | tuple[str, int]] | None:
    """Address of the X server called "host:number.screen"; None for what is no such name."""
    host, colon, rest = name.rpartition(":")
    number = rest.partition(".")[0]
    if not colon or not number.isdecimal() or len(number) > 5:
        return None
    if host in ("", "unix"):
        return socket.AF_UNIX, f"/tmp/.X11-unix/X{number}"
    return socket.AF_INET, (host, 6000 + int(number))


def _wayland(environment: Mapping[str, str]) -> tuple[socket.AddressFamily, str] | None:
    name = environment.get("WAYLAND_DISPLAY", "")
    if not name:
        return None
    return socket.AF_UNIX, str(Path(environment.get("XDG_RUNTIME_DIR", "/")) / name)


def _accepts(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    addresses = [address]
    if isinstance(address, str) and "/.X11-unix/" in address:
        addresses.append("\0" + address)  # the abstract socket: in a container the file may be missing
    for one in addresses:
        with suppress(OSError, ValueError, OverflowError), socket.socket(family, socket.SOCK_STREAM) as line:
            line.settimeout(CONNECT_S)
            line.connect(one)
            return True
    return False
