"""Songs as sources: played, on the clock of what is heard; or read for an export, as far as each display frame needs.

The sound is known before it is heard. Kicks are therefore detected with what comes after them, and the other features
are those of a little later, so that the picture moves on the sound and not after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...audio.decode import Song
from ...audio.mono import MonoMix
from ...audio.playback import Playback, SilentPlayback
from ...audio.songlist import Place, SongList
from ...beat import Analyzer
from ...beat.analyzer import LOOK_AHEAD_S
from ...beat.features import Features
from ...control.snapshot import Meters
from ...oneline import plain, time_text
from ...settings import BeatSettings
from ...supervision.resume import ResumeState
from ..song_output import OutputDelay, set_volume_parameter, volume_parameters, volume_text
from ..source import NO_SOUND, Capability, SongPlace
from .analyzed import AnalyzedSource

SEEK_S = 5.0
# Seconds of sound that are kept for a new analysis: those that are analysed before they are heard, and as many before
# these. So much of it is analysed for a display frame.
KEPT_S, AGAIN_S = 4.0, 0.2
RESTART_S = 3.0  # earlier in a song, "previous song" is the one before; later, the beginning of this one


class SongSource(AnalyzedSource):
    """Songs played through the speakers, or silently on an exact clock while no output takes the sound.

    Its time is the position in the continuous sound of the list; a seek begins a new analysis there. `beat.lead_ms` has
    no effect: every kick is shown on time.
    """

    is_known = True

    def __init__(
        self,
        playback: Playback | SilentPlayback,
        songs: SongList,
        beat: BeatSettings,
        needs: Collection[str] = (),
        *,
        say: Callable[[str], None] = lambda line: None,
        lines: deque[str] | None = None,
        delay: OutputDelay | None = None,
    ) -> None:
        """playback: of the songs. delay: of its output. say: called with each line about the sound output. lines: to be
        shown on the screen one after another; may be added to on any thread.
        """
        super().__init__(beat, needs)
        self.playback, self.delay = playback, delay or OutputDelay()
        self.lines = deque[str]() if lines is None else lines
        self.sample_rate_hz = songs.sample_rate_hz
        capabilities = {Capability.SEEK, Capability.PAUSE, Capability.VOLUME}
        if len(songs.paths) > 1:
            capabilities.add(Capability.SONGS)
        self.capabilities = frozenset(capabilities)
        self._songs, self._say = songs, say
        self._announced = songs.at(0.0).song
        self._next_sample, self._is_finished = 0, False
        self._kept: deque[tuple[int, np.ndarray]] = deque()  # the newest sound: first sample, and block
        self._renewal: _Renewal | None = None
        self.analyzer = self.new_analyzer(self.sample_rate_hz)

    @property
    def title(self) -> str:
        return f"{self._name(self._place().song)} - visualizer"

    @property
    def ended(self) -> bool:
        return self.playback.ended

    @property
    def is_paused(self) -> bool:
        return self.playback.paused

    def start(self) -> None:
        self.playback.start()

    def position_s(self) -> float:
        """The second of the songs that the picture follows: what is heard now, the delay of the output counted."""
        return self.playback.position_s - self.delay.ms / 1000

    def take_in(self, time_s: float) -> None:
        for start_sample, block in self.playback.drain():
            if start_sample != self._next_sample:
                self._begin(start_sample)
            self._keep(start_sample, block)
            if self._renewal is None:
                self.analyze(block)
            else:
                self.analyzer.push(self.needed_of(block))
                self._renewal.blocks.append(block)
            self._next_sample += len(block)
        if self._renewal is not None:
            self._renew(self._renewal)
        elif self.playback.is_drained and not self._is_finished:
            self._is_finished = True
            self.steps.finished(self.analyzed_s)
            self.analyzer.finish()

    def features_at(self, time_s: float) -> Features:
        return self.analyzer.features_at(time_s, LOOK_AHEAD_S)

    def restart_analysis(self) -> None:
        self._begin(self._next_sample)

    def renew_analysis(self) -> None:
        """The new analyzer gets the newest sound again, a little of it for every display frame; until it has, the one
        before is used.
        """
        start_sample = self._kept[0][0] if self._kept else self._next_sample
        start_s = start_sample / self.sample_rate_hz
        self._renewal = _Renewal(
            self.new_analyzer(self.sample_rate_hz, start_s), start_sample, deque(block for _, block in self._kept)
        )
        counts = self.analyzer.counts(start_s)
        self._renewal.analyzer.count_from(counts)
        self.steps.began(self.sample_rate_hz, start_s, is_known=True, is_restart=True, counts=counts)

    def do(self, action: str, at_s: float | None = None) -> str | None:
        if action == "pause":
            if self.playback.paused:
                self.playback.resume()
            else:
                self.playback.pause()
        elif action in ("seek_back", "seek_forward"):
            self._seek(SEEK_S if action == "seek_forward" else -SEEK_S)
        elif action in ("previous_song", "next_song"):
            return self._change_song(1 if action == "next_song" else -1)
        return None

    def parameters(self) -> Mapping[str, float]:
        return volume_parameters(self.playback.volume) | {"output.delay_ms": self.delay.ms}

    def set_parameter(self, name: str, value: float) -> None:
        if name == "output.delay_ms":
            self.delay.ms = value
        else:
            set_volume_parameter(self.playback.volume, name, value)

    def meters(self) -> Meters:
        time_s = self.position_s()
        beat = self.analyzer.beat_at(time_s)
        return (
            super()
            .meters()
            ._replace(
                level=self.analyzer.level_at(time_s, LOOK_AHEAD_S),
                input=self._where(),
                input_state="paused" if self.playback.paused else self.playback.lost or "",
                bpm=beat.bpm,
                phase=beat.phase,
                confidence=beat.confidence,
            )
        )

    def status(self) -> list[str]:
        return [
            f"song\t{self._where()}{'  paused' if self.playback.paused else ''}",
            f"sound\t{self.playback.lost or 'ok'}   underruns {self.playback.n_underruns}",
            f"output\t{volume_text(self.playback.volume)}   delay {self.delay.ms:.0f} ms",
        ]

    def news(self) -> str | None:
        self.delay.follow(self.playback.output_name)
        if line := self.playback.news():
            self._say(line)
            return line
        song = self._place().song
        if song != self._announced:
            self._announced = song
            self.lines.append(self._numbered(song))
        return self.lines.popleft() if self.lines else None

    def song(self) -> SongPlace:
        position_s = self.playback.position_s
        place = self._songs.at(position_s)
        path, start_s = self._songs.paths[place.song], position_s - place.seconds
        return SongPlace(path, start_s, self._songs.gain_of(place.song), self._songs.stream)

    def resume_values(self) -> dict[str, Any]:
        place = self._place()
        return {
            "song": str(self._songs.paths[place.song]),
            "position_s": place.seconds,
            "paused": self.playback.paused,
        }

    def resume_from(self, state: ResumeState) -> None:
        """Continue at the position in the song that was heard; only if the list has begun with this song."""
        if state.position_s > 0 and state.song in ("", self.resume_values()["song"]):
            self.playback.seek(state.position_s)
        if state.paused:
            self.playback.pause()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _keep(self, start_sample: int, block: np.ndarray) -> None:
        """Keep the newest sound for another analysis."""
        self._kept.append((start_sample, block))
        while start_sample + len(block) - self._kept[0][0] > KEPT_S * self.sample_rate_hz and len(self._kept) > 1:
            self._kept.popleft()

    def _renew(self, renewal: _Renewal) -> None:
        """Analyse some of the sound again; use the new analyzer once it has got all of it."""
        n_left = round(AGAIN_S * self.sample_rate_hz)
        while renewal.blocks and n_left > 0:
            block = self.needed_of(renewal.blocks.popleft())
            block = self.steps.sound(block, renewal.next_sample / self.sample_rate_hz, self.sample_rate_hz)
            renewal.analyzer.push(block)
            renewal.next_sample += len(block)
            n_left -= len(block)
        if not renewal.blocks:
            self._renewal, self.analyzer = None, renewal.analyzer
            self.steps.in_use()
            self.analyzer.set_beat(self.beat)  # settings may have been changed meanwhile
            self.analyzer.set_needs(self._needs)
            self._is_finished = False

    def _begin(self, start_sample: int) -> None:
        """Begin a new analysis at a sample of the songs."""
        self._renewal = None
        self._kept.clear()
        counts, start_s = self.analyzer.counts(), start_sample / self.sample_rate_hz
        self.analyzer = self.new_analyzer(self.sample_rate_hz, start_s)
        self.analyzer.count_from(counts)
        self.steps.began(self.sample_rate_hz, start_s, is_known=True, is_restart=False, counts=counts)
        self.steps.in_use()
        self._next_sample, self._is_finished = start_sample, False

    def _place(self) -> Place:
        return self._songs.at(self.playback.position_s)

    def _where(self) -> str:
        """The place in the song, and the song, for reading: the name comes last, since a long one is cut off."""
        place, n = self._place(), len(self._songs.paths)
        of_list = f"  song {place.song + 1} of {n}" if n > 1 else ""
        return f"{time_text(place.seconds)} / {time_text(place.duration_s)}{of_list}  {self._name(place.song)}"

    def _name(self, index: int) -> str:
        return plain(self._songs.paths[index].name)

    def _numbered(self, index: int) -> str:
        return f"{index + 1} / {len(self._songs.paths)}  {self._name(index)}"

    def _seek(self, by_s: float) -> None:
        """Within the song that is heard: beyond its end is the beginning of the next one."""
        position_s = self.playback.position_s
        place = self._songs.at(position_s)
        wanted_s = max(0.0, place.seconds + by_s)
        if place.duration_s is not None:
            wanted_s = min(wanted_s, place.duration_s)
        self.playback.seek(position_s + wanted_s - place.seconds)

    def _change_song(self, step: int) -> str | None:
        position_s = self.playback.position_s
        place = self._songs.at(position_s)
        index = self._songs.neighbour(place.song, step)
        if step > 0 and index is None:
            return "this is the last song"
        if index is None or (step < 0 and place.seconds > RESTART_S):
            self.playback.seek(position_s - place.seconds)
            index = place.song
        else:
            self.playback.seek(self._songs.jump(index))
        self._announced = index
        return self._numbered(index)


@dataclass
class _Renewal:
    """A new analyzer that gets sound again. next_sample: of the songs, the next it gets; blocks: what it still gets."""

    analyzer: Analyzer
    next_sample: int
    blocks: deque[np.ndarray]


class SongFileSource(AnalyzedSource):
    """A song read just as far as the next display frame needs: for an export, as fast as pictures are made.

    The caller's clock is its time. frame_s: the duration of a display frame, whose middle `take_in` is asked for,
    seconds.
    """

    is_known = True
    BLOCK_SAMPLES = 4096

    def __init__(self, song: Song, beat: BeatSettings, needs: Collection[str] = (), *, frame_s: float = 0.0) -> None:
        super().__init__(beat, needs)
        self.sample_rate_hz = song.sample_rate_hz
        self.is_read = False  # whether all of the song was read
        self._song, self._frame_s = song, frame_s
        self._mix = MonoMix(song.sample_rate_hz)
        self._n_samples, self._time_s = 0, 0.0
        self._blocks: list[np.ndarray] = []
        self.analyzer = self.new_analyzer(song.sample_rate_hz)

    @property
    def ended(self) -> bool:
        """Whether the display frame would begin after the end of the song."""
        return self.is_read and self._time_s - self._frame_s / 2 > self.read_s - 1e-9

    @property
    def read_s(self) -> float:
        """Seconds of the song read so far."""
        return self._n_samples / self.sample_rate_hz

    @property
    def mix_note(self) -> str:
        """A line for the user where the song's channels cancel each other, "" if they do not; see `MonoMix`."""
        return self._mix.note

    def position_s(self) -> float:
        """The time that was asked for last."""
        return self._time_s

    def take_in(self, time_s: float) -> None:
        self._time_s = time_s
        while not self.is_read and self.read_s < time_s + self.analyzer.needs_ahead_s:
            block = self._song.read(self.BLOCK_SAMPLES)
            if not len(block):
                self.is_read = True
                self.analyzer.finish()
                break
            self._n_samples += len(block)
            self.analyze(self._mix.push_stereo(block))
            self._blocks.append(block)

    def features_at(self, time_s: float) -> Features:
        return self.analyzer.features_at(time_s, LOOK_AHEAD_S)

    def take_sound(self) -> np.ndarray:
        blocks, self._blocks = self._blocks, []
        return np.concatenate(blocks) if blocks else NO_SOUND
