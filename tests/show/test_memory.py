"""What a show has used and freed goes back to the system."""

import subprocess
import sys

import pytest

CODE = """
import sys
import numpy as np, psutil
from visualizer.show.memory import give_large_blocks_back

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
    done = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_large_blocks_that_are_free_are_not_held():
    assert held("told") < held("not told") - 20e6


def test_it_says_whether_it_could(monkeypatch):
    from visualizer.show import memory

    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.give_large_blocks_back() is False
