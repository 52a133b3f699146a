"""Several octaves at once: while the finest works on one depth, the coarser ones already go on with the next.

An octave needs its own state at the depth before, and the coarser octave's change at the same depth. So work on
(depth, octave) may go on beside (depth + 1, a coarser octave), each on its own core, and no core waits for another hundreds
of times in a step as it does when both share every convolution.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

#: depths that may be begun beyond the last one asked for: enough to keep the lanes busy, and a bound for memory
AHEAD = 3


class _Board(Generic[T]):
    """What is done, and what may be begun: (depth, octave), both counted from 0; depth 0 is where the ascent starts."""

    def __init__(self, states: Sequence[T], n_depths: int) -> None:
        self.changed = threading.Condition()
        self.n_octaves, self.n_depths = len(states), n_depths
        self.done: dict[tuple[int, int], T] = {(0, octave): state for octave, state in enumerate(states)}
        self.ready: list[tuple[int, int]] = [(1, 0)]  # a heap: what is asked for first comes first
        self.limit = AHEAD
        self.stopped = False
        self.error: BaseException | None = None

    def take(self) -> tuple[int, int] | None:
        """The next piece of work; waits for one. None when there is nothing more to do."""
        with self.changed:
            while not self.stopped:
                if self.ready and self.ready[0][0] <= self.limit:
                    return heapq.heappop(self.ready)
                if (self.n_depths, self.n_octaves - 1) in self.done:
                    return None
                self.changed.wait()
            return None

    def finish(self, place: tuple[int, int], state: T) -> None:
        """Note a result, and what it makes possible."""
        depth, octave = place
        with self.changed:
            self.done[place] = state
            for later in ((depth, octave + 1), (depth + 1, octave)):
                if self._possible(later):
                    heapq.heappush(self.ready, later)
            self.changed.notify_all()

    def _possible(self, place: tuple[int, int]) -> bool:
        depth, octave = place
        inside = depth <= self.n_depths and octave < self.n_octaves
        coarser_done = octave == 0 or (depth, octave - 1) in self.done
        return inside and coarser_done and (depth - 1, octave) in self.done

    def stop(self, error: BaseException | None = None) -> None:
        """End all lanes after what they are at."""
        with self.changed:
            self.error = self.error or error
            self.stopped = True
            self.changed.notify_all()


def wavefront(
    states: Sequence[T], n_depths: int, work: Callable[[int, int, T, T | None, T | None], T], n_lanes: int
) -> Generator[T, None, None]:
    """The finest state at depth 1, 2, .. n_depths, computed by n_lanes threads.

    states: one per octave at depth 0, coarsest first. work(depth, octave, before, coarser_before, coarser_after) gives that
    octave's state at that depth (None, None for the coarsest); it must not change what it is given. What it raises is
    raised here. Closing the generator ends the threads after the piece they are at.
    """
    board = _Board(states, n_depths)

    def lane() -> None:
        try:
            while (place := board.take()) is not None:
                depth, octave = place
                coarser = (
                    (None, None) if octave == 0 else (board.done[depth - 1, octave - 1], board.done[depth, octave - 1])
                )
                board.finish(place, work(depth, octave, board.done[depth - 1, octave], *coarser))
        except BaseException as error:  # noqa: BLE001  carried to whoever asks for the frames
            board.stop(error)

    lanes = [threading.Thread(target=lane, name=f"dream lane {index}", daemon=True) for index in range(n_lanes)]
    for thread in lanes:
        thread.start()
    try:
        for depth in range(1, n_depths + 1):
            place = (depth, len(states) - 1)
            with board.changed:
                while place not in board.done and not board.stopped:
                    board.changed.wait()
                if board.error is not None:
                    raise board.error
                state = board.done[place]
                # nobody needs these any more: every octave of the depth before has been gone on from
                for octave in range(len(states)):
                    board.done.pop((depth - 2, octave), None)
                board.limit = depth + AHEAD
                board.changed.notify_all()
            yield state
    finally:
        board.stop()
        for thread in lanes:
            thread.join()
