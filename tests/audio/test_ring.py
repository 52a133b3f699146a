"""What goes into the ring comes out of it, in order and once."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.audio.ring import SampleRing


@given(st.integers(1, 50), st.lists(st.tuples(st.sampled_from("wrd"), st.integers(0, 80)), max_size=60))
def test_behaves_like_a_bounded_queue(size: int, steps: list[tuple[str, int]]) -> None:
    ring, queue, count = SampleRing(size, 2), [], 0
    for step, n in steps:
        if step == "w":
            block = np.arange(count, count + n, dtype=np.float32)[:, np.newaxis].repeat(2, axis=1)
            taken = ring.write(block)
            assert taken == min(n, size - len(queue))
            queue += list(block[:taken, 0])
            count += taken
        elif step == "r":
            out = np.full((n, 2), -1, np.float32)
            n_read = ring.read_into(out)
            assert n_read == min(n, len(queue))
            assert list(out[:n_read, 1]) == queue[:n_read]
            assert (out[n_read:] == -1).all()
            queue = queue[n_read:]
        else:
            n_gone = ring.discard(n)
            assert n_gone == min(n, len(queue))
            queue = queue[n_gone:]
        assert (ring.n_ready, ring.n_room) == (len(queue), size - len(queue))


@pytest.mark.slow
def test_two_threads_lose_nothing() -> None:
    ring, n_total, heard = SampleRing(1000, 1), 200_000, []

    def write() -> None:
        done = 0
        while done < n_total:
            block = np.arange(done, min(done + 333, n_total), dtype=np.float32)[:, np.newaxis]
            done += ring.write(block)

    writer = threading.Thread(target=write)
    writer.start()
    out, n_heard = np.empty((257, 1), np.float32), 0
    while n_heard < n_total:
        n_read = ring.read_into(out)
        heard.append(out[:n_read, 0].copy())
        n_heard += n_read
    writer.join(60)
    assert np.array_equal(np.concatenate(heard), np.arange(n_total, dtype=np.float32))


def test_a_ring_needs_room() -> None:
    for size, channels in ((0, 1), (1, 0), (-3, 2)):
        with pytest.raises(ValueError, match="at least 1"):
            SampleRing(size, channels)
    assert SampleRing(4, 1).discard(-3) == 0
