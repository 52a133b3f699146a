"""Several octaves at once: while the finest works on one depth, the coarser ones already go on with the next.

An octave needs its own state at the depth before, and the coarser octave's change at the same depth. So work on
(depth, octave) may go on beside (depth + 1, a coarser octave), each on its own core, and no core waits for another hundreds
of times in a step as it does when both share every convolution. How many lanes there are, and how many of them may be at the
finer octaves, is for the caller to say (device.lanes).

The coarsest octaves may be asked to run ahead through all depths, before a finer one begins: what they show is a preview
of every depth. They are the same pieces of work in another order, so the results are the same to the last bit.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

#: depths that may be begun beyond the one asked for: enough to keep the lanes busy, and a bound for memory
AHEAD = 3


class Reached(NamedTuple, Generic[T]):
    """A depth that has been reached. states: of the finest octave that ran ahead; or of all the others, finest last."""

    depth: int
    finest: bool
    states: tuple[T, ...]


class _Board(Generic[T]):
    """What is done, and what may be begun: (depth, octave), octaves counted from 0; depth 0 is where the ascent starts."""

    def __init__(
        self, states: Sequence[T], n_depths: int, n_first: int, begun: int, ahead: int, n_finer_lanes: int
    ) -> None:
        self.changed = threading.Condition()
        self.n_octaves, self.n_depths, self.n_first, self.ahead = len(states), n_depths, n_first, ahead
        self.done: dict[tuple[int, int], T] = {
            (0 if octave < n_first else begun, octave): state for octave, state in enumerate(states)
        }
        #: finished depths nobody has asked for yet: the states of all octaves that did not run ahead
        self.reached: dict[int, tuple[T, ...]] = {}
        # a heap: what runs ahead comes first, then what is asked for first
        self.ready: list[tuple[bool, int, int]] = [(False, 1, 0) if n_first else (True, begun + 1, 0)]
        self.n_first_left = n_first * n_depths
        self.limit = begun + 1 + ahead
        self.n_left = n_depths - begun
        self.n_finer_free = n_finer_lanes
        self.stopped = False
        self.error: BaseException | None = None

    def take(self) -> tuple[int, int] | None:
        """The next piece of work; waits for one. None when there is nothing more to do."""
        with self.changed:
            while not self.stopped:
                if self.ready and self._may_begin(self.ready[0]):
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

    def given(self, depth: int, octave: int) -> tuple[T, T | None, T | None]:
        """What that piece of work needs: its state before, and the coarser octave's before and after (None for the coarsest)."""
        with self.changed:
            before = self.done[depth - 1, octave]
            if octave == 0:
                return before, None, None
            return before, self.done[depth - 1, octave - 1], self.done[depth, octave - 1]

    def finish(self, depth: int, octave: int, state: T) -> None:
        """Note a result, and what it makes possible; forget what nobody needs any more."""
        with self.changed:
            self.done[depth, octave] = state
            if octave >= self.n_first:
                self.n_finer_free += 1
            for later in ((depth, octave + 1), (depth + 1, octave)):
                if self._possible(*later):
                    heapq.heappush(self.ready, (later[1] >= self.n_first, *later))
            if octave == self.n_octaves - 1:
                self.reached[depth] = tuple(self.done[depth, index] for index in range(self.n_first, self.n_octaves))
                self.n_left -= 1
                self._forget(depth - 1, self.n_first, self.n_octaves)
            elif octave == self.n_first - 1:
                # its own states stay: the octaves that did not run ahead go on from them
                self._forget(depth - 1, 0, octave)
            self.changed.notify_all()

    def await_depth(self, depth: int) -> tuple[T, ...]:
        """The states of a finished depth, handed over; waits. Raises what work raised."""
        with self.changed:
            self.limit = depth + self.ahead
            self.changed.notify_all()
            while depth not in self.reached:
                self._wait()
            return self.reached.pop(depth)

    def await_first(self, depth: int) -> T:
        """The state of the finest octave that runs ahead; waits. Raises what work raised."""
        with self.changed:
            while (depth, self.n_first - 1) not in self.done:
                self._wait()
            return self.done[depth, self.n_first - 1]

    def stop(self, error: BaseException | None = None) -> None:
        """End all lanes after what they are at."""
        with self.changed:
            self.error = self.error or error
            self.stopped = True
            self.changed.notify_all()

    def _wait(self) -> None:
        if self.error is not None:
            raise self.error
        self.changed.wait()

    def _may_begin(self, piece: tuple[bool, int, int]) -> bool:
        finer, depth, _ = piece
        return not finer or (self.n_first_left == 0 and self.n_finer_free > 0 and depth <= self.limit)

    def _possible(self, depth: int, octave: int) -> bool:
        inside = depth <= self.n_depths and octave < self.n_octaves
        coarser_done = octave == 0 or (depth, octave - 1) in self.done
        return inside and coarser_done and (depth - 1, octave) in self.done

    def _forget(self, depth: int, first: int, end: int) -> None:
        for octave in range(first, end):
            self.done.pop((depth, octave), None)


def wavefront(
    states: list[T],
    n_depths: int,
    work: Callable[[int, int, T, T | None, T | None], T],
    n_lanes: int,
    *,
    n_first: int = 0,
    n_finer_lanes: int | None = None,
    begun: int = 0,
    ahead: int = AHEAD,
) -> Generator[Reached[T], None, None]:
    """Yield every depth as it is reached, computed by n_lanes threads.

    First depth 1 .. n_depths of the n_first coarsest octaves, which run ahead (n_first: below the number of octaves); then
    depth begun + 1 .. n_depths of the others. states: one per octave, coarsest first, taken over (the list is emptied, so
    that a state's memory goes back when it is no longer needed); those that run ahead at depth 0, the others at depth
    `begun`. work(depth, octave, before, coarser_before, coarser_after) gives that octave's state at that depth (None, None
    for the coarsest); it must not change what it is given. What it raises is raised here. n_finer_lanes:
    how many of the lanes may work on octaves that do not run ahead, None for all. ahead: depths that may be begun beyond the one
    asked for. Closing the generator ends the threads after the piece they are at.
    """
    if not 0 <= n_first < len(states) or not 0 <= begun <= n_depths:
        raise ValueError(f"{n_first} of {len(states)} octaves cannot run ahead of depth {begun} of {n_depths}")
    board = _Board(states, n_depths, n_first, begun, ahead, n_lanes if n_finer_lanes is None else n_finer_lanes)
    states.clear()

    def lane() -> None:
        try:
            while (place := board.take()) is not None:
                before, coarser_before, coarser_after = board.given(*place)
                state = work(*place, before, coarser_before, coarser_after)
                # nothing large is held while others go on, or while this lane waits
                del before, coarser_before, coarser_after
                board.finish(*place, state)
                del state
        except BaseException as error:  # noqa: BLE001  carried to whoever asks for the frames
            board.stop(error)

    threads = [threading.Thread(target=lane, name=f"dream lane {index}", daemon=True) for index in range(n_lanes)]
    for thread in threads:
        thread.start()
    try:
        for depth in range(1, n_depths + 1) if n_first else ():
            yield Reached(depth, False, (board.await_first(depth),))
        for depth in range(begun + 1, n_depths + 1):
            yield Reached(depth, True, board.await_depth(depth))
    finally:
        board.stop()
        for thread in threads:
            thread.join()
