"""Makes the pictures of docs/looks.md: python tools/make_looks.py [NAME ...], all of them if none is named.

Each is a row of dreams of one picture that differ in one setting. presets_now, and layers_NAME and depths_NAME of each
of five pictures, are written to docs/looks. Some minutes on two cores.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from make_subjects import paint_club, paint_drawing
from PIL import Image

from visualizer.dream.baking import bake
from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.presets.contact_sheet import Cell, Grid, draw_sheet
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.image import load_image
from visualizer.presets.loaded import open_preset, open_settings
from visualizer.settings import BOUNDS, DreamSettings

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures" / "looks"
SHEETS = ROOT / "docs" / "looks"
SIZE = (640, 360)
CELL = (304, 171)
PRESETS = ("aurora", "ridges", "clouds", "marble")
ALL_PRESETS = ("clouds", "ridges", "aurora", "marble", "club", "first")
DEPTH = 20
#: a preset's palette would hide what other settings do to colours
OWN_COLOURS: dict[str, Any] = {"tone": "image"}
#: sheets are no larger, bytes
LARGEST = 290_000

Row = Iterator[Cell]


@functools.cache
def subject(name: str) -> np.ndarray:
    """A picture to dream in, (360, 640, 3) uint8."""
    folder = ROOT / "docs" / "pictures" / "subjects"
    return SUBJECTS[name](folder)


SUBJECTS: dict[str, Callable[[Path], np.ndarray]] = {
    "photograph": lambda folder: load_image(folder / "coffee.jpg", SIZE),
    "portrait": lambda folder: load_image(folder / "astronaut.jpg", SIZE),
    "cloudscape": lambda _: load_image(ROOT / "presets" / "clouds" / "image.jpg", SIZE),
    "drawing": lambda _: paint_drawing(*SIZE),
    "club": lambda _: paint_club(*SIZE),
}


def dreamt(name: str, settings: DreamSettings, depth: int = DEPTH, guide: str | None = None) -> np.ndarray:
    """The dream frame of a subject at a depth, (360, 640, 3) uint8. guide: another subject."""
    return dreamt_depths(name, settings.model_dump_json(), depth, guide)[depth]


@functools.cache  # several rows show the same dream
def dreamt_depths(name: str, settings: str, deepest: int, guide: str | None) -> list[np.ndarray]:
    """All dream frames up to the deepest asked for."""
    seen = None if guide is None else subject(guide)
    with closing(bake(subject(name), DreamSettings.model_validate_json(settings), guide=seen)) as frames:
        found = []
        for index, frame in frames:
            found.append(frame)
            if index == deepest:
                break
    return found


def changed(settings: DreamSettings, **changes: Any) -> DreamSettings:
    """The settings with some changed."""
    return DreamSettings.model_validate({**settings.model_dump(), **changes})


def dream_of(preset: str = "clouds", **changes: Any) -> DreamSettings:
    """The preset's settings with the image's colours, and the changes."""
    return changed(open_settings(preset).dream, **{**OWN_COLOURS, **changes})


def varied(name: str, cells: dict[str, dict[str, Any]], preset: str = "clouds") -> Row:
    """A cell for each set of changes to a preset's settings, named."""
    for label, changes in cells.items():
        yield Cell(label, "", dreamt(name, dream_of(preset, **changes)))


def usual(name: str, cells: dict[str, dict[str, Any]]) -> Row:
    """The same for changes to the default settings."""
    for label, changes in cells.items():
        yield Cell(label, "", dreamt(name, changed(DreamSettings(), **changes)))


def presets_row() -> Row:
    """Each subject, then its dream in each preset's way."""
    for name in SUBJECTS:
        yield Cell(name, "", subject(name))
        for preset in PRESETS:
            dream = open_settings(preset).dream
            yield Cell("", f"{preset}: {dream.layer}", dreamt(name, dream))


def now_row() -> Row:
    """Every preset, each of its variants, at two depths."""
    for preset in ALL_PRESETS:
        loaded = open_preset(preset, size=SIZE)
        dreams = Dreams(loaded, open_cache())
        frames = {(one.variant, one.depth_index): one.frame for one in dreams.frames()}
        for number in range(len(loaded.variants)):
            label = f"{preset} {number + 1}" if len(loaded.variants) > 1 else preset
            for depth in (10, DEPTH):
                yield Cell(label, f"depth {depth}", frames[number, depth])


def layers_row(name: str, base: DreamSettings) -> Row:
    """What each layer dreams in a subject."""
    yield Cell("the picture", "", subject(name))
    for layer in NETWORKS[DEFAULT_NETWORK].layers:
        yield Cell(layer.name, layer.dreams, dreamt(name, changed(base, layer=layer.name), 12))


def depths_row(name: str = "photograph", preset: str = "marble", every: int = 4) -> Row:
    """A subject, deeper and deeper."""
    frames = dreamt_depths(name, open_settings(preset).dream.model_dump_json(), DEPTH, None)
    for depth in range(0, DEPTH + 1, every):
        yield Cell(f"depth {depth}" if depth else "the picture", "", frames[depth])


def variants_row() -> Row:
    """The dreams of the club preset: depth (the kick) from left to right, variants (mids and highs) from top to
    bottom.
    """
    preset = open_settings("club")
    for number, settings in enumerate([preset.dream, *preset.variants], start=1):
        frames = dreamt_depths("club", settings.model_dump_json(), DEPTH, None)
        for depth in (0, 5, 12, 20):
            words = " + ".join(settings.layers).replace(".expand", "")
            yield Cell(f"variant {number}, depth {depth}", words if depth else "", frames[depth])


def light_row() -> Row:
    """How dreaming changes the brightness of a dark picture and of a bright one."""
    for name, preset in (("club", "club"), ("drawing", "clouds")):
        yield Cell(f"the {name}", lightness(subject(name)), subject(name))
        for colour in (0.0, open_settings(preset).dream.colour, 1.0):
            frame = dreamt(name, dream_of(preset, colour=colour))
            yield Cell(f"colour: {colour}", lightness(frame), frame)


def lightness(frame: np.ndarray) -> str:
    """The brightness of a picture: the mean of its stored values as a fraction of white."""
    return f"light {frame.mean() / 2.55:.1f} %"


def smoothing_row() -> Row:
    """With and without."""
    now = DreamSettings()
    cells = {
        f"{start:g} + {growth:g} px": {"smoothing_px": start, "smoothing_growth_px": growth}
        for start, growth in ((0.0, 0.0), (1.8, 2.0), (now.smoothing_px, now.smoothing_growth_px), (8.0, 8.0))
    }
    yield from middles(varied("cloudscape", cells))


def tone_row() -> Row:
    """One dream in four palettes."""
    cells: dict[str, dict[str, Any]] = {
        "tone: image": {"tone": "image"},
        "tone: complementary": {"tone": "complementary"},
    }
    for colours in (["#2b1b4d", "#d9455f", "#ffd08a"], ["#2a1060", "#1d8fae", "#b8ffd9"]):
        cells["duotone: " + " ".join(colours)] = {"tone": "duotone", "tone_colours": colours}
    yield from usual("cloudscape", cells)


def bounds_row() -> Row:
    """Calm, as usual, and without bounds."""
    now = DreamSettings()
    cells = {
        label: {name: getattr(now, name) * factor for name in BOUNDS}
        for label, factor in (("half of the usual bounds", 0.5), ("the usual bounds", 1.0), ("twice those", 2.0))
    }
    yield from usual("cloudscape", {**cells, "no bounds": dict.fromkeys(BOUNDS, 1.0)})


def middles(row: Row) -> Row:
    """The middle of each picture at full size, so that the grain is visible."""
    top, left = (SIZE[1] - CELL[1]) // 2, (SIZE[0] - CELL[0]) // 2
    for cell in row:
        yield cell._replace(picture=cell.picture[top : top + CELL[1], left : left + CELL[0]])


def guide_row() -> Row:
    """The cloudscape with other pictures as guides."""
    settings = dream_of(layer="block11.expand")
    yield Cell("no guide", "", dreamt("cloudscape", settings))
    for name in ("photograph", "portrait", "drawing"):
        yield Cell(f"guide: the {name}", "", dreamt("cloudscape", settings, guide=name))


def one_setting(name: str, key: str, *values: Any, preset: str = "clouds") -> Callable[[], Row]:
    """A row of cells in which only one setting changes."""
    return lambda: varied(name, {f"{key}: {value}": {key: value} for value in values}, preset)


def sizes_row() -> Row:
    """More sizes, then sizes further apart."""
    yield from one_setting("cloudscape", "n_octaves", 1, 3, 5, 7)()
    yield from one_setting("cloudscape", "octave_scale", 1.1, 1.2, 1.4, 2.0)()


def chance_row() -> Row:
    """What the random shifts are for, and what their seed does."""
    yield from middles(one_setting("cloudscape", "jitter_px", 0, 8, 32)())
    yield from middles(one_setting("cloudscape", "seed", 1)())


#: name -> title, remark, cells
ROWS: dict[str, tuple[str, str, Callable[[], Row]]] = {
    "presets": ("Five pictures, four presets", f"depth {DEPTH}", presets_row),
    "layers": ("layer", "depth 12", lambda: layers_row("portrait", dream_of())),
    "depths": ("depth", "marble's settings", depths_row),
    "light": ("light and colour", "block10.expand", light_row),
    "colour": ("colour", "block10.expand", one_setting("photograph", "colour", 0.0, 0.25, 0.6, 1.0)),
    "octaves": ("n_octaves, octave_scale", "block10.expand", sizes_row),
    "blend": ("blend", "block10.expand", one_setting("cloudscape", "blend", 0.0, 0.1, 0.5, 0.9)),
    "intensity": (
        "step_size",
        "block8.expand",
        one_setting("portrait", "step_size", 0.003, 0.01, 0.025, 0.06, preset="ridges"),
    ),
    "steps": (
        "steps_per_depth",
        "block10.expand",
        one_setting("portrait", "steps_per_depth", 1, 2, 4, 8),
    ),
    "tone": ("tone, tone_colours", "block10.expand", tone_row),
    "bounds": ("contrast_growth and the other bounds", "block10.expand", bounds_row),
    "smoothing": ("smoothing_px + smoothing_growth_px", "block10.expand, at full size", smoothing_row),
    "chance": ("jitter_px, seed", "block10.expand, at full size", chance_row),
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
    "variants": ("variants", "the club preset: deeper with the kick, down with mids and highs", variants_row),
}
ROWS["presets_now"] = ("Six presets", "640x360", now_row)
for one in SUBJECTS:
    ROWS[f"layers_{one}"] = (f"layers: the {one}", "depth 12", functools.partial(layers_row, one, DreamSettings()))
    ROWS[f"depths_{one}"] = (f"depths: the {one}", "clouds' settings", functools.partial(depths_row, one, "clouds", 1))
SMALL = {"presets": (224, 126), "sheet": (320, 180), "depths": (224, 126), "layers": (272, 153)}
GRIDS = {
    21: Grid(2, 6, 4),
    4: Grid(1, 4, 1),
    6: Grid(1, 3, 2),
    8: Grid(1, 4, 2),
    12: Grid(1, 4, 3),
    16: Grid(1, 4, 4),
    25: Grid(1, 5, 5),
}


def main() -> None:
    """Dream, and write the sheets."""
    for folder in (OUT, SHEETS):
        folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or ROWS:
        if name not in ROWS:
            sys.exit(f"no picture is called {name!r}; there are: {', '.join(ROWS)}")
        title, remark, row = ROWS[name]
        cells = list(row())
        is_sheet = name.startswith(("presets_", "layers_", "depths_"))
        size = SMALL["depths" if name.startswith("depths_") else "sheet"] if is_sheet else SMALL.get(name, CELL)
        sheet = draw_sheet(title, remark, cells, size, GRIDS[len(cells)])
        file = (SHEETS if is_sheet else OUT) / f"{name}.jpg"
        for quality in range(68 if is_sheet else 82, 40, -2):
            Image.fromarray(sheet).save(file, quality=quality, optimize=True)
            if file.stat().st_size <= LARGEST:
                break
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB", flush=True)


if __name__ == "__main__":
    main()
