"""What is no longer needed, taken away without stopping the picture: by Python's garbage collector, and by the system's allocator."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from ..memory import give_free_memory_back

#: new objects that live on before the young ones are looked through: some tenths of a millisecond
YOUNG = 2000
#: how many of those looks before the middle-aged are looked through, too
YOUNG_PER_MIDDLE = 10
#: moments of time, one a display frame, between two at which free memory is given back: ten seconds; it takes .2 ms
GIVE_BACK_EVERY = 600


class Sweep:
    """Collects the young objects between two display frames. The old ones are left alone: looking through them takes long."""

    def __init__(self) -> None:
        self._n_young = self._n_moments = 0

    def rest(self) -> None:
        """There is a moment of time."""
        self._n_moments += 1
        if self._n_moments % GIVE_BACK_EVERY == 0:
            give_free_memory_back()
        if gc.get_count()[0] < YOUNG:
            return
        self._n_young += 1
        gc.collect(1 if self._n_young % YOUNG_PER_MIDDLE == 0 else 0)

    def all(self) -> None:
        """There is time for more: nothing is to be seen, or the picture is changing anyway."""
        gc.collect()
        give_free_memory_back()


@contextmanager
def no_pauses() -> Iterator[Sweep]:
    """While this lasts the collector works only when its `Sweep` is told to.

    What is there already is set aside: it will not be looked through again.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield Sweep()
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
