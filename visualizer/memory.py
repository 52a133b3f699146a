"""How the system's allocator treats the large blocks of a show: dream frames, pictures, sound."""

from __future__ import annotations

import ctypes
import functools
import logging
import sys
from typing import Any

log = logging.getLogger(__name__)

#: blocks from this size on are given back to the system as soon as they are free, bytes
LARGE_BYTES = 256 * 1024
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def give_large_blocks_back() -> bool:
    """Let freed dream frames leave the process; whether the system's allocator could be told.

    glibc learns from the first frame freed (some megabytes) that such blocks are common, and from then on cuts them out of its heaps,
    where they leave holes: after a few presets a show holds 40 to 100 MB more than it uses, and never the same. With a
    threshold of its own it stays where it was: 240 MB after fourteen presets, where it had been 305 to 358. Elsewhere nothing is done.
    """
    return _told(_M_MMAP_THRESHOLD, LARGE_BYTES)


def share_one_heap() -> bool:
    """Let all threads of this process allocate from one heap; whether the system's allocator could be told. To be called before there are any.

    Left to itself glibc gives new threads heaps of their own, eight for each core, and each that is begun (a bake, a screenshot, a
    driver's) leaves holes in another one: with a full disk provoked again and again a show grew by .4 MB each time, from 88 to 98 MB,
    and stays between 85 and 87 with one heap. Elsewhere nothing is done.
    """
    return _told(_M_ARENA_MAX, 1)


def give_free_memory_back() -> None:
    """Give back what lies free between blocks in use; .2 ms, some more where there is much of it."""
    trim = _glibc("malloc_trim", ctypes.c_size_t)
    if trim is not None:
        trim(0)


def _told(option: int, value: int) -> bool:
    """Tell the system's allocator; whether it could be told."""
    mallopt = _glibc("mallopt", ctypes.c_int, ctypes.c_int)
    return mallopt is not None and bool(mallopt(option, value))


def _glibc(name: str, *arguments: Any) -> Any:
    """A function of glibc's that returns a whole number; None elsewhere."""
    return _in_library(name, *arguments) if sys.platform.startswith("linux") else None


@functools.cache
def _in_library(name: str, *arguments: Any) -> Any:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):  # another C library
        return None
    function.argtypes, function.restype = list(arguments), ctypes.c_int
    return function
