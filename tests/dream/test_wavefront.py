"""The order of work on octaves and depths, with work that only notes what it was given."""

from __future__ import annotations

import heapq
import threading
import weakref
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.watching import wait_for
from visualizer.dream.wavefront import AHEAD, wavefront


def noting(depth, octave, before, coarser_before, coarser_after):
    """States are (octave, depth): whatever is handed in must be exactly what that piece of work needs."""
    assert before == (octave, depth - 1)
    if octave == 0:
        assert coarser_before is None and coarser_after is None
    else:
        assert coarser_before == (octave - 1, depth - 1)
        assert coarser_after == (octave - 1, depth)
    return octave, depth


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 30), st.integers(1, 5), st.integers(0, AHEAD), st.data())
def test_every_depth_comes_in_order(n_octaves, n_depths, n_workers, ahead, data):
    n_first = data.draw(st.integers(0, n_octaves - 1), "octaves that run ahead")
    begun = data.draw(st.integers(0, n_depths), "depths finished before")
    states = [(octave, 0 if octave < n_first else begun) for octave in range(n_octaves)]
    told = list(wavefront(states, n_depths, noting, n_workers, n_first=n_first, begun=begun, ahead=ahead))
    early = [reached for reached in told if not reached.finest]
    assert early == [(depth, False, ((n_first - 1, depth),)) for depth in range(1, n_depths + 1) if n_first]
    finer = range(n_first, n_octaves)
    expected = [(depth, True, tuple((octave, depth) for octave in finer)) for depth in range(begun + 1, n_depths + 1)]
    assert told == early + expected
    assert states == []


@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_nothing_finer_begins_before_all_that_runs_ahead_has_begun(n_workers, monkeypatch):
    begun = []

    def taken(ready):
        """The order is decided here, under the workers' lock; in the work itself one may be held up before it can
        note it.
        """
        begun.append(heapq.heappop(ready))
        return begun[-1]

    monkeypatch.setattr("visualizer.dream.wavefront.heapq", SimpleNamespace(heappush=heapq.heappush, heappop=taken))
    list(wavefront([0] * 4, 12, lambda depth, *_: depth, n_workers, n_first=2))
    finer = [piece[0] for piece in begun]
    assert finer == sorted(finer)
    assert len(set(begun)) == len(begun) == 4 * 12


def test_two_workers_do_work_at_the_same_time():
    meeting = threading.Barrier(2, timeout=60)
    met = []

    def work(depth, octave, *_):
        # the finest of depth 1 and the coarsest of depth 2 wait for each other: alone, either would wait for ever
        if (depth, octave) in ((1, 1), (2, 0)):
            meeting.wait()
            met.append((depth, octave))
        return depth

    assert [reached.depth for reached in wavefront([0, 0], 2, work, 2)] == [1, 2]
    assert sorted(met) == [(1, 1), (2, 0)]


@pytest.mark.parametrize("ahead", [0, 1, AHEAD])
def test_nothing_runs_far_ahead_of_what_is_asked_for(ahead):
    begun = []

    def work(depth, octave, *_):
        begun.append(depth)
        return depth

    told = wavefront([0, 0, 0], 40, work, 3, ahead=ahead)
    next(told)
    assert max(begun) <= 1 + ahead
    told.close()


class State:
    """A state whose life can be watched."""


def test_states_are_let_go_when_nobody_needs_them():
    born = []

    def work(depth, octave, *_):
        state = State()
        born.append(weakref.ref(state))
        return state

    states = [State() for _ in range(4)]
    born.extend(weakref.ref(state) for state in states)
    told = wavefront(states, 30, work, 1, n_first=1, ahead=0)
    for reached in told:
        depth, finest = reached.depth, reached.finest
        del reached
        alive = sum(ref() is not None for ref in born)
        # of the octave that runs ahead every depth is kept; of the others, the last depth
        assert alive <= 31 + 3 + (0 if finest else 3), (depth, finest)
    assert alive >= 31


@pytest.mark.parametrize("n_first", [0, 1])
def test_what_work_raises_is_raised_and_all_threads_end(n_first):
    def work(depth, octave, *_):
        if (depth, octave) == (3, 1):
            raise ZeroDivisionError("in a worker")
        return depth

    told = wavefront([0, 0, 0], 10, work, 2, n_first=n_first)
    with pytest.raises(ZeroDivisionError, match="in a worker"):
        list(told)
    wait_for(lambda: not any(one.name.startswith("dream worker") for one in threading.enumerate()), "threads are left")


@pytest.mark.parametrize(("n_first", "begun"), [(3, 0), (-1, 0), (0, 11), (0, -1)])
def test_impossible_orders_are_refused(n_first, begun):
    with pytest.raises(ValueError, match="cannot run ahead"):
        next(wavefront([0, 0, 0], 10, noting, 1, n_first=n_first, begun=begun))


@pytest.mark.parametrize("n_finer_workers", [1, 2])
def test_no_more_workers_than_allowed_are_at_the_finer_octaves(n_finer_workers):
    at_once, most, lock = set(), [0], threading.Lock()

    def work(depth, octave, *_):
        with lock:
            if octave >= 1:
                at_once.add((depth, octave))
                most[0] = max(most[0], len(at_once))
        with lock:
            at_once.discard((depth, octave))
        return depth

    told = list(wavefront([0] * 4, 12, work, 4, n_first=1, n_finer_workers=n_finer_workers))
    assert len(told) == 24 and 1 <= most[0] <= n_finer_workers
