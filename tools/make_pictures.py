"""Makes the pictures of the README from the shipped presets: python tools/make_pictures.py

docs/pictures/depths.jpg: eight depths of the default preset; docs/pictures/presets.jpg: each preset's image and its dream.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visualizer.show.dreams import Dreams, open_cache
from visualizer.show.look import open_look

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"
SIZE = (1280, 720)
DEPTHS = (0, 2, 4, 7, 10, 13, 16, 20)
PRESETS = ("clouds", "ridges", "aurora", "marble")


def frames_of(preset: str) -> tuple[str, list[np.ndarray]]:
    """Title and dream frames, (720, 1280, 3) uint8 each, of a preset."""
    look = open_look(preset, size=SIZE)
    return look.settings.title, [placed.frame for placed in Dreams(look, open_cache()).placed()]


def sheet(cells: list[tuple[str, np.ndarray]], columns: int, cell: tuple[int, int]) -> Image.Image:
    """Labelled pictures side by side."""
    gap, width, height = 6, *cell
    rows = -(-len(cells) // columns)
    page = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), "white")
    font = ImageFont.load_default(22)
    for index, (label, pixels) in enumerate(cells):
        corner = (index % columns * (width + gap), index // columns * (height + gap))
        page.paste(Image.fromarray(pixels).resize(cell, Image.Resampling.LANCZOS), corner)
        at = (corner[0] + 12, corner[1] + height - 36)
        ImageDraw.Draw(page).text(at, label, "white", font, stroke_width=2, stroke_fill="black")
    return page


def main() -> None:
    """Bake what is not cached, and write the sheets."""
    OUT.mkdir(parents=True, exist_ok=True)
    dreams = {name: frames_of(name) for name in PRESETS}
    _, clouds = dreams["clouds"]
    depths = sheet([(f"depth {depth}", clouds[depth]) for depth in DEPTHS], 4, (400, 225))
    depths.save(OUT / "depths.jpg", quality=88)
    cells = [(f"{title}, depth {depth}", frames[depth]) for depth in (0, 8, 20) for title, frames in dreams.values()]
    sheet(cells, 4, (400, 225)).save(OUT / "presets.jpg", quality=88)


if __name__ == "__main__":
    main()
