"""Settings of the C library's memory allocator (glibc's malloc): a long show does not grow, a bake does not have its
memory cleared anew at every step.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import logging
import sys
from collections.abc import Iterator
from typing import Any

log = logging.getLogger(__name__)

#: blocks of at least this size are returned to the system as soon as they are freed, bytes
LARGE_BYTES = 256 * 1024
#: names of mallopt's parameters in malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8
#: glibc's own M_MMAP_MAX, and the thresholds that it reaches in a process that frees large blocks
_MAX_MAPPED, _MMAP_BYTES, _TRIM_BYTES = 65536, 32 * 2**20, 64 * 2**20


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


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """While inside, glibc keeps freed memory for the next blocks instead of returning it to the system.

    For work that allocates blocks of the same sizes again and again, such as the activations of a network. By default
    glibc maps each large block (at most 32 MB can be set as the limit; activations are larger) and unmaps it when it is
    freed, and the system then clears every page again: 87 000 page faults in an ascent step at 1280x720. It needs
    `share_one_heap` before the first thread: heaps of other threads end at 64 MB, and larger blocks are mapped anyway.
    """
    _set_option(_M_MMAP_MAX, 0)
    _set_option(_M_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        _set_option(_M_MMAP_MAX, _MAX_MAPPED)
        # setting any option has ended glibc's own choice of the thresholds
        _set_option(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        _set_option(_M_TRIM_THRESHOLD, _TRIM_BYTES)
        give_free_memory_back()


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
