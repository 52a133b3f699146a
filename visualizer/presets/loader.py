"""Loading other presets while the show runs: opened, baked and released in a thread of its own, never in the drawing
thread.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..clock import Stopwatch
from ..errors import VisualizerError
from ..oneline import preset_label
from . import dreams as dreams_room
from .cache import FrameCache
from .dreams import FrameSource
from .loaded import LoadedPreset, Overrides, open_preset
from .preset import preset_names

log = logging.getLogger(__name__)

#: pause between two presets being opened: stepping through the list quickly does not start a bake for each
SETTLE_S = 0.4
#: a dream setting must have been unchanged for this long before it is baked: every bake begins by loading torch
STILL_S = 0.7


@dataclass(frozen=True)
class OpenedPreset:
    """A preset ready to be shown, and its dream frames as they come."""

    loaded: LoadedPreset
    dreams: FrameSource


class PresetLoader:
    """Opens presets in a thread. Only the newest request counts; at most one bake runs for it.

    Presets are named by their references, see `PresetFolder`.
    wanted: the preset asked for last.
    """

    def __init__(
        self,
        loaded: LoadedPreset,
        cache: FrameCache,
        *,
        names: Callable[[], list[str]] = preset_names,
        start: Callable[[LoadedPreset, FrameCache], FrameSource] = dreams_room.start,
    ) -> None:
        """loaded: the preset shown first; later ones get its size and, where the user asked for them, its image, its
        seed and its journey. If it was opened from a folder that is not on the list of presets, it becomes the last of
        `names`. names: gives the presets that exist. start: begins to bake a preset.
        """
        self.wanted = loaded.reference
        self._first = loaded.reference
        self._shown = loaded.reference, loaded.overrides  # of the preset handed out last
        # the preset whose dream settings change: never one that could not be opened
        self._dream_preset = loaded.reference
        self._size = loaded.size
        self._dream: dict[str, float | str] = dict(loaded.overrides.dream)
        self._keeps_overrides = False  # True while only dream settings change: the network asked for at first stays
        self._overrides = Overrides(
            image=loaded.overrides.image, seed=loaded.overrides.seed, journey=loaded.overrides.journey
        )
        self._cache = FrameCache(cache.folder, cache.max_bytes)  # one of its own: a cache remembers what failed
        self._list, self._start = names, start
        self._names = self._listed()
        self._changed = threading.Condition()
        self._open: str | LoadedPreset | None = None
        self._dream_set_at: Stopwatch | None = None
        self._opens = False
        self._opened: OpenedPreset | None = None
        self._fault: str | None = None
        self._released: list[FrameSource] = []
        self._ended = False
        self._thread: threading.Thread | None = None

    def want(self, reference: str) -> None:
        """Ask for a preset. The one asked for already is read again from its files."""
        self._dream, self._keeps_overrides = {}, False
        self.wanted = self._dream_preset = reference
        with self._changed:
            self._open, self._fault, self._dream_set_at = reference, None, None
            self._wake()

    def set_dream(self, values: Mapping[str, float | str]) -> None:
        """Bake the same preset with these dream settings, once they stay unchanged for STILL_S. values: all set by
        hand, by name.
        """
        self._dream, self._keeps_overrides = dict(values), True
        with self._changed:
            self._open, self._dream_set_at = self._dream_preset, Stopwatch()
            self._wake()

    def list_again(self) -> None:
        """Look up again which presets exist."""
        self._names = self._listed()

    def load_again(self, loaded: LoadedPreset) -> None:
        """Fetch the dream frames of a preset again, after the graphics context was lost. Its files are not read
        again.
        """
        with self._changed:
            if self._open is None:
                self._open = loaded
            self._wake()

    @property
    def names(self) -> list[str]:
        """The presets that exist, as last looked up."""
        return self._names

    @property
    def opening(self) -> str:
        """The preset being opened, "" if none is."""
        return self.wanted if self._open is not None or self._opens else ""

    def poll(self) -> OpenedPreset | None:
        """The preset that has been opened since the last call, if any."""
        if self._opened is None:  # without the lock: this is called every display frame
            return None
        with self._changed:
            opened, self._opened = self._opened, None
        if opened is not None:
            self._shown = opened.loaded.reference, opened.loaded.overrides
        return opened

    def fault(self) -> str | None:
        """Why a preset could not be opened; each fault is returned once."""
        if self._fault is None:
            return None
        with self._changed:
            fault, self._fault = self._fault, None
        if fault is not None:  # the preset shown stays as it is
            self._dream_preset, self._dream = self._shown[0], dict(self._shown[1].dream)
        return fault

    def release(self, dreams: FrameSource) -> None:
        """Stop a bake, on the loader's thread, since its process takes a moment to end."""
        with self._changed:
            self._released.append(dreams)
            self._wake()

    def close(self) -> None:
        """Stop what is under way and release what was opened."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._opened is not None:
            self._opened.dreams.close()
        for dreams in self._released:
            dreams.close()

    def _listed(self) -> list[str]:
        """The presets that exist: those on the list, and the folder that the show started with if it is not among
        them.
        """
        names, first = self._list(), self._first
        return names if first in names or preset_label(first) == first else [*names, first]

    def _wake(self) -> None:
        """Start the thread if need be and notify it. The caller holds the lock."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="presets", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        watch: Stopwatch | None = None  # since a preset was last opened
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._released or self._open is not None)
                if self._ended:
                    return
                released, self._released = self._released, []
                left_s = SETTLE_S - watch.elapsed_s() if watch is not None else 0.0
                if self._dream_set_at is not None:
                    left_s = max(left_s, STILL_S - self._dream_set_at.elapsed_s())
                name = None
                if not released and left_s > 0:
                    self._changed.wait(left_s)
                elif not released:
                    name, self._open, self._dream_set_at = self._open, None, None
                    self._opens = True
            _close(released)
            if name is not None:
                self._try(name)
                watch = Stopwatch()
            self._opens = False

    def _try(self, wanted: str | LoadedPreset) -> None:
        name = wanted if isinstance(wanted, str) else wanted.reference
        try:
            loaded = (
                wanted
                if isinstance(wanted, LoadedPreset)
                else open_preset(name, size=self._size, overrides=self._overrides_for(name))
            )
            self._names = self._listed()
            if self._open is not None:  # another was asked for meanwhile
                return
            opened = OpenedPreset(loaded, self._start(loaded, self._cache))
        except VisualizerError as error:
            log.warning("preset %s: %s", name, error)
            self._report(f"{error}; the picture stays as it was")
        except Exception as error:
            log.exception("preset %s cannot be opened", name)
            self._report(
                f"preset {preset_label(name)} cannot be shown ({type(error).__name__}); the picture stays as it was"
            )
        else:
            with self._changed:
                replaced, self._opened = self._opened, opened
            if replaced is not None:
                replaced.dreams.close()

    def _overrides_for(self, name: str) -> Overrides:
        if not self._keeps_overrides:
            return self._overrides
        shown, its_overrides = self._shown
        overrides = its_overrides if name == shown else self._overrides
        return dataclasses.replace(overrides, dream=tuple(self._dream.items()))

    def _report(self, fault: str) -> None:
        with self._changed:
            if self._open is None:  # else another was asked for meanwhile
                self._fault = fault


def _close(released: list[FrameSource]) -> None:
    """Close these dreams and empty the list: their frames are tens of megabytes, and no reference may remain."""
    while released:
        try:
            released.pop().close()
        except Exception:
            log.exception("a bake could not be stopped")
