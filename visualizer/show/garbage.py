"""When Python's garbage collector and the system's allocator work in a show: between two display frames."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from ..memory import give_free_memory_back

#: a collection of the youngest generation begins at this many new objects: some tenths of a millisecond
N_YOUNG = 2000
#: collections of the youngest generation until the middle one is collected, too
YOUNG_PER_MIDDLE = 10
#: display frames between two moments at which free memory is returned to the system, which takes 0.2 ms: ten seconds
RETURN_EVERY = 600


class Collection:
    """Collects garbage when it is called. It never searches the oldest generation, which takes long."""

    def __init__(self) -> None:
        self._n_collections = self._n_calls = 0

    def collect_some(self) -> None:
        """Call once a display frame, when nothing is urgent."""
        self._n_calls += 1
        if self._n_calls % RETURN_EVERY == 0:
            give_free_memory_back()
        if gc.get_count()[0] < N_YOUNG:
            return
        self._n_collections += 1
        gc.collect(1 if self._n_collections % YOUNG_PER_MIDDLE == 0 else 0)

    def collect_all(self) -> None:
        """Call when there is time for more: nothing is seen, or the picture is changing anyway."""
        gc.collect()
        give_free_memory_back()


@contextmanager
def scheduled_collection() -> Iterator[Collection]:
    """Switch the automatic garbage collector off; meanwhile the `Collection` works when it is called.

    Objects that exist already are never searched again.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield Collection()
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
