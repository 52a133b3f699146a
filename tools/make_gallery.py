"""Makes the gallery of docs/looks.md: python tools/make_gallery.py SONG SONG ... [--only NAME ...]

Each shipped look over the dream of the preset "marble", and each preset with its own looks: a row for each song, at the
same three moments, drawn at 1280x720 as an export draws them; of a preset with a journey they are further apart.
docs/pictures/looks/gallery-NAME.webp, and preset-NAME.webp.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from visualizer.audio.decode import Song
from visualizer.looks.look import look_names
from visualizer.presets.dreams import DreamFrame, Dreams, ReadyDreams, complete, open_cache
from visualizer.presets.journey import ReadyStations, Stations
from visualizer.presets.loaded import LoadedPreset, open_preset
from visualizer.presets.preset import preset_names
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.settings import RenderSettings
from visualizer.show.sources.song import SongFileSource
from visualizer.show.stage import Scene, Stage, build_picture

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "looks"
SIZE, CELL, FPS = (1280, 720), (416, 234), 30
#: seconds of the song; drawn from so long before on, for what looks keep
MOMENTS_S, BEFORE_S = (8.05, 12.4, 17.5), 1.5
#: the same of a preset with a journey, and the size of its dreams
JOURNEY_MOMENTS_S, JOURNEY_DREAM_SIZE = (8.05, 20.9, 33.3), (640, 360)
PRESET, QUALITY = "marble", 74


#: makes the dreams of a scene
MakeDreams = Callable[[], ReadyDreams | ReadyStations]


def moments(loaded: LoadedPreset, dreams: MakeDreams, path: Path) -> list[np.ndarray]:
    """Three pictures of a song, (720, 1280, 3) uint8."""
    moments_s = MOMENTS_S if loaded.journey is None else JOURNEY_MOMENTS_S
    wanted, found = {round(second * FPS) for second in moments_s}, []
    with Offscreen(SIZE) as surface, Song(path) as song:
        source = SongFileSource(song, loaded.settings.beat, frame_s=1 / FPS)
        picture = build_picture(loaded, surface, Programs(surface.ctx))
        scene = Scene(picture, dreams(), loaded)
        stage = Stage(surface, scene)
        source.start()
        for index in range(max(wanted) + 1):
            now_s = (index + 0.5) / FPS
            stage.advance(1 / FPS)
            source.needs(stage.needs)
            features = source.listen(lambda now_s=now_s: now_s)
            if any(0 <= one - index < BEFORE_S * FPS for one in wanted):
                stage.draw(features, SIZE)
            else:
                scene.move(features)
            if index in wanted:
                found.append(surface.read().copy())
        stage.release()
    return found


def sheet(name: str, loaded: LoadedPreset, dreams: MakeDreams, songs: list[Path]) -> None:
    """Write the sheet of a look or preset."""
    whole = Image.new("RGB", (CELL[0] * len(MOMENTS_S), CELL[1] * len(songs)))
    for y, song in enumerate(songs):
        for x, pixels in enumerate(moments(loaded, dreams, song)):
            cell = Image.fromarray(pixels).resize(CELL, Image.Resampling.LANCZOS)
            whole.paste(cell, (x * CELL[0], y * CELL[1]))
    path = OUT / f"{name}.webp"
    whole.save(path, quality=QUALITY, method=6)
    print(f"{path}: {path.stat().st_size // 1000} kB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("songs", nargs="+", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    presets = [name for name in preset_names() if name not in ("first", "worlds")]  # they are crossfaded
    names = [("gallery", look) for look in look_names()] + [("preset", name) for name in presets]
    kept: dict[str, list[DreamFrame]] = {}
    for kind, name in names:
        if arguments.only and f"{kind}-{name}" not in arguments.only:
            continue
        loaded = open_preset(PRESET if kind == "gallery" else name, size=SIZE)
        if kind == "gallery":
            settings = loaded.settings.model_copy(update={"render": RenderSettings(shader=name), "journey": None})
            loaded = dataclasses.replace(loaded, settings=settings)
        elif loaded.journey is not None:
            loaded = open_preset(name, size=JOURNEY_DREAM_SIZE)
            sheet(f"{kind}-{name}", loaded, functools.partial(_stations, loaded), arguments.songs)
            continue
        if loaded.name not in kept:
            kept = {loaded.name: list(complete(Dreams(loaded, open_cache())))}
        sheet(f"{kind}-{name}", loaded, functools.partial(ReadyDreams, kept[loaded.name]), arguments.songs)


def _stations(loaded: LoadedPreset) -> ReadyStations:
    return ReadyStations(Stations(loaded, open_cache()))


if __name__ == "__main__":
    main()
