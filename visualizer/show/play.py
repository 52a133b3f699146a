"""Playing songs: the picture follows what is heard at this instant."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..audio.replaygain import Mode
from ..audio.songlist import SongList
from ..control.controller import Controller
from ..files.songs import song_files
from ..presets.cache import FrameCache
from ..presets.loaded import LoadedPreset
from .onscreen import Report, Staging, run
from .panel_switch import OpensPanel
from .picture_sources import PictureOptions
from .recorder import RecordingOptions
from .song_output import OutputDelay, open_playback
from .sources.song import SongSource

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline


def song_list(paths: Sequence[Path], shuffle_seed: int | None = None) -> list[Path]:
    """The songs of files and folders, see `files.songs`; with a seed in an order that depends on nothing else.

    Raises BadInput for a folder without songs.
    """
    songs = song_files(paths)
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(songs)
    return songs


def play(
    paths: Sequence[Path],
    loaded: LoadedPreset,
    cache: FrameCache,
    *,
    device: str | int | None = None,
    stream: int | None = None,
    gain_mode: Mode | None = None,
    delay_ms: float | None = None,
    staging: Staging | None = None,
    controllers: Callable[[], Sequence[Controller]] = tuple,
    opens_panel: OpensPanel | None = None,
    lifeline: Lifeline | None = None,
    recording: RecordingOptions | None = None,
    pictures: PictureOptions | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Play songs one after another in a window.

    paths: sound files, at least one. device: the output, see `open_playback`. stream: number of their sound stream, see
    `Song`.
    gain_mode: which ReplayGain tags are applied, none if None. delay_ms: of the output, see `OutputDelay`. say: called
    with lines for the user, on any thread. controllers, opens_panel, lifeline, recording, pictures: see `run`.

    Raises BadInput for a single file that cannot be played, VisualizerError where none of several can, UnknownDevice
    for a missing device, GraphicsError.
    """
    lines: deque[str] = deque()

    def announce(line: str) -> None:
        say(line)
        lines.append(line)

    resume = lifeline.resume if lifeline is not None else None
    first = Path(resume.song) if resume is not None and resume.song else None
    with ExitStack() as stack:
        songs = stack.enter_context(SongList(paths, first=first, stream=stream, gain_mode=gain_mode, say=announce))
        # a show that is restarted after a crash waits for the output that it had
        playback = stack.enter_context(open_playback(songs, device, was_there=resume is not None))
        delay = OutputDelay(delay_ms)
        stack.callback(delay.keep)
        return run(
            loaded,
            SongSource(playback, songs, loaded.settings.beat, say=say, lines=lines, delay=delay),
            cache,
            staging=staging,
            controllers=controllers,
            opens_panel=opens_panel,
            lifeline=lifeline,
            recording=recording,
            pictures=pictures,
            say=say,
        )
