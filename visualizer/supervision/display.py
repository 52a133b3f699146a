"""Whether there is a display to start a show on, asked without opening one."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ANSWER_S = 1.0


def display_answers(environment: Mapping[str, str]) -> bool:
    """False only where it is sure that no window can be opened: on Linux, when no display that is named lets itself be called."""
    if not sys.platform.startswith("linux"):
        return True
    places = [place for place in (_x11(environment.get("DISPLAY", "")), _wayland(environment)) if place is not None]
    return any(_answers(family, address) for family, address in places)


def hides_windows(environment: Mapping[str, str]) -> bool:
    """True where a window that cannot be seen is not drawn to either: under Wayland a show on another workspace stands still.

    As `render.glfw_library` chooses between X11 and Wayland.
    """
    if not sys.platform.startswith("linux"):
        return False
    variant = environment.get("PYGLFW_LIBRARY_VARIANT")
    if variant:
        return variant == "wayland"
    x11, wayland = bool(environment.get("DISPLAY")), bool(environment.get("WAYLAND_DISPLAY"))
    return wayland if x11 != wayland else environment.get("XDG_SESSION_TYPE") == "wayland"


def _x11(name: str) -> tuple[socket.AddressFamily, str | tuple[str, int]] | None:
    """Where the X server called "host:number.screen" listens."""
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


def _answers(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    addresses = [address]
    if isinstance(address, str) and "/.X11-unix/" in address:
        addresses.append("\0" + address)  # the same without a file, which a container may not have
    for one in addresses:
        with suppress(OSError, ValueError, OverflowError), socket.socket(family, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S)
            line.connect(one)
            return True
    return False
