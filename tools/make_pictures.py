"""Makes the pictures of the README from the shipped presets: python tools/make_pictures.py [NAME ...]

depths: docs/pictures/depths.jpg, eight depths of the plain preset; presets: docs/pictures/presets.jpg, each preset's
dream, its image in a corner, of a preset with several variants a strip of each, and of worlds a strip of each of the
first stations; journey: docs/pictures/journey.webp, a journey that comes back to its image, with the preset worlds and
a steady beat.
"""

from __future__ import annotations

import dataclasses
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visualizer.beat.features import Features
from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.presets.dreams import Dreams, open_cache
from visualizer.presets.journey import ReadyStations, Stations
from visualizer.presets.loaded import LoadedPreset, Overrides, open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.settings import PLAIN_PRESET
from visualizer.show.stage import Scene, Stage, build_picture

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"
SIZE = (1280, 720)
DEPTHS = (0, 2, 4, 7, 10, 13, 16, 20)
PRESETS = ("clouds", "ridges", "aurora", "marble", "club", "first")
#: a journey of so many stations, a kick at each beat of so many seconds, display frames a second
LOOP, BEATS_PER_STATION, BEAT_S, JOURNEY_FPS = 6, 4, 0.625, 16
JOURNEY_SIZE, JOURNEY_DREAM_SIZE = (480, 270), (960, 540)


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
    cell = shown(strips([frames[-1] for frames in frames_of(loaded)]), size)
    return _with_image(loaded, cell)


def stations_cell(name: str, n_stations: int, size: tuple[int, int]) -> tuple[str, Image.Image]:
    """The title of a preset with a journey, and a strip of the deepest dream of each of its first stations."""
    loaded = open_preset(name, size=SIZE)
    stations = Stations(loaded, open_cache())
    width, height = size[0] // n_stations, size[1]
    whole = Image.new("RGB", size)
    for station in range(n_stations):
        deepest = shown(list(stations.frames(station))[-1].frame, (height * 16 // 9, height))
        left = (deepest.width - width) // 2
        whole.paste(deepest.crop((left, 0, left + width, height)), (station * width, 0))
    return _with_image(loaded, whole)


def _with_image(loaded: LoadedPreset, cell: Image.Image) -> tuple[str, Image.Image]:
    width, height = cell.size
    inset = (round(height * 0.27 * 16 / 9), round(height * 0.27))
    left, top = width - inset[0] - 10, height - inset[1] - 10
    ImageDraw.Draw(cell).rectangle((left - 2, top - 2, left + inset[0] + 1, top + inset[1] + 1), fill="white")
    cell.paste(shown(loaded.image, inset), (left, top))
    title = loaded.settings.title
    stand_in = NETWORKS[DEFAULT_NETWORK].title.partition("-")[0]
    return f"{title} ({stand_in})" if loaded.news else title, cell


def sheet(cells: list[tuple[str, Image.Image]], page_width: int, text_px: int = 22) -> Image.Image:
    """Labelled pictures of one height side by side, as many in a row as fit."""
    gap, height = 6, cells[0][1].height
    corners, x, y = [], 0, 0
    for _, picture in cells:
        if x + picture.width > page_width:
            x, y = 0, y + height + gap
        corners.append((x, y))
        x += picture.width + gap
    page = Image.new("RGB", (page_width, y + height), "white")
    font = ImageFont.load_default(text_px)
    for (label, picture), (x, y) in zip(cells, corners, strict=True):
        page.paste(picture, (x, y))
        at = (x + 12, y + height - text_px - 14)
        ImageDraw.Draw(page).text(at, label, "white", font, stroke_width=2, stroke_fill="black")
    return page


def travelling() -> list[Image.Image]:
    """Display frames of a journey from where its image fills the picture to where it does again, so that the last leads
    into the first.
    """
    loaded = open_preset("worlds", size=JOURNEY_DREAM_SIZE, overrides=Overrides(journey=LOOP))
    assert loaded.journey is not None
    journey = loaded.journey.model_copy(update={"zoom_per_bar": 4 / BEATS_PER_STATION})
    loaded = dataclasses.replace(loaded, settings=loaded.settings.model_copy(update={"journey": journey}))
    n_of_a_station = round(BEATS_PER_STATION * BEAT_S * JOURNEY_FPS)
    n_frames = LOOP * n_of_a_station
    found = []
    with Offscreen(JOURNEY_SIZE) as surface:
        picture = build_picture(loaded, surface, Programs(surface.ctx))
        stage = Stage(surface, Scene(picture, ReadyStations(Stations(loaded, open_cache())), loaded))
        for index in range(2 * n_frames + n_of_a_station):  # the first time round it gets up to speed
            stage.advance(1 / JOURNEY_FPS)
            stage.draw(_at_beat(index / JOURNEY_FPS, loaded.settings.beat.decay), JOURNEY_SIZE)
            if index >= n_frames + n_of_a_station:
                found.append(Image.fromarray(surface.read().copy()))
        stage.release()
    return found


def _at_beat(time_s: float, decay: float) -> Features:
    """What is heard of a steady beat."""
    beats = time_s / BEAT_S
    phase = beats % 1
    return Features(
        time_s=time_s,
        level=decay ** (30 * BEAT_S * phase),
        n_kicks=int(beats) + 1,
        kick_strength=1.0,
        kick_time_s=BEAT_S * phase,
        bpm=60 / BEAT_S,
        beat_phase=phase,
        beat_number=int(beats),
        confidence=1.0,
    )


def main() -> None:
    """Bake what is not cached, and write the pictures that are named, or all."""
    OUT.mkdir(parents=True, exist_ok=True)
    named = sys.argv[1:] or ["depths", "presets", "journey"]
    if "depths" in named:
        frames = frames_of(open_preset(PLAIN_PRESET, size=SIZE))[0]
        depths = sheet([(f"depth {depth}", shown(frames[depth], (400, 225))) for depth in DEPTHS], 1618)
        depths.save(OUT / "depths.jpg", quality=86, optimize=True)
    if "presets" in named:
        cells = [stations_cell("worlds", 4, (804, 225))]
        cells += [preset_cell(name, (400, 225)) for name in PRESETS]
        sheet(cells, 1618).save(OUT / "presets.jpg", quality=82, optimize=True)
    if "journey" in named:
        first, *others = travelling()
        moving = {"save_all": True, "append_images": others, "duration": round(1000 / JOURNEY_FPS), "loop": 0}
        first.save(OUT / "journey.webp", quality=42, method=4, **moving)


if __name__ == "__main__":
    main()
