"""What a show has used and freed goes back to the system."""

import gc
import os
import subprocess
import sys

import pytest

glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only glibc, Linux's C library, can be told how to allocate"
)

CODE = """
import sys
import numpy as np, psutil
from visualizer.memory import give_large_blocks_back

if sys.argv[1] == "told":
    assert give_large_blocks_back()
process, kept = psutil.Process(), []
for size in (12, 3, 3, 3, 3):  # presets of large and small pictures, each of which leaves something small behind
    frames = [np.ones(size * 1_000_000, np.uint8) for _ in range(20)]
    kept.append(np.ones(100_000, np.uint8))
    del frames
print(process.memory_info().rss)
"""


def held(how):
    done = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True, timeout=120)
    return int(done.stdout)


@glibc
@pytest.mark.slow
def test_large_blocks_that_are_free_are_not_held():
    assert held("told") < held("not told") - 20e6


HEAPS = """
import ctypes, os, sys, threading
from visualizer.memory import share_one_heap

if sys.argv[1] == "told":
    assert share_one_heap()
together, kept = threading.Barrier(6), []

def hold():
    together.wait()
    kept.append(bytes(50_000))
    together.wait()

threads = [threading.Thread(target=hold) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fflush.argtypes = [ctypes.c_void_p]
reading, writing = os.pipe()
out = libc.fdopen(writing, b"w")
libc.malloc_info(0, out)
libc.fflush(out)
print(os.read(reading, 65536).count(b"<heap nr="))
"""


@glibc
def test_threads_share_one_heap():
    def n_heaps(how):
        known = {
            name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))
        }
        done = subprocess.run(
            [sys.executable, "-c", HEAPS, how], env=known, capture_output=True, text=True, check=True, timeout=120
        )
        return int(done.stdout)

    assert n_heaps("told") == 1 < n_heaps("not told")


STEPS = """
import contextlib, resource, sys, threading
import numpy as np
from visualizer.memory import freed_memory_kept, share_one_heap

share_one_heap()

def n_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():  # 100 MB, as the largest activations of a step at 1280x720: more than glibc's limit for mapping them
    before = n_faults()
    np.empty(100_000_000, np.uint8)[::4096] = 1
    return n_faults() - before

def steps():
    found.extend(step() for _ in range(3))

found = []
with freed_memory_kept() if sys.argv[1] == "kept" else contextlib.nullcontext():
    thread = threading.Thread(target=steps)  # a bake's steps run in threads
    thread.start()
    thread.join()
found.append(step())  # after it the memory is returned again
found.append(step())
print(*found)
"""


@glibc
def test_freed_memory_is_kept_for_the_next_step_while_inside():
    def n_faults(how):
        done = subprocess.run(
            [sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True, timeout=120
        )
        return [int(n) for n in done.stdout.split()]

    # 24 400 pages, or 48 where they are huge; and some of what else the process does
    first, *others, after, again = n_faults("kept")
    assert max(others) < first / 2
    assert min(after, again, *n_faults("not kept")) > first / 2


def test_it_says_whether_it_could(monkeypatch):
    from visualizer import memory

    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.give_large_blocks_back() is False and memory.share_one_heap() is False
    with memory.freed_memory_kept():
        pass  # nothing is changed, and nothing fails


def test_garbage_is_collected_rarely_once_asked_for():
    from visualizer import memory

    before = gc.get_threshold()
    try:
        memory.collect_rarely()
        assert gc.get_threshold()[0] == 50_000
    finally:
        gc.set_threshold(*before)
