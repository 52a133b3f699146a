"""Listing the dreams in the cache, and removing some, for the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, VisualizerError, nearest
from ..oneline import plain
from .cache import Entry
from .dreams import open_cache

DAY_S = 86_400.0


@dataclass(frozen=True)
class CacheListing:
    """Dreams in the cache, the most recently used first; folder: the cache's; max_bytes: the largest size of all
    dreams.
    """

    entries: list[Entry]
    folder: Path
    max_bytes: int

    @property
    def n_bytes(self) -> int:
        """The size of these dreams."""
        return sum(entry.n_bytes for entry in self.entries)


def describe_entry(entry: Entry) -> tuple[str, str, str, str]:
    """Preset, layer, size and depths of a dream as text; "?" where it has no note."""
    note = entry.note
    if note is None:
        return "?", "?", "?", str(max(0, entry.n_frames - 1))
    done = max(0, entry.n_frames - 1)
    depths = str(done) if done == note.n_depths else f"{done} of {note.n_depths}"
    preset = f"{note.preset}, {note.image}" if note.image else note.preset
    return plain(preset), plain(note.layer), f"{note.width}x{note.height}", depths


def list_cached(preset: str | None = None, older_than_days: float | None = None) -> CacheListing:
    """The dreams in the cache, or those of one preset, or those not used for so many days. Raises BadInput,
    VisualizerError.
    """
    if older_than_days is not None and not (math.isfinite(older_than_days) and older_than_days >= 0):
        raise BadInput(f"--older-than {older_than_days:g} cannot be used; allowed: 0 or more days")
    cache = open_cache()
    entries = cache.entries()
    if preset is not None:
        known = {entry.note.preset for entry in entries if entry.note is not None}
        if preset not in known:
            raise BadInput(f"no dream of a preset {preset!r} is in the cache{nearest(preset, known)}")
        entries = [entry for entry in entries if entry.note is not None and entry.note.preset == preset]
    if older_than_days is not None:
        entries = [entry for entry in entries if entry.age_s > older_than_days * DAY_S]
    return CacheListing(entries, cache.folder, cache.max_bytes)


def clear_cached(listed: CacheListing) -> None:
    """Remove these dreams from the cache. Raises VisualizerError if some cannot be removed."""
    cache = open_cache()
    n_left = sum(not cache.remove(entry.key) for entry in listed.entries)
    if n_left:
        raise VisualizerError(
            f"{n_left} of {len(listed.entries)} dreams cannot be removed from {cache.folder}; see who owns them (ls -ld)"
        )
