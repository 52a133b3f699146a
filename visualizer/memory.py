"""Settings of the C library's memory allocator (glibc's malloc), so that a long show does not grow."""

from __future__ import annotations

import ctypes
import functools
import gc
import logging
import sys
from typing import Any

log = logging.getLogger(__name__)

#: blocks of at least this size are returned to the system as soon as they are freed, bytes
LARGE_BYTES = 256 * 1024
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def give_large_blocks_back() -> bool:
    """Have large blocks, such as dream frames, returned to the system when they are freed.

    By default glibc raises its mmap threshold when the first large block is freed. Later frames then come from its
    heaps and leave holes there: after fourteen presets a show held 305 to 358 MB; with a fixed threshold it holds 240
    MB.

    Returns whether the allocator accepted the setting; False with any other C library, where nothing is changed.
    """
    return _set_option(_M_MMAP_THRESHOLD, LARGE_BYTES)


def share_one_heap() -> bool:
    """Make all threads of this process allocate from one heap. Call it before any thread is started.

    By default glibc gives new threads heaps (arenas) of their own, up to eight for each core, and every short thread (a
    bake, a screenshot, one of a driver) leaves holes in one of them: with a full disk simulated again and again, a show
    grew from 88 to 98 MB; with one heap it stays between 85 and 87 MB.

    Returns whether the allocator accepted the setting; False with any other C library, where nothing is changed.
    """
    return _set_option(_M_ARENA_MAX, 1)


def give_free_memory_back() -> None:
    """Return free memory between used blocks to the system. Takes about 0.2 ms."""
    trim = _glibc("malloc_trim", ctypes.c_size_t)
    if trim is not None:
        trim(0)


def _set_option(option: int, value: int) -> bool:
    """Call glibc's mallopt. Returns whether it accepted the value."""
    mallopt = _glibc("mallopt", ctypes.c_int, ctypes.c_int)
    return mallopt is not None and bool(mallopt(option, value))


def _glibc(name: str, *arguments: Any) -> Any:
    """A function of glibc that returns an int; None on other systems."""
    return _in_library(name, *arguments) if sys.platform.startswith("linux") else None


@functools.cache
def _in_library(name: str, *arguments: Any) -> Any:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):  # another C library
        return None
    function.argtypes, function.restype = list(arguments), ctypes.c_int
    return function


def collect_rarely() -> None:
    """Let Python look for garbage only after 50 000 new objects.

    For shows: their modules load 50 ms sooner, and while the picture runs `show.garbage` decides when to collect.
    """
    gc.set_threshold(50_000)
