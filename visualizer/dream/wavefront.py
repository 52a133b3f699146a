"""Several octaves at once: while the finest works on one depth, coarser ones already work on the next.

An octave needs its own state at the depth before, and the change of the coarser octave at the same depth. So (depth,
octave) can be computed while (depth + 1, a coarser octave) is, each on its own core. No core then waits for another
hundreds of times in a step, as both would if they shared every convolution. How many workers there are, and how many of
them may be at the finer octaves, is the caller's choice (device.worker_plan).

The coarsest octaves can run ahead through all depths before a finer one begins: their result is a preview of every
depth. They are the same tasks in another order, so the results are the same to the last bit.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

#: depths that may be started beyond the one asked for: enough to keep the workers busy, and a bound for memory
AHEAD = 3


class Reached(NamedTuple, Generic[T]):
    """A depth that is done. states: of the finest octave that ran ahead (finest False), or of all others, finest last
    (True).
    """

    depth: int
    finest: bool
    states: tuple[T, ...]


class _Schedule(Generic[T]):
    """Which tasks are done and which can start. A task is (depth, octave), octave 0 the coarsest; depth 0 is the start
    of the ascent.
    """

    def __init__(
        self, states: Sequence[T], n_depths: int, n_first: int, begun: int, ahead: int, n_finer_workers: int
    ) -> None:
        self.changed = threading.Condition()
        self.n_octaves, self.n_depths, self.n_first, self.ahead = len(states), n_depths, n_first, ahead
        self.done: dict[tuple[int, int], T] = {
            (0 if octave < n_first else begun, octave): state for octave, state in enumerate(states)
        }
        #: finished depths that nobody has asked for yet: the states of all octaves that did not run ahead
        self.reached: dict[int, tuple[T, ...]] = {}
        # a heap of (is finer, depth, octave): octaves that run ahead come first, then by depth
        self.ready: list[tuple[bool, int, int]] = [(False, 1, 0) if n_first else (True, begun + 1, 0)]
        self.n_first_left = n_first * n_depths
        self.limit = begun + 1 + ahead
        self.n_left = n_depths - begun
        self.n_finer_free = n_finer_workers
        self.stopped = False
        self.error: BaseException | None = None

    def take(self) -> tuple[int, int] | None:
        """The next task, once there is one; None when nothing is left to do."""
        with self.changed:
            while not self.stopped:
                if self.ready and self._may_start(self.ready[0]):
                    finer, depth, octave = heapq.heappop(self.ready)
                    if finer:
                        self.n_finer_free -= 1
                    else:
                        self.n_first_left -= 1
                        if self.n_first_left == 0:
                            self.changed.notify_all()
                    return depth, octave
                if self.n_left == 0 and self.n_first_left == 0:
                    return None
                self.changed.wait()
            return None

    def inputs(self, depth: int, octave: int) -> tuple[T, T | None, T | None]:
        """What a task needs: its state before, and the coarser octave's before and after (None for the coarsest)."""
        with self.changed:
            before = self.done[depth - 1, octave]
            if octave == 0:
                return before, None, None
            return before, self.done[depth - 1, octave - 1], self.done[depth, octave - 1]

    def finish(self, depth: int, octave: int, state: T) -> None:
        """Store a result, queue the tasks that it makes possible, and drop the states that no task needs any more."""
        with self.changed:
            self.done[depth, octave] = state
            if octave >= self.n_first:
                self.n_finer_free += 1
            for later in ((depth, octave + 1), (depth + 1, octave)):
                if self._is_possible(*later):
                    heapq.heappush(self.ready, (later[1] >= self.n_first, *later))
            if octave == self.n_octaves - 1:
                self.reached[depth] = tuple(self.done[depth, index] for index in range(self.n_first, self.n_octaves))
                self.n_left -= 1
                self._drop(depth - 1, self.n_first, self.n_octaves)
            elif octave == self.n_first - 1:
                # its own states stay: the octaves that did not run ahead continue from them
                self._drop(depth - 1, 0, octave)
            self.changed.notify_all()

    def await_depth(self, depth: int) -> tuple[T, ...]:
        """The states of a finished depth, handed over; waits. Raises what a task raised."""
        with self.changed:
            self.limit = depth + self.ahead
            self.changed.notify_all()
            while depth not in self.reached:
                self._wait()
            return self.reached.pop(depth)

    def await_first(self, depth: int) -> T:
        """The state of the finest octave that runs ahead; waits. Raises what a task raised."""
        with self.changed:
            while (depth, self.n_first - 1) not in self.done:
                self._wait()
            return self.done[depth, self.n_first - 1]

    def stop(self, error: BaseException | None = None) -> None:
        """End each worker after its current task."""
        with self.changed:
            self.error = self.error or error
            self.stopped = True
            self.changed.notify_all()

    def _wait(self) -> None:
        if self.error is not None:
            raise self.error
        self.changed.wait()

    def _may_start(self, task: tuple[bool, int, int]) -> bool:
        finer, depth, _ = task
        return not finer or (self.n_first_left == 0 and self.n_finer_free > 0 and depth <= self.limit)

    def _is_possible(self, depth: int, octave: int) -> bool:
        inside = depth <= self.n_depths and octave < self.n_octaves
        coarser_done = octave == 0 or (depth, octave - 1) in self.done
        return inside and coarser_done and (depth - 1, octave) in self.done

    def _drop(self, depth: int, first: int, end: int) -> None:
        for octave in range(first, end):
            self.done.pop((depth, octave), None)


def wavefront(
    states: list[T],
    n_depths: int,
    work: Callable[[int, int, T, T | None, T | None], T],
    n_workers: int,
    *,
    n_first: int = 0,
    n_finer_workers: int | None = None,
    begun: int = 0,
    ahead: int = AHEAD,
) -> Generator[Reached[T], None, None]:
    """Yield every depth as it is done, computed by n_workers threads.

    First depth 1 .. n_depths of the n_first coarsest octaves, which run ahead; then depth begun + 1 .. n_depths of the
    others.

    Parameters
    ----------
    states: one per octave, coarsest first: at depth 0 for those that run ahead, at depth `begun` for the others. The
        list is emptied, so that a state's memory is freed when no task needs it.
    work: work(depth, octave, before, coarser_before, coarser_after) returns that octave's state at that depth (None,
        None for the coarsest). It must not change its arguments. What it raises is raised here.
    n_first: below the number of octaves.
    n_finer_workers: how many workers may be at octaves that do not run ahead, None for all.
    ahead: depths that may be started beyond the one asked for.

    Closing the generator ends the threads after their current task. Raises ValueError for numbers that do not fit.
    """
    if not 0 <= n_first < len(states) or not 0 <= begun <= n_depths:
        raise ValueError(f"{n_first} of {len(states)} octaves cannot run ahead of depth {begun} of {n_depths}")
    schedule = _Schedule(
        states, n_depths, n_first, begun, ahead, n_workers if n_finer_workers is None else n_finer_workers
    )
    states.clear()

    def run() -> None:
        try:
            while (task := schedule.take()) is not None:
                before, coarser_before, coarser_after = schedule.inputs(*task)
                state = work(*task, before, coarser_before, coarser_after)
                # no reference to a state remains while this worker waits for its next task
                del before, coarser_before, coarser_after
                schedule.finish(*task, state)
                del state
        except BaseException as error:  # noqa: BLE001  raised again in the thread that asks for the depths
            schedule.stop(error)

    threads = [threading.Thread(target=run, name=f"dream worker {index}", daemon=True) for index in range(n_workers)]
    for thread in threads:
        thread.start()
    try:
        for depth in range(1, n_depths + 1) if n_first else ():
            yield Reached(depth, False, (schedule.await_first(depth),))
        for depth in range(begun + 1, n_depths + 1):
            yield Reached(depth, True, schedule.await_depth(depth))
    finally:
        schedule.stop()
        for thread in threads:
            thread.join()
