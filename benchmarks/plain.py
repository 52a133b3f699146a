"""The plain preset through the plain look: what is measured of a show is the show, whatever looks the preset has."""

from __future__ import annotations

import dataclasses

from visualizer.presets.loaded import LoadedPreset, open_preset
from visualizer.settings import RenderSettings


def open_plain(size: tuple[int, int]) -> LoadedPreset:
    """The plain preset, crossfaded. size: (width, height) of the dream frames, px."""
    loaded = open_preset(size=size)
    settings = loaded.settings.model_copy(update={"render": RenderSettings()})
    return dataclasses.replace(loaded, settings=settings)
