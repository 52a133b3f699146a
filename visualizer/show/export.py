"""Exporting: a show on an exact frame clock, presented in a video file."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ..audio.decode import Song
from ..audio.streams import silence_note
from ..errors import BadInput
from ..outputs.video_file import VideoFile
from ..presets.cache import FrameCache
from ..presets.dreams import Dreams, ReadyDreams, complete
from ..presets.loaded import LoadedPreset
from ..render.canvas import Canvas
from ..render.offscreen import Offscreen
from ..render.programs import Programs
from .clocks import FrameClock
from .frame import FrameLoop
from .guard import Guard
from .look import open_look
from .sources.song import SongFileSource
from .stage import Scene, Stage, build_picture

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far an export is. done, total: depths while dreaming, display frames while exporting; total is None where
    unknown.
    """

    stage: Literal["dreaming", "exporting"]
    done: int
    total: int | None


def parse_fps(text: str) -> Fraction:
    """Display frames a second as a fraction: "30", "25.0", "30000/1001"; 23.976, 29.97 and the like are n x 1000 /
    1001.

    Raises BadInput for anything else.
    """
    try:
        fps = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise BadInput(f"--fps {text!r} is not a number; allowed: 1 .. 240, like 30, 29.97 or 30000/1001") from None
    ntsc = Fraction(math.ceil(fps) * 1000, 1001)
    if fps.denominator != 1 and abs(fps - ntsc) < Fraction(1, 200):
        fps = ntsc
    if not 1 <= fps <= 240:
        raise BadInput(f"--fps {text!r} is out of range; allowed: 1 .. 240")
    return fps


def export(
    song_path: Path,
    out: Path,
    loaded: LoadedPreset,
    cache: FrameCache,
    *,
    fps: Fraction = Fraction(30),
    crf: int = 18,
    stream: int | None = None,
    say: Callable[[str], None] = log.warning,
) -> Generator[Progress, None, None]:
    """Write the show for the song as a video, yielding progress; closing the generator early leaves no file.

    The video is as long as the song, to within one display frame, and of the preset's size. Memory does not grow with
    the length of the song. The same input gives the same file on one machine.

    fps: display frames a second. crf: quality, 0 (lossless) .. 51 (worst). stream: number of the song's sound stream,
    see `Song`. say: called with a line the user should read. Raises BadInput before any work for a song, a size, a look
    or a file name that cannot be used, and VisualizerError when the video cannot be written.
    """
    width, height = loaded.size
    if width % 2 or height % 2:
        raise BadInput(f"--size {width}x{height} cannot be encoded; both must be even, like {width & ~1}x{height & ~1}")
    for line in open_look(loaded).declaration.news:  # a look that cannot be used is reported before any work
        say(line)
    n_depths, n_variants = loaded.n_depths, len(loaded.variants)
    with Song(song_path, stream=stream) as song:
        writer = VideoFile(out, loaded.size, fps, sound_rate_hz=song.sample_rate_hz, crf=crf)
        if out.exists() and song_path.exists() and out.samefile(song_path):
            raise BadInput(f"{out}: the video would replace its own song; choose another name with -o")
        if note := silence_note(song_path, stream):
            say(note)
        frames = []
        dreams = Dreams(loaded, cache)
        for placed in complete(dreams):
            frames.append(placed)
            yield Progress("dreaming", placed.variant * n_depths + placed.depth_index, n_variants * n_depths)
        if dreams.fault:
            say(dreams.fault)
        del dreams  # it holds the frames, which would be in memory twice once they are in textures
        total = None if song.duration_s is None else math.ceil(song.duration_s * fps)
        yield Progress("exporting", 0, total)  # here the caller can still stop before a file is opened
        with writer, Offscreen(loaded.size) as surface:
            programs, canvas, clock = Programs(surface.ctx), Canvas(surface.ctx), FrameClock(fps)
            source = SongFileSource(song, loaded.settings.beat, frame_s=float(1 / fps))
            stage = Stage(surface, Scene(build_picture(loaded, surface, programs), ReadyDreams(frames), loaded))
            del frames  # from the first display frame on they are in textures
            loop = FrameLoop(clock, source, stage, canvas, [writer], Guard(raises=True), lambda: loaded.size)
            source.start()
            for _ in loop.frames():
                yield Progress("exporting", loop.n_frames, total)
            writer.write_sound(source.take_sound())
            if source.mix_note:
                say(f"{song_path.name}: {source.mix_note}")
            stage.release()
            canvas.release()
