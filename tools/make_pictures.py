"""Makes the pictures of the README from the shipped presets: python tools/make_pictures.py

docs/pictures/depths.jpg: eight depths of the default preset; docs/pictures/presets.jpg: each preset's dream, its image
in a corner; of a preset with several variants, a strip of each; docs/pictures/demo.webp: some seconds of the bundled
song as it is exported; docs/pictures/journey.webp: the same of a journey, some zooms of it, with the preset worlds.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.loaded import LoadedPreset, open_preset
from visualizer.resources import shipped
from visualizer.settings import DEFAULT_PRESET
from visualizer.show.export import VideoOptions, export

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"
SIZE = (1280, 720)
DEPTHS = (0, 2, 4, 7, 10, 13, 16, 20)
PRESETS = ("clouds", "ridges", "aurora", "marble", "club", "first")
DEPTH = 20
#: of the exported song, 30 display frames a second: from a kick to the last one before another; every second is kept
MOVING = range(613, 718, 2)
#: the same of a journey: from its beginning on, ten a second
TRAVELLING = range(120, 600, 3)
JOURNEY_SIZE = (640, 360)


def frames_of(loaded: LoadedPreset) -> list[list[np.ndarray]]:
    """The dream frames of a preset, variant by variant, (720, 1280, 3) uint8 each."""
    frames: list[list[np.ndarray]] = [[] for _ in loaded.variants]
    for placed in Dreams(loaded, open_cache()).frames():
        frames[placed.variant].append(placed.frame)
    return frames


def strips(pictures: list[np.ndarray]) -> np.ndarray:
    """One picture, from left to right a strip of each."""
    edges = np.linspace(0, pictures[0].shape[1], len(pictures) + 1).round().astype(int)
    parts = [picture[:, left:right] for picture, (left, right) in zip(pictures, pairwise(edges), strict=True)]
    return np.concatenate(parts, axis=1)


def shown(pixels: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """A picture at that size."""
    return Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)


def preset_cell(name: str, size: tuple[int, int]) -> tuple[str, Image.Image]:
    """A preset's title, and its deepest dream with the image in the corner."""
    loaded = open_preset(name, size=SIZE)
    cell = shown(strips([frames[DEPTH] for frames in frames_of(loaded)]), size)
    inset = (round(size[0] * 0.27), round(size[1] * 0.27))
    left, top = size[0] - inset[0] - 10, size[1] - inset[1] - 10
    ImageDraw.Draw(cell).rectangle((left - 2, top - 2, left + inset[0] + 1, top + inset[1] + 1), fill="white")
    cell.paste(shown(loaded.image, inset), (left, top))
    title = loaded.settings.title
    stand_in = NETWORKS[DEFAULT_NETWORK].title.partition("-")[0]
    return f"{title} ({stand_in})" if loaded.news else title, cell


def sheet(cells: list[tuple[str, Image.Image]], n_columns: int, text_px: int = 22) -> Image.Image:
    """Labelled pictures of one size side by side."""
    gap, (width, height) = 6, cells[0][1].size
    n_rows = -(-len(cells) // n_columns)
    page = Image.new("RGB", (n_columns * (width + gap) - gap, n_rows * (height + gap) - gap), "white")
    font = ImageFont.load_default(text_px)
    for index, (label, picture) in enumerate(cells):
        corner = (index % n_columns * (width + gap), index // n_columns * (height + gap))
        page.paste(picture, corner)
        at = (corner[0] + 12, corner[1] + height - text_px - 14)
        ImageDraw.Draw(page).text(at, label, "white", font, stroke_width=2, stroke_fill="black")
    return page


def moving(loaded: LoadedPreset, which: range, size: tuple[int, int]) -> list[Image.Image]:
    """Display frames of the bundled song, as a video of it has them. which: their numbers, 30 a second."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "demo.mp4"
        part = VideoOptions(to_s=which.stop / 30)
        for _ in export(shipped("demo") / "song.opus", video, loaded, open_cache(), part):
            pass
        with av.open(str(video)) as container:
            pictures = enumerate(container.decode(video=0))
            return [shown(frame.to_ndarray(format="rgb24"), size) for index, frame in pictures if index in which]


def save_moving(pictures: list[Image.Image], path: Path, *, ms: int, quality: int) -> None:
    """Save pictures that follow each other after so many ms."""
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, duration=ms, loop=0, quality=quality, method=4)


def main() -> None:
    """Bake what is not cached, and write the sheets; with the argument "journey" only the moving picture of one."""
    OUT.mkdir(parents=True, exist_ok=True)
    if "journey" in sys.argv[1:]:
        loaded = open_preset("worlds", size=JOURNEY_SIZE)
        save_moving(moving(loaded, TRAVELLING, (448, 252)), OUT / "journey.webp", ms=100, quality=38)
        return
    frames = frames_of(open_preset(DEFAULT_PRESET, size=SIZE))[0]
    depths = sheet([(f"depth {depth}", shown(frames[depth], (400, 225))) for depth in DEPTHS], 4)
    depths.save(OUT / "depths.jpg", quality=86, optimize=True)
    presets = sheet([preset_cell(name, (536, 302)) for name in PRESETS], 3)
    presets.save(OUT / "presets.jpg", quality=86, optimize=True)
    demo = moving(open_preset(DEFAULT_PRESET, size=SIZE), MOVING, (512, 288))
    save_moving(demo, OUT / "demo.webp", ms=67, quality=45)


if __name__ == "__main__":
    main()
