"""Playing songs: the picture follows what is heard at this instant."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..audio.playback import Playback, SilentPlayback
from ..audio.replaygain import Mode
from ..audio.songlist import Place, SongList
from ..control.controller import Controller
from ..control.snapshot import Meters
from ..files.songs import song_files
from ..oneline import plain
from ..presets.cache import FrameCache
from ..presets.loaded import LoadedPreset
from ..settings import VOLUME_DB
from .onscreen import Report, Staging, run
from .output import OutputDelay, open_playback
from .sound import PlayedSound
from .telemetry import OpensPanel

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

SEEK_S = 5.0
AGAIN_S = 3.0  # until then "the song before" is the one before, and later the beginning of this one
VOLUME_STEP_DB = 2.0
TAKES = frozenset({"pause", "seek_back", "seek_forward", "volume_up", "volume_down", "mute"})
LIST_TAKES = TAKES | {"previous_song", "next_song"}


def minutes(seconds: float | None) -> str:
    """A position in a song for reading: 75.2 -> "1:15"; "?" if unknown."""
    return "?" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Play:
    """Songs played through the speakers, or silently on an exact clock while no output takes the sound.

    playback: of the songs. delay: of its output. say: called with each line about the sound output. lines: to be shown on the screen one after another; may
    be added to on any thread.
    """

    def __init__(
        self,
        playback: Playback | SilentPlayback,
        songs: SongList,
        loaded: LoadedPreset,
        *,
        say: Callable[[str], None] = lambda line: None,
        lines: deque[str] | None = None,
        delay: OutputDelay | None = None,
    ) -> None:
        self.playback = playback
        self.delay = delay or OutputDelay()
        self.sound = PlayedSound(playback, songs.sample_rate_hz, loaded.settings.beat, n_variants=len(loaded.variants))
        self.lines = deque[str]() if lines is None else lines
        self._songs = songs
        self._announced = songs.at(0.0).song
        self._say = say

    def start(self) -> None:
        self.playback.start()

    def position_s(self) -> float:
        """Which second of the songs the picture is to follow: what is heard now, the output's delay counted."""
        return self.playback.position_s - self.delay.ms / 1000

    def do(self, action: str) -> str | None:
        if action == "pause":
            if self.playback.paused:
                self.playback.resume()
            else:
                self.playback.pause()
        elif action in ("seek_back", "seek_forward"):
            self._seek(SEEK_S if action == "seek_forward" else -SEEK_S)
        elif action in ("previous_song", "next_song"):
            return self._change_song(1 if action == "next_song" else -1)
        elif action in ("volume_up", "volume_down", "mute"):
            return self._change_volume(action)
        return None

    def values(self) -> Mapping[str, float]:
        """See `Act.values`: the volume, and the delay of the output."""
        volume = self.playback.volume
        return {
            "output.volume_db": volume.level_db,
            "output.mute": float(volume.is_muted),
            "output.delay_ms": self.delay.ms,
        }

    def set_value(self, name: str, value: float) -> None:
        """See `Act.set_value`."""
        if name == "output.volume_db":
            self.playback.volume.level_db = value
        elif name == "output.mute":
            self.playback.volume.is_muted = value >= 0.5
        elif name == "output.delay_ms":
            self.delay.ms = value

    def heard(self) -> Meters:
        """What there is to show of the sound."""
        return self.sound.heard()._replace(
            input=self._where(),
            input_state="paused" if self.playback.paused else self.playback.lost or "",
        )

    def title(self) -> str:
        """What the window is called."""
        return f"{self._name(self._place().song)} - visualizer"

    def place_in_song(self) -> tuple[str, float]:
        """The song that is heard, and how many seconds into it."""
        place = self._place()
        return str(self._songs.paths[place.song]), place.seconds

    def go_to(self, position_s: float, *, paused: bool = False, song: str = "") -> None:
        """Go on from a position in a song, seconds, or stand there; only if the list has begun with this song."""
        if position_s > 0 and song in ("", self.place_in_song()[0]):
            self.playback.seek(position_s)
        if paused:
            self.playback.pause()

    @property
    def is_paused(self) -> bool:
        """Whether the song stands still."""
        return self.playback.paused

    def set_preset(self, loaded: LoadedPreset) -> None:
        self.sound.set_beat(loaded.settings.beat, len(loaded.variants))

    def status(self) -> list[str]:
        return [
            f"song\t{self._where()}{'  paused' if self.playback.paused else ''}",
            f"sound\t{self.playback.lost or 'ok'}   underruns {self.playback.n_underruns}",
            f"output\t{self._volume_words()}   delay {self.delay.ms:.0f} ms",
        ]

    def news(self) -> str | None:
        self.delay.follow(self.playback.output_name)
        if line := self.playback.news():
            self._say(line)
            return line
        song = self._place().song
        if song != self._announced:
            self._announced = song
            self.lines.append(self._named(song))
        return self.lines.popleft() if self.lines else None

    def over(self) -> bool:
        return self.playback.ended

    def _place(self) -> Place:
        return self._songs.at(self.playback.position_s)

    def _where(self) -> str:
        """The place in the song, and the song, for reading: the name comes last, since a long one is cut off."""
        place, n = self._place(), len(self._songs.paths)
        of_list = f"  song {place.song + 1} of {n}" if n > 1 else ""
        return f"{minutes(place.seconds)} / {minutes(place.duration_s)}{of_list}  {self._name(place.song)}"

    def _name(self, index: int) -> str:
        return plain(self._songs.paths[index].name)

    def _named(self, index: int) -> str:
        return f"{index + 1} / {len(self._songs.paths)}  {self._name(index)}"

    def _seek(self, by_s: float) -> None:
        """Within the song that is heard: beyond its end is the beginning of the next one."""
        position_s = self.playback.position_s
        place = self._songs.at(position_s)
        wanted_s = max(0.0, place.seconds + by_s)
        if place.duration_s is not None:
            wanted_s = min(wanted_s, place.duration_s)
        self.playback.seek(position_s + wanted_s - place.seconds)

    def _change_volume(self, action: str) -> str:
        volume = self.playback.volume
        if action == "mute":
            volume.is_muted = not volume.is_muted
        else:
            step_db = VOLUME_STEP_DB if action == "volume_up" else -VOLUME_STEP_DB
            volume.level_db = min(max(volume.level_db + step_db, VOLUME_DB[0]), VOLUME_DB[1])
            volume.is_muted = False
        return self._volume_words()

    def _volume_words(self) -> str:
        volume = self.playback.volume
        return "muted" if volume.is_muted else f"volume {volume.level_db:.0f} dB"

    def _change_song(self, step: int) -> str | None:
        position_s = self.playback.position_s
        place = self._songs.at(position_s)
        index = self._songs.neighbour(place.song, step)
        if step > 0 and index is None:
            return "this is the last song"
        if index is None or (step < 0 and place.seconds > AGAIN_S):
            self.playback.seek(position_s - place.seconds)
            index = place.song
        else:
            self.playback.seek(self._songs.jump(index))
        self._announced = index
        return self._named(index)


def song_list(paths: Sequence[Path], shuffle_seed: int | None = None) -> list[Path]:
    """The songs that files and folders name, see `files.songs`; in an order that depends on the seed alone, if one is given.

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
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Play songs one after another in a window. paths: sound files, at least one. stream: number of their sound stream, see `Song`. delay_ms: how late the output is, see `OutputDelay`.
    gain_mode: which ReplayGain tags are followed, none if None.
    say: called with a line the user should read, on any thread. controllers, opens_panel, lifeline: see `run`.

    Raises BadInput for a single file that cannot be played, VisualizerError where none of several can, UnknownDevice for a device
    asked for and not there, GraphicsError.
    """
    lines: deque[str] = deque()

    def announce(line: str) -> None:
        say(line)
        lines.append(line)

    resume = lifeline.resume if lifeline is not None else None
    first = Path(resume.song) if resume is not None and resume.song else None
    with ExitStack() as stack:
        songs = stack.enter_context(SongList(paths, first=first, stream=stream, gain_mode=gain_mode, say=announce))
        # a show that goes on after a crash waits for the output that it had
        playback = stack.enter_context(open_playback(songs, device, was_there=resume is not None))
        delay = OutputDelay(delay_ms)
        stack.callback(delay.keep)
        act = Play(playback, songs, loaded, say=say, lines=lines, delay=delay)
        return run(
            loaded,
            act,
            cache,
            title=act.title,
            staging=staging,
            takes=LIST_TAKES if len(songs.paths) > 1 else TAKES,
            controllers=controllers,
            opens_panel=opens_panel,
            lifeline=lifeline,
        )
