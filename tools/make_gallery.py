"""Makes the gallery of docs/looks.md: python tools/make_gallery.py SONG SONG ... [--only NAME ...]

Each shipped look over the dream of the preset "marble", and each preset with its own looks: a row for each song, at the
same three moments, drawn at 1280x720 as an export draws them. docs/pictures/looks/gallery-NAME.webp, and
preset-NAME.webp.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from visualizer.audio.decode import Song
from visualizer.looks.look import look_names
from visualizer.presets.dreams import DreamFrame, Dreams, ReadyDreams, complete, open_cache
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
PRESET, QUALITY = "marble", 74


def moments(loaded: LoadedPreset, frames: list[DreamFrame], path: Path) -> list[np.ndarray]:
    """Pictures of a song at MOMENTS_S, (720, 1280, 3) uint8."""
    wanted, found = {round(second * FPS) for second in MOMENTS_S}, []
    with Offscreen(SIZE) as surface, Song(path) as song:
        source = SongFileSource(song, loaded.settings.beat, frame_s=1 / FPS)
        picture = build_picture(loaded, surface, Programs(surface.ctx))
        stage = Stage(surface, Scene(picture, ReadyDreams(frames), loaded))
        source.start()
        for index in range(max(wanted) + 1):
            now_s = (index + 0.5) / FPS
            stage.advance(1 / FPS)
            source.needs(stage.needs)
            features = source.listen(lambda now_s=now_s: now_s)
            if any(0 <= one - index < BEFORE_S * FPS for one in wanted):
                stage.draw(features, SIZE)
            if index in wanted:
                found.append(surface.read().copy())
        stage.release()
    return found


def sheet(name: str, loaded: LoadedPreset, frames: list[DreamFrame], songs: list[Path]) -> None:
    """Write the sheet of a look or preset."""
    whole = Image.new("RGB", (CELL[0] * len(MOMENTS_S), CELL[1] * len(songs)))
    for y, song in enumerate(songs):
        for x, pixels in enumerate(moments(loaded, frames, song)):
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
            settings = loaded.settings.model_copy(update={"render": RenderSettings(shader=name)})
            loaded = dataclasses.replace(loaded, settings=settings)
        if loaded.name not in kept:
            kept = {loaded.name: list(complete(Dreams(loaded, open_cache())))}
        sheet(f"{kind}-{name}", loaded, kept[loaded.name], arguments.songs)


if __name__ == "__main__":
    main()
