"""What is shown: a preset with the user's image, size and seed put in its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from ..settings import DEFAULT_PRESET, DEFAULT_SIZE, Preset
from ..store.image import load_image
from ..store.presets import load_preset


@dataclasses.dataclass(frozen=True)
class Look:
    """A preset ready to be dreamt. image: (height, width, 3) uint8 sRGB, depth 0 of the dream."""

    name: str
    settings: Preset
    image: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the dream frames, px."""
        height, width = self.image.shape[:2]
        return width, height


def open_look(
    preset: str = DEFAULT_PRESET,
    *,
    image: Path | None = None,
    size: tuple[int, int] = DEFAULT_SIZE,
    seed: int | None = None,
) -> Look:
    """The preset of that name or folder; `image` and `seed` replace the preset's own. Raises BadInput."""
    found = load_preset(preset)
    settings = found.preset
    if seed is not None:
        settings = settings.model_copy(update={"dream": settings.dream.model_copy(update={"seed": seed})})
    return Look(found.name, settings, load_image(image if image is not None else found.image_path, size))


def open_settings(preset: str = DEFAULT_PRESET) -> Preset:
    """Only the settings of a preset: for work that shows nothing. Raises BadInput."""
    return load_preset(preset).preset
