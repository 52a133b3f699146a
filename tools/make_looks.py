"""Makes the pictures of docs/looks.md: python tools/make_looks.py [NAME ...], all of them if none is named.

Each is a row of dreams of one picture that differ in one setting. Some minutes on two cores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from make_subjects import paint_club, paint_drawing
from PIL import Image

from visualizer.dream import bake
from visualizer.networks import NETWORKS, STAND_IN
from visualizer.settings import DreamSettings
from visualizer.show.look import open_settings
from visualizer.store.image import load_image
from visualizer.store.sheet import Cell, Grid, draw_sheet, grid_of

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures" / "looks"
SIZE = (640, 360)
CELL = (304, 171)
PRESETS = ("aurora", "ridges", "clouds", "marble")
DEPTH = 20

Row = Iterator[Cell]


def subjects() -> dict[str, Callable[[], np.ndarray]]:
    """The pictures dreamt in, by name: (360, 640, 3) uint8 each."""
    folder = ROOT / "docs" / "pictures" / "subjects"
    return {
        "photograph": lambda: load_image(folder / "coffee.jpg", SIZE),
        "portrait": lambda: load_image(folder / "astronaut.jpg", SIZE),
        "cloudscape": lambda: load_image(ROOT / "presets" / "clouds" / "image.jpg", SIZE),
        "drawing": lambda: paint_drawing(*SIZE),
        "club": lambda: paint_club(*SIZE),
    }


def dreamt(image: np.ndarray, settings: DreamSettings, depth_index: int = DEPTH, **options: Any) -> np.ndarray:
    """The dream frame of that depth, (360, 640, 3) uint8."""
    with closing(bake(image, settings, **options)) as frames:
        return next(frame for index, frame in frames if index == depth_index)


def dream_of(preset: str = "clouds", **changes: Any) -> DreamSettings:
    """The preset's settings with some changed."""
    return DreamSettings.model_validate({**open_settings(preset).dream.model_dump(), **changes})


def varied(subject: str, variants: dict[str, dict[str, Any]], preset: str = "clouds") -> Row:
    """A cell for each set of changes, named."""
    image = subjects()[subject]()
    for name, changes in variants.items():
        yield Cell(name, "", dreamt(image, dream_of(preset, **changes)))


def presets_row() -> Row:
    """Each subject, then its dream in each preset's way."""
    for name, open_subject in subjects().items():
        image = open_subject()
        yield Cell(name, "", image)
        for preset in PRESETS:
            yield Cell("", f"{preset}: {dream_of(preset).layer}", dreamt(image, dream_of(preset)))


def layers_row() -> Row:
    """What every layer makes of the portrait."""
    image = subjects()["portrait"]()
    yield Cell("the picture", "", image)
    for layer in NETWORKS[STAND_IN].layers:
        yield Cell(layer.name, layer.dreams, dreamt(image, DreamSettings(layer=layer.name), 12))


def depths_row() -> Row:
    """The club, deeper and deeper."""
    with closing(bake(subjects()["club"](), dream_of("marble"))) as frames:
        for index, frame in frames:
            if index % 4 == 0:
                yield Cell(f"depth {index}" if index else "the picture", "", frame)


def smoothing_row() -> Row:
    """At full size, or the grain would be lost: the middle of the cloudscape."""
    top, left = (SIZE[1] - CELL[1]) // 2, (SIZE[0] - CELL[0]) // 2
    variants = {
        f"{start:g} + {growth:g} px": {"smoothing_px": start, "smoothing_growth_px": growth}
        for start, growth in ((0.0, 0.0), (0.5, 0.5), (0.9, 1.3), (2.5, 2.5))
    }
    for cell in varied("cloudscape", variants):
        yield cell._replace(picture=cell.picture[top : top + CELL[1], left : left + CELL[0]])


def guide_row() -> Row:
    """The cloudscape, dreamt towards what is seen in other pictures."""
    image = subjects()["cloudscape"]()
    settings = dream_of(layer="block11.expand")
    yield Cell("no guide", "", dreamt(image, settings))
    for name in ("photograph", "portrait", "drawing"):
        yield Cell(f"guide: the {name}", "", dreamt(image, settings, guide=subjects()[name]()))


def one_setting(subject: str, key: str, *values: Any, preset: str = "clouds") -> Callable[[], Row]:
    """A row in which only that setting changes."""
    return lambda: varied(subject, {f"{key}: {value}": {key: value} for value in values}, preset)


#: name -> title, remark, cells
ROWS: dict[str, tuple[str, str, Callable[[], Row]]] = {
    "presets": ("Five pictures, four presets", f"depth {DEPTH}", presets_row),
    "layers": ("layer", "depth 12", layers_row),
    "depths": ("depth", "marble's settings", depths_row),
    "colour": ("colour", "block10.expand", one_setting("photograph", "colour", 0.0, 0.25, 0.6, 1.0)),
    "octaves": ("n_octaves", "block10.expand", one_setting("cloudscape", "n_octaves", 1, 3, 5, 7)),
    "intensity": (
        "step_size",
        "block8.expand",
        one_setting("portrait", "step_size", 0.002, 0.005, 0.01, 0.02, preset="ridges"),
    ),
    "smoothing": ("smoothing_px + smoothing_growth_px", "block10.expand, at full size", smoothing_row),
    "blend": ("blend", "block10.expand", one_setting("cloudscape", "blend", 0.0, 0.2, 0.5, 0.9)),
    "channels": (
        "channels",
        "block12.expand",
        one_setting("portrait", "channels", "all", "0:3", "100:120", "640", preset="marble"),
    ),
    "several": (
        "several layers",
        "their weights",
        lambda: varied(
            "photograph",
            {
                "block6 alone": {"layer": "block6.expand"},
                "block6 3, block12 1": {"layer": {"block6.expand": 3.0, "block12.expand": 1.0}},
                "block6 1, block12 3": {"layer": {"block6.expand": 1.0, "block12.expand": 3.0}},
                "block12 alone": {"layer": "block12.expand"},
            },
        ),
    ),
    "guide": ("guide", "block11.expand", guide_row),
}
SMALL = {"presets": (224, 126), "layers": (272, 153)}


def main() -> None:
    """Dream, and write the sheets."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or ROWS:
        if name not in ROWS:
            sys.exit(f"no picture is called {name!r}; there are: {', '.join(ROWS)}")
        title, remark, row = ROWS[name]
        cells = list(row())
        size = SMALL.get(name, CELL)
        grid = {4: Grid(1, 4, 1), 6: Grid(1, 3, 2), 25: Grid(1, 5, 5)}.get(len(cells)) or grid_of(len(cells), 16 / 9)
        file = OUT / f"{name}.jpg"
        Image.fromarray(draw_sheet(title, remark, cells, size, grid)).save(file, quality=82, optimize=True)
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
