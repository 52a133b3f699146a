"""The order of work on octaves and depths, with work that only notes what it was given."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.dream.lanes import AHEAD, wavefront


def noting(depth, octave, before, coarser_before, coarser_after):
    """States are (octave, depth): whatever is handed in must be exactly what that piece of work needs."""
    assert before == (octave, depth - 1)
    if octave == 0:
        assert coarser_before is None and coarser_after is None
    else:
        assert coarser_before == (octave - 1, depth - 1)
        assert coarser_after == (octave - 1, depth)
    return octave, depth


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(1, 30), st.integers(1, 5))
def test_every_depth_of_the_finest_comes_in_order(n_octaves, n_depths, n_lanes):
    states = [(octave, 0) for octave in range(n_octaves)]
    told = list(wavefront(states, n_depths, noting, n_lanes))
    assert told == [(n_octaves - 1, depth) for depth in range(1, n_depths + 1)]


def test_two_lanes_do_work_at_the_same_time():
    meeting = threading.Barrier(2, timeout=20)
    met = []

    def work(depth, octave, *_):
        # the finest of depth 1 and the coarsest of depth 2 wait for each other: alone, either would wait for ever
        if (depth, octave) in ((1, 1), (2, 0)):
            meeting.wait()
            met.append((depth, octave))
        return depth

    assert list(wavefront([0, 0], 2, work, 2)) == [1, 2]
    assert sorted(met) == [(1, 1), (2, 0)]


def test_nothing_runs_far_ahead_of_what_is_asked_for():
    begun = []

    def work(depth, octave, *_):
        begun.append(depth)
        return depth

    told = wavefront([0, 0, 0], 40, work, 3)
    next(told)
    assert max(begun) <= 1 + AHEAD
    told.close()


def test_what_work_raises_is_raised_and_all_threads_end():
    def work(depth, octave, *_):
        if (depth, octave) == (3, 1):
            raise ZeroDivisionError("in a lane")
        return depth

    told = wavefront([0, 0, 0], 10, work, 2)
    with pytest.raises(ZeroDivisionError, match="in a lane"):
        list(told)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dream lane")]
