"""Exporting a recorded session: the same performance, on an exact frame clock, as a video of any size."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from pathlib import Path

from ..errors import VisualizerError
from ..outputs.video_file import VideoFile
from ..presets.cache import FrameCache
from ..presets.dreams import Dreams, FrameSource, ReadyDreams, complete
from ..presets.journey import ReadyStations, Stations
from ..presets.loaded import LoadedPreset
from ..presets.loaded import dream_size as usual_dream_size
from ..render.canvas import Canvas
from ..render.offscreen import Offscreen
from ..render.programs import Programs
from ..session.events import CLOCK_HZ
from ..session.layout import SessionFolder
from ..session.reader import RecordedSession
from .clocks import FrameClock
from .export import Excerpt, Progress, VideoOptions, check_part, check_size, tags_of
from .guard import Guard
from .performance import (
    Contents,
    Performance,
    PerformanceLoop,
    PerformedSource,
    contents_of,
    news_of,
    soundtrack_of,
)
from .session_files import SessionFiles, recorded_preset
from .sources.session import SessionSource

log = logging.getLogger(__name__)


def is_session(path: Path) -> bool:
    """Whether a path is the folder of a session."""
    return SessionFolder(path).info.is_file()


def export_session(
    root: Path,
    out: Path,
    cache: FrameCache,
    video: VideoOptions,
    *,
    as_intended: bool = False,
    dream_size: tuple[int, int] | None = None,
    say: Callable[[str], None] = log.warning,
) -> Generator[Progress, None, None]:
    """Write a recorded session as a video, yielding progress; closing the generator early leaves no file.

    The session in the folder `root` is performed again: the recorded sound is analysed as it was, every command is
    applied where it happened, and the dream frames are those that were shown, scaled. No clock, no device and no
    window takes part: the same session gives the same file on one machine. Memory does not grow with its length.

    video: its size None: that of the dream frames at the start. as_intended: finished dreams from the beginning of each
    preset, baked now where they are not cached, and sound that is never late; dream_size: of these, px, None: as fits
    the video. say: called with each line that the user should read. Raises BadInput before any work, and
    VisualizerError.
    """
    say = _once(say)  # the analysis and the soundtrack read the same files
    session = RecordedSession(root)
    contents = contents_of(session)
    for line in news_of(session, contents):
        say(line)
    check_part(video, contents.duration_s)
    size = video.size or (session.info.width & ~1, session.info.height & ~1)
    check_size(size)
    writer = VideoFile(
        out,
        size,
        video.fps,
        sound_rate_hz=CLOCK_HZ,
        crf=video.crf,
        tags=tags_of({}, video.title),
    )
    bakes = as_intended or not session.info.has_dreams
    baked_size = (dream_size or usual_dream_size(size)) if as_intended else None
    if bakes:
        yield from _baked(session, contents, baked_size, cache)
    excerpt = Excerpt(writer, video, size, CLOCK_HZ)
    yield excerpt.progress(contents.duration_s)
    drawn = (size[0] * video.supersample, size[1] * video.supersample)
    with Offscreen(drawn) as surface, writer:  # in this order: the writer's end needs the surface
        programs, canvas = Programs(surface.ctx), Canvas(surface.ctx, supersample=video.supersample)
        soundtrack = soundtrack_of(session, contents, say)
        source = SessionSource(session, soundtrack=soundtrack, is_late=not as_intended)
        performance = Performance(
            SessionFiles(session, bakes=bakes, dream_size=baked_size),
            contents,
            session.events(),
            source,
            surface,
            programs,
            say=say,
            bakes=(lambda loaded: dreams_of(loaded, cache)) if bakes else None,
        )
        performance.stage.unseen_size = drawn
        guard = Guard(raises=True)
        loop = PerformanceLoop(
            FrameClock(video.fps), PerformedSource(source, guard), performance, canvas, [excerpt], guard, excerpt.size
        )
        for _ in loop.frames():
            yield excerpt.progress(contents.duration_s)
            if excerpt.is_over:
                break
        source.tick = contents.start + round(loop.n_frames / video.fps * CLOCK_HZ)
        excerpt.write_sound(source.take_sound())
        performance.release()
        canvas.release()


def _once(say: Callable[[str], None]) -> Callable[[str], None]:
    """The same, but a line that was said is not said again."""
    said: set[str] = set()

    def say_new(line: str) -> None:
        if line not in said:
            said.add(line)
            say(line)

    return say_new


def dreams_of(loaded: LoadedPreset, cache: FrameCache) -> FrameSource:
    """The whole dream of a preset; of a journey its stations as they are needed. Raises DreamError."""
    if loaded.journey is not None:
        return ReadyStations(Stations(loaded, cache))
    return ReadyDreams(list(complete(Dreams(loaded, cache))))


def _baked(
    session: RecordedSession, contents: Contents, size: tuple[int, int] | None, cache: FrameCache
) -> Generator[Progress, None, None]:
    """Bake the dreams of all presets into the cache. One that cannot be opened is reported when it is shown."""
    for event in contents.presets:
        try:
            loaded = recorded_preset(session, event, bakes=True, size=size)
        except VisualizerError as fault:
            log.warning("%s", fault)
            continue
        if loaded.journey is not None:
            continue  # how many stations are needed is seen on the way
        total = loaded.n_depths * len(loaded.variants)
        for placed in complete(Dreams(loaded, cache)):
            yield Progress("dreaming", placed.variant * loaded.n_depths + placed.depth_index, total)
