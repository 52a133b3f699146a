"""Exporting: a show on an exact frame clock, presented in a video file."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from ..audio.decode import Song
from ..audio.metadata import read_metadata
from ..audio.streams import silence_note
from ..beat.features import Features
from ..errors import BadInput
from ..outputs.output import Output
from ..outputs.video_file import VideoFile
from ..presets.cache import FrameCache
from ..presets.dreams import Dreams, FrameSource, ReadyDreams, complete
from ..presets.journey import ReadyStations, Stations
from ..presets.loaded import LoadedPreset
from ..render.canvas import Canvas
from ..render.offscreen import Offscreen
from ..render.programs import Programs
from ..settings import BeatSettings
from .clocks import FrameClock
from .frame import FrameLoop
from .guard import Guard
from .open_looks import open_links, open_transition
from .sources.song import SongFileSource
from .stage import DisplayFrame, Scene, Stage, build_picture

#: so many stations of a journey are baked before the first display frame
N_FIRST_STATIONS = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far an export is. done, total: depths while dreaming; display frames that are only listened to, up to the
    first of the video, while analyzing; display frames of the video while exporting. total is None where unknown.
    """

    stage: Literal["dreaming", "analyzing", "exporting"]
    done: int
    total: int | None


@dataclass(frozen=True)
class VideoOptions:
    """The video that an export writes.

    fps: display frames a second. crf: quality, 0 (lossless) .. 51 (worst). size: (width, height), px, both even; that
    of the dream frames if None, which are scaled, and cut evenly where their shape is another. supersample: each pixel
    is the mean of supersample x supersample, see `Canvas`. from_s, to_s: the part of the whole that is written,
    seconds; to_s None: to the end. title: instead of the song's; "" for none.
    """

    fps: Fraction = Fraction(30)
    crf: int = 18
    size: tuple[int, int] | None = None
    supersample: int = 1
    from_s: float = 0.0
    to_s: float | None = None
    title: str | None = None


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


class Excerpt(Output):
    """Writes a part of a show into a video file: its display frames, and just the sound that belongs to them.

    writer: the file. video: from_s and to_s are the part. size: of the file, (width, height), px. sample_rate_hz: of
    the sound. The display frames are those of the whole: the first is the one on the screen at from_s.
    """

    name = VideoFile.name
    needs_sound = True

    def __init__(self, writer: VideoFile, video: VideoOptions, size: tuple[int, int], sample_rate_hz: int) -> None:
        self._writer = writer
        self._drawn = (size[0] * video.supersample, size[1] * video.supersample)
        self._first, self._end = display_frames(video)
        self._first_sample = round(self._first / video.fps * sample_rate_hz)
        self._end_sample = None if self._end is None else round(self._end / video.fps * sample_rate_hz)
        self._fps = video.fps
        self._n_frames = self._n_samples = 0

    @property
    def is_over(self) -> bool:
        """Whether the last display frame of the part was presented."""
        return self._end is not None and self._n_frames >= self._end

    def size(self) -> tuple[int, int]:
        """The size to draw, px; (0, 0) for a display frame before the part: it is only listened to."""
        return (0, 0) if self._n_frames < self._first else self._drawn

    def present(self, canvas: Canvas, sound: np.ndarray, features: Features) -> None:
        """Write what belongs to the part."""
        self._n_frames += 1
        if self._n_frames > self._first:
            self._writer.present(canvas, self._cut(sound), features)
        else:
            self.write_sound(sound)

    def write_sound(self, sound: np.ndarray) -> None:
        """Write the next sound of the whole, as far as it belongs to the part: (n_samples, 2) float32, -1..1."""
        self._writer.write_sound(self._cut(sound))

    def progress(self, duration_s: float | None) -> Progress:
        """How far the export is. duration_s: of the whole, None if it is not known."""
        if self._n_frames < self._first:
            return Progress("analyzing", self._n_frames, self._first)
        end = self._end
        if duration_s is not None:
            n_whole = math.ceil(duration_s * self._fps)
            end = n_whole if end is None else min(end, n_whole)
        return Progress("exporting", self._n_frames - self._first, None if end is None else max(0, end - self._first))

    def _cut(self, sound: np.ndarray) -> np.ndarray:
        begin, self._n_samples = self._n_samples, self._n_samples + len(sound)
        first = max(0, self._first_sample - begin)
        end = None if self._end_sample is None else max(0, self._end_sample - begin)
        return sound[first:end]


def display_frames(video: VideoOptions) -> tuple[int, int | None]:
    """The part of the whole that is written: its first display frame, and the one after its last, None: to the end."""
    near = 1e-6  # of a display frame: 0.1 s is no binary fraction
    first = math.floor(video.from_s * video.fps + near)
    return first, None if video.to_s is None else max(first + 1, math.ceil(video.to_s * video.fps - near))


def check_part(video: VideoOptions, duration_s: float | None) -> None:
    """Raise BadInput for a part that is empty, or after the end. duration_s: of the whole, None if it is not known."""
    if video.to_s is not None and video.to_s <= video.from_s:
        raise BadInput(f"--to {video.to_s:g} s must be after --from {video.from_s:g} s")
    if duration_s is not None and video.from_s >= duration_s:
        raise BadInput(f"--from {video.from_s:g} s is after the end: it is {duration_s:.1f} s long")


def check_size(size: tuple[int, int]) -> None:
    """Raise BadInput for a size that a video cannot have."""
    width, height = size
    if width % 2 or height % 2:
        raise BadInput(f"--size {width}x{height} cannot be encoded; both must be even, like {width & ~1}x{height & ~1}")


class _ExportLoop(FrameLoop):
    """The frame loop of an export. loaded: the preset, whose expressions move the settings of the beat."""

    loaded: LoadedPreset

    def after(self, shown: DisplayFrame) -> None:
        beat = self.loaded.settings.beat
        moved = self.stage.moved_beat({f"beat.{key}": value for key, value in beat.model_dump().items()})
        if not moved:
            return
        with suppress(ValueError):  # such as edges of a band that coincide: it stays as it was
            values = {name.removeprefix("beat."): value for name, value in moved.items()}
            beat = BeatSettings.model_validate({**beat.model_dump(), **values})
            self.loaded = replace(self.loaded, settings=self.loaded.settings.model_copy(update={"beat": beat}))
            self.stage.set_beat(beat)
            self.source.set_preset(self.loaded)


def export(
    song_path: Path,
    out: Path,
    loaded: LoadedPreset,
    cache: FrameCache,
    video: VideoOptions = VideoOptions(),
    *,
    stream: int | None = None,
    say: Callable[[str], None] = log.warning,
) -> Generator[Progress, None, None]:
    """Write the show for the song as a video, yielding progress; closing the generator early leaves no file.

    The video is as long as the song or the part of it asked for, to within one display frame; the display frames of a
    part are those of the whole. It has the song's tags and cover picture. Memory does not grow with the length of the
    song. The same input gives the same file on one machine.

    stream: number of the song's sound stream, see `Song`. say: called with a line the user should read. Raises BadInput
    before any work for a song, a size, a look or a file name that cannot be used, and VisualizerError when the video
    cannot be written.
    """
    size = video.size or loaded.size
    check_size(size)
    open_transition(loaded)  # looks that cannot be used are reported before any work
    for link in open_links(loaded):
        for line in link.look.declaration.news:
            say(line)
    with Song(song_path, stream=stream) as song:
        check_part(video, song.duration_s)
        found = read_metadata(song_path, stream)
        writer = VideoFile(
            out,
            size,
            video.fps,
            sound_rate_hz=song.sample_rate_hz,
            crf=video.crf,
            tags=tags_of(found.tags, video.title),
            cover=found.cover,
        )
        if out.exists() and song_path.exists() and out.samefile(song_path):
            raise BadInput(f"{out}: the video would replace its own song; choose another name with -o")
        if note := silence_note(song_path, stream):
            say(note)
        dreams = yield from _baked(loaded, cache, say)
        excerpt = Excerpt(writer, video, size, song.sample_rate_hz)
        yield excerpt.progress(song.duration_s)  # here the caller can still stop before a file is opened
        drawn = (size[0] * video.supersample, size[1] * video.supersample)
        with Offscreen(drawn) as surface, writer:  # in this order: the writer's end needs the surface
            programs, clock = Programs(surface.ctx), FrameClock(video.fps)
            canvas = Canvas(surface.ctx, supersample=video.supersample)
            source = SongFileSource(song, loaded.settings.beat, frame_s=float(1 / video.fps))
            stage = Stage(surface, Scene(build_picture(loaded, surface, programs), dreams, loaded))
            stage.unseen_size = drawn
            loop = _ExportLoop(clock, source, stage, canvas, [excerpt], Guard(raises=True), excerpt.size)
            loop.loaded = loaded
            source.start()
            for _ in loop.frames():
                yield excerpt.progress(song.duration_s)
                if excerpt.is_over:
                    break
            excerpt.write_sound(source.take_sound())
            if not writer.n_pictures:  # its length was not known before
                check_part(video, source.read_s)
            if source.mix_note:
                say(f"{song_path.name}: {source.mix_note}")
            stage.release()
            canvas.release()


def _baked(
    loaded: LoadedPreset, cache: FrameCache, say: Callable[[str], None]
) -> Generator[Progress, None, FrameSource]:
    """Bake the dream of a preset, or the first stations of its journey. Returns what holds the frames alone: they would
    be in memory twice once they are in textures. Raises DreamError.
    """
    n_depths = loaded.n_depths
    if loaded.journey is not None:
        # the others are baked when the picture comes near them: how many a song needs depends on its tempo
        stations = Stations(loaded, cache)
        for station in range(N_FIRST_STATIONS):
            for placed in stations.frames(station):
                yield Progress("dreaming", station * n_depths + placed.depth_index, N_FIRST_STATIONS * n_depths)
        return ReadyStations(stations)
    frames, dreams, total = [], Dreams(loaded, cache), len(loaded.variants) * n_depths
    for placed in complete(dreams):
        frames.append(placed)
        yield Progress("dreaming", placed.variant * n_depths + placed.depth_index, total)
    if dreams.fault:
        say(dreams.fault)
    return ReadyDreams(frames)


def tags_of(tags: Mapping[str, str], title: str | None) -> dict[str, str]:
    """Tags with another title; "" for none, None for the one that they have."""
    return {name: text for name, text in {**tags, **({} if title is None else {"title": title})}.items() if text}
