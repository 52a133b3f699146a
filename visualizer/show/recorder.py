"""Records a show as a session while it runs: hands everything that made the picture what it was to a `SessionWriter`.

A recording that begins in the middle of a show begins with the whole state of it: the presets on the stage, the dream
frames in their pictures, what commands have set. The analysis is replaced by a new one at that moment, as after a
change of the sample rate: sound from before is not part of the session, and a replay begins with a new one, too.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..audio.mixing import to_mono
from ..beat.features import Features
from ..clock import monotonic
from ..control.capabilities import Capability
from ..control.commands import Act, Change, Command, SetTempo
from ..control.state import Context, ShowState, changes_to
from ..errors import VisualizerError
from ..oneline import plain, size_text, time_text
from ..outputs.live_video import LiveVideo
from ..presets.dreams import DreamFrame
from ..session.events import (
    AnalysisEvent,
    ClockEvent,
    CommandEvent,
    DeviceEvent,
    DisplayEvent,
    Event,
    FeaturesEvent,
    JourneyEvent,
    LooksEvent,
    SceneEvent,
    SizeEvent,
    TempoEvent,
    XrunEvent,
    ticks_of,
)
from ..session.preset_copy import PresetCopy
from ..session.sound import on_grid
from ..session.writer import SessionWriter
from .analysis_steps import NO_STEPS, AnalysisSteps
from .guard import Guard, Part
from .source import InputState, Source
from .sources.session import DEFAULTS, NUMBERS
from .stage import DisplayFrame, Scene, Stage, ignored_frame

log = logging.getLogger(__name__)
#: how often it is recorded where a journey is, seconds
JOURNEY_S = 1.0
#: from one dream frame that is read back from the graphics card to the next: each takes milliseconds
READ_BACK_S = 0.1
#: pictures a second of the video, and the least side that it can have, px
VIDEO_FPS, LEAST_VIDEO_PX = Fraction(30), 16
_SET_TEMPO = ("tap", "tempo_half", "tempo_double")
_Step = Literal["start", "sound", "silence", "skip", "finish"]
#: the time of songs is written again when it is off by more than this, seconds
OFF_S = 0.005


@dataclass(frozen=True)
class RecordingOptions:
    """How a show is recorded.

    begins: from its first picture on. folder: of the session, one named by date and time in the user's sessions if
    None. keeps_sound, keeps_dreams: whether sound and dream frames are kept. copies_songs: whether the songs of `play`
    are copied; otherwise they are known by their content. has_video: a video of what is shown is written beside it.
    say: called at the end of the show with a line that names what was recorded up to then.
    """

    begins: bool = False
    folder: Path | None = None
    keeps_sound: bool = True
    keeps_dreams: bool = True
    copies_songs: bool = False
    has_video: bool = False
    say: Callable[[str], None] = log.info


class Recorder(AnalysisSteps):
    """Records a show, from `begin` to `end`, as often as it is asked to. Called by the drawing thread, which it never
    keeps waiting: files are opened and written by threads.

    source: of the show. seen_s: when a display frame made now is seen, seconds of the source. context: of its commands.
    guard: where a fault of the recording is reported; the show goes on.

    is_wanted: whether it records, or is about to. video: the output that writes a video, None while there is none.
    """

    def __init__(
        self,
        source: Source,
        seen_s: Callable[[], float],
        context: Context,
        guard: Guard,
        options: RecordingOptions | None = None,
        *,
        opens: Callable[..., SessionWriter] = SessionWriter.open,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.is_wanted = False
        self._source, self._seen_s, self._context, self._guard = source, seen_s, context, guard
        self._options, self._opens, self._now = options or RecordingOptions(), opens, now
        # the time of songs stands still and jumps: that of their session is the time since the start
        self._is_played = Capability.PAUSE in source.capabilities
        self._start_s = now()
        self._opening: Future[SessionWriter] | None = None
        self._writer: SessionWriter | None = None
        self.video: LiveVideo | None = None
        self._ending_videos: list[LiveVideo] = []
        self._ending: list[SessionWriter] = []
        self._news: deque[str] = deque()
        self._tempo: tuple[float, float] | None = None  # set from elsewhere: beats a minute, and when a beat is
        self._drawn_from: Features | None = None  # in the newest display frame
        self._reset()

    def _reset(self) -> None:
        """Forget what was recorded."""
        self._at = 0
        self._has_analysis = False  # whether the analyzer was replaced since the recording began
        self._is_analysed = False  # whether the features follow from the steps of the analysis that were recorded
        self._given: dict[str, float] = {}  # the features recorded last, empty where they follow from these steps
        self._has_set_tempo = False  # whether the tempo was set since the display frame before
        self._scenes: dict[Scene, int] = {}
        self._left_out: dict[Scene, list[int]] = {}  # the looks that are not drawn, as recorded last
        self._n_scenes = 0
        self._shown: Scene | None = None
        self._unread: dict[tuple[Scene, int, int], bool] = {}  # dream frames to read back; whether each is finished
        self._read_s = 0.0
        self._input = InputState(state="")
        self._size, self._display = (0, 0), (0, 0, 0.0)
        self._clock: ClockEvent | None = None
        self._song: tuple[Path, int] | None = None
        self._journeys: dict[Scene, JourneyEvent] = {}  # where those that are shown were, as recorded last

    # -- begin and end ------------------------------------------------------------------------------------------------

    @property
    def is_recording(self) -> bool:
        """Whether events are recorded now."""
        return self._writer is not None

    def begin(self, size: tuple[int, int]) -> None:
        """Begin to record. size: (width, height) of the dream frames, px."""
        self.is_wanted = True
        if self._opening is not None or self._writer is not None:
            return
        self._reset()
        executor = ThreadPoolExecutor(1, "recording")
        self._opening = executor.submit(
            self._opens,
            self._options.folder,
            kind=self._kind,
            width=size[0],
            height=size[1],
            at=self.tick(),
            keep_sound=self._options.keeps_sound,
            keep_dreams=self._options.keeps_dreams,
        )
        executor.shutdown(wait=False)

    def end(self) -> None:
        """Stop recording; what was recorded is written to its end by a thread."""
        if self._writer is not None:
            self._news.append(f"recorded: {plain(self._writer.folder.root)}")
        self._stop()

    def close(self) -> None:
        """End, and wait until everything is written. What was recorded until now is named: no notice is seen any more."""
        writer = self._writer
        self.end()
        with ExitStack() as stack:
            for writer in self._ending:
                stack.callback(writer.close)
            for video in self._ending_videos:
                stack.callback(video.close)
            if self._opening is not None:  # it is closed as soon as it is open
                self._opening.add_done_callback(_close)
        self._ending, self._ending_videos = [], []
        if writer is not None:
            self._options.say(f"recorded: {plain(writer.folder.root)}")

    # -- for every display frame --------------------------------------------------------------------------------------

    def follow(
        self,
        shown: DisplayFrame,
        stage: Stage,
        state: ShowState,
        *,
        size: tuple[int, int],
        window_size: tuple[int, int],
        rate_hz: float,
    ) -> None:
        """Record what has changed on the stage and in the window since the display frame before. Called before
        commands are applied.

        size: drawn; window_size: (width, height) of the picture, px. rate_hz: display frames a second.
        """
        with self._guarded():
            self._follow_writers(stage, state, window_size)
        if self._writer is None:
            return
        with self._guarded():
            self._follow_clock()
            self._follow_song()
            self._follow_input()
            self._follow_sizes(size, window_size, rate_hz)
            # what was drawn in this display frame is recorded at the time that it showed, at the latest
            self._follow_stage(stage, min(self.tick(), ticks_of(shown.time_s)) if not self._is_played else None)
            self._follow_journeys(self.tick())
            self._read_back()

    def follow_stage(self, stage: Stage, *, at: int | None = None) -> None:
        """Record which scenes are on the stage. Called again when a scene was made, before its first dream frame."""
        with self._guarded():
            self._follow_stage(stage, at)

    def _follow_stage(self, stage: Stage, at: int | None) -> None:
        if self._writer is None:
            return
        at = self.tick() if at is None else max(at, self._at)
        for scene in (stage.scene, stage.coming):
            if scene is not None and scene not in self._scenes:
                self._scenes[scene] = self._n_scenes
                self._n_scenes += 1
                self._writer.preset(at, self._scenes[scene], scene.loaded)
                scene.on_put = partial(self._put, scene)
        for scene, number in self._scenes.items():
            left_out = [index for index, link in enumerate(scene.picture.links) if link.is_left_out]
            if left_out != self._left_out.get(scene, []):
                self._left_out[scene] = left_out
                self._writer.event(LooksEvent(at=at, scene=number, left_out=left_out))
        if stage.scene is not self._shown:
            if self._shown is not None:
                self._writer.event(SceneEvent(at=at, scene=self._scenes[stage.scene]))
            self._shown = stage.scene
        for scene in [one for one in self._scenes if one not in (stage.scene, stage.coming, stage.leaving)]:
            scene.on_put = ignored_frame
            del self._scenes[scene]
            self._left_out.pop(scene, None)
            self._journeys.pop(scene, None)
            self._unread = {key: done for key, done in self._unread.items() if key[0] is not scene}

    def _follow_journeys(self, at: int) -> None:
        """Record where the journeys are that are shown: when other stations have come, and every JOURNEY_S."""
        if self._writer is None:
            return
        for scene, number in self._scenes.items():
            if scene.travel is None:
                continue
            event, before = scene.travel.event(at, number), self._journeys.get(scene)
            has_same_stations = before is not None and _stations_of(before) == _stations_of(event)
            if before is not None and has_same_stations and 0 <= event.time_s - before.time_s < JOURNEY_S:
                continue
            self._journeys[scene] = event
            self._writer.event(event)

    def edited(self, scene: Scene, copy: PresetCopy | None) -> None:
        """Record that the preset of a scene was edited, and is shown as it is now. copy: its files, None: as they are."""
        if self._writer is not None and scene in self._scenes:
            self._left_out.pop(scene, None)  # all are tried again
            with self._guarded():
                self._writer.edit(self.tick(), self._scenes[scene], scene.loaded, copy)

    def features(self, features: Features, stage: Stage) -> None:
        """Record what a display frame is drawn from, where that does not follow from the sound: without sound, before
        the first analyzer of the recording, while the analysis fails, and until the fallback metronome of then has
        gone; and what a frozen picture keeps.
        """
        self._drawn_from = held = stage.held(features)
        if self._writer is None:
            return
        at = self.tick() if self._is_played else max(self._at, ticks_of(features.time_s))
        is_given = (
            not self._options.keeps_sound
            or not self._is_analysed
            or stage.is_frozen
            or (features.is_fallback and self._given != {})
        )
        with self._guarded():
            self._give(self._writer, at, held if is_given else None)
            if self._has_set_tempo:
                self._has_set_tempo = False
                self._write_tempo(self._writer, at, features)

    def _write_tempo(self, writer: SessionWriter, at: int, features: Features) -> None:
        tempo = {"bpm": features.bpm, "phase": features.beat_phase, "confidence": features.confidence}
        if features.bpm >= 1.0:  # else there is none
            writer.event(TempoEvent(at=at, **tempo))

    def _give(self, writer: SessionWriter, at: int, features: Features | None) -> None:
        """Record features, None: that they follow from the sound."""
        given: dict[str, float] = {}
        if features is not None:
            given = {name: round(float(getattr(features, name)), 7) for name in NUMBERS}
            given = {name: value for name, value in given.items() if value != DEFAULTS[name] or name == "level"}
        if given != self._given:
            self._given = given
            writer.event(FeaturesEvent(at=at, values=given))

    def command(self, command: Command) -> None:
        """Record a command that was applied."""
        change = command.change
        if isinstance(change, SetTempo):
            beat_s = command.at_samples / self._source.sample_rate_hz - change.beat_age_s
            self._tempo = (change.bpm, beat_s) if change.bpm > 0 else None
        if self._writer is not None:
            self._event(CommandEvent(at=self.tick(), command=command.to_data()))
            sets_tempo = isinstance(change, SetTempo) or (isinstance(change, Act) and change.action in _SET_TEMPO)
            self._has_set_tempo |= sets_tempo and Capability.TEMPO in self._source.capabilities

    def tick(self) -> int:
        """The present in ticks of the session's clock: when a display frame made now is seen."""
        return max(0, ticks_of(self._now() - self._start_s if self._is_played else self._seen_s()))

    # -- text about it ------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The time recorded, the size, and the time for which the disk has room; "" while nothing is recorded."""
        if self._writer is None:
            return ""
        state = self._writer.state
        gaps = f"   {state.n_gaps} gaps" if state.n_gaps else ""
        return f"{time_text(state.seconds)}   {size_text(state.n_bytes)}   room for {time_text(state.free_s)}{gaps}"

    def status(self) -> list[str]:
        """Lines for the HUD, "name<tab>value"."""
        return [f"recording\t{self.text}"] if self.is_recording else []

    def news(self) -> list[str]:
        """Lines for the user that were not returned yet."""
        lines = [*self._news]
        self._news.clear()
        for writer in (self._writer, *self._ending):
            while writer is not None and (line := writer.news()):
                lines.append(line)
        return lines

    # -- the analysis, on the drawing thread --------------------------------------------------------------------------

    def sound(self, block: np.ndarray, start_s: float, rate_hz: int) -> np.ndarray:
        if not self._has_analysis or self._writer is None:
            return block
        kept = on_grid(block)
        with self._guarded():
            self._follow_input()
            self._writer.sound(kept, self._analysis_tick(start_s), rate_hz, None if self._is_played else self.tick())
            if self.video is not None:
                # songs are analysed before they are heard
                ahead_s = start_s - self._source.position_s()
                self.video.write_sound(to_mono(kept), self.tick() / ticks_of(1.0) + ahead_s, rate_hz)
        return kept

    def silence(self, n_samples: int, start_s: float) -> None:
        self._step("silence", start_s, n_samples=n_samples)

    def skip(self, seconds: float, start_s: float) -> None:
        self._step("skip", start_s, seconds=seconds)

    def began(
        self,
        rate_hz: int,
        start_s: float,
        *,
        is_known: bool,
        is_restart: bool,
        counts: Mapping[str, int],
        tempo: tuple[float, float] | None = None,
    ) -> None:
        self._has_analysis = self._has_analysis or is_restart
        bpm, phase = tempo or (0, 0.0)
        begins = {"start_s": start_s, "is_known": is_known, "counts": dict(counts), "bpm": bpm, "phase": phase}
        self._step("start", start_s, rate_hz=rate_hz, **begins)

    def in_use(self) -> None:
        self._is_analysed = self._has_analysis

    def failed(self) -> None:
        # what it got of the newest sound is not known, so it cannot be given the same again: another one can
        if self._is_analysed:
            self._is_analysed = False
            with self._guarded():
                self._source.renew_analysis()

    def finished(self, time_s: float) -> None:
        self._step("finish", time_s)

    # -- inside -------------------------------------------------------------------------------------------------------

    @property
    def _kind(self) -> Literal["live", "play"]:
        return "play" if self._is_played else "live"

    def _guarded(self) -> Part:
        return self._guard.part("recording", "the show goes on, parts of the recording may be missing")

    def _event(self, event: Event) -> None:
        if self._writer is not None:
            with self._guarded():
                self._writer.event(event)

    def _step(self, step: _Step, time_s: float, **values: Any) -> None:
        if not self._has_analysis or not self._options.keeps_sound:
            return
        at = self._analysis_tick(time_s)
        if not self._is_played:
            values["came"] = [[values.get("n_samples", 0), max(0, self.tick() - at)]]
        self._event(AnalysisEvent(at=at, step=step, **values))

    def _analysis_tick(self, time_s: float) -> int:
        """The tick of a step: when its sound is heard, or of songs, which are analysed before they are heard, now."""
        return self.tick() if self._is_played else max(self._at, ticks_of(time_s))

    def _follow_writers(self, stage: Stage, state: ShowState, window_size: tuple[int, int]) -> None:
        if self._opening is not None and self._opening.done():
            opening, self._opening = self._opening, None
            try:
                writer = opening.result()
            except VisualizerError as fault:
                self.is_wanted = False
                self._news.append(str(fault))
                return
            except Exception:
                self.is_wanted = False
                raise
            if self.is_wanted:
                self._writer, self._at = writer, self.tick()
                self._begin_with(writer, stage, state)
                self._begin_video(writer, window_size)
            else:  # ended before it was open
                writer.end()
                self._ending.append(writer)
        if self._writer is not None and not self._writer.state.is_recording:  # it had to stop; its news say why
            self._stop()
        if self.video is not None and self.video.fault:
            self._end_video(self.video)
        for video in [one for one in self._ending_videos if one.is_written]:
            self._ending_videos.remove(video)
            dropped = f"; {video.n_dropped} pictures or blocks of sound were dropped" if video.n_dropped else ""
            self._news.append(video.fault or f"video: {plain(video.path)}{dropped}")
        for writer in [one for one in self._ending if not one.state.is_recording]:
            self._ending.remove(writer)
            writer.close()
            while line := writer.news():
                self._news.append(line)

    def _begin_with(self, writer: SessionWriter, stage: Stage, state: ShowState) -> None:
        """Record the show as it is now, and everything from here on."""
        stage.clear_history()  # as in a performance of what is recorded
        writer.begin(self._at, {scene.loaded.name: scene.loaded.variants[0].settings.seed for scene in stage.scenes})
        self._follow_stage(stage, self._at)
        self._follow_journeys(self._at)
        self._give(writer, self._at, self._drawn_from)
        for scene in self._scenes:
            self._unread |= {(scene, *place): done for place, done in scene.frames.items()}
        samples_at = self._source.samples_at(self._source.position_s())
        for change in self._changes(state):
            writer.event(CommandEvent(at=self._at, command=Command(samples_at, change).to_data()))
        if self._options.keeps_sound:
            self._source.observe_analysis(self)
            self._source.renew_analysis()

    def _changes(self, state: ShowState) -> Iterable[Change]:
        yield from changes_to(state, self._context)
        if self._tempo is not None:
            bpm, beat_s = self._tempo
            yield SetTempo(bpm, self._source.position_s() - beat_s)

    def _stop(self) -> None:
        """Stop recording events."""
        self.is_wanted = False
        writer, self._writer = self._writer, None
        if writer is not None:
            self._source.observe_analysis(NO_STEPS)
            for scene in self._scenes:
                scene.on_put = ignored_frame
            self._reset()
            writer.end()
            self._ending.append(writer)
        if self.video is not None:
            self._end_video(self.video)

    def _begin_video(self, writer: SessionWriter, size: tuple[int, int]) -> None:
        if self._options.has_video and min(size) >= LEAST_VIDEO_PX:
            path = writer.folder.root / "video.mp4"
            self.video = LiveVideo(path, size, VIDEO_FPS, lambda: self.tick() / ticks_of(1.0))

    def _end_video(self, video: LiveVideo) -> None:
        self.video = None
        video.end()
        self._ending_videos.append(video)

    def _put(self, scene: Scene, placed: DreamFrame) -> None:
        """A dream frame was put into the picture of a scene."""
        if self._writer is not None:
            self._unread.pop((scene, placed.variant, placed.depth_index), None)
            with self._guarded():
                self._writer.dream(self.tick(), self._scenes[scene], placed)

    def _read_back(self) -> None:
        """Record one of the dream frames that were put into a picture before the recording."""
        if not self._unread or self._writer is None or self._now() - self._read_s < READ_BACK_S:
            return
        self._read_s = self._now()
        (scene, variant, depth_index), finished = self._unread.popitem()
        frame = scene.picture.frame(depth_index, variant)
        self._writer.dream(self._at, self._scenes[scene], DreamFrame(variant, depth_index, frame, finished))

    def _follow_clock(self) -> None:
        """Record the time of songs: where it jumps, stands still, or is off."""
        if not self._is_played or self._writer is None:
            return
        at, position_s, before = self.tick(), self._source.position_s(), self._clock
        is_running = not self._source.is_paused
        if before is not None and before.is_running == is_running:
            expected_s = before.position_s + is_running * (at - before.at) / ticks_of(1.0)
            if abs(position_s - expected_s) <= OFF_S:
                return
        self._clock = ClockEvent(at=at, position_s=position_s, is_running=is_running)
        self._writer.event(self._clock)

    def _follow_song(self) -> None:
        """Record which song is heard."""
        place = self._source.song()
        if place is None or self._song == (place.path, round(place.start_s)) or self._writer is None:
            return
        self._song = (place.path, round(place.start_s))
        self._writer.song(
            self.tick(),
            place.start_s,
            place.path,
            copy=self._options.copies_songs,
            gain=place.gain,
            stream=place.stream,
        )

    def _follow_input(self) -> None:
        assert self._writer is not None
        before, now = self._input, self._source.input_state()
        if now == before:
            return
        self._input = now
        if now[:3] != before[:3]:
            self._writer.event(DeviceEvent(at=self.tick(), state=now.state, label=now.label, reason=now.reason))
        if now[3:] != before[3:]:
            self._writer.event(XrunEvent(at=self.tick(), n_xruns=now.n_xruns, n_dropped=now.n_dropped))

    def _follow_sizes(self, size: tuple[int, int], window_size: tuple[int, int], rate_hz: float) -> None:
        assert self._writer is not None
        at, display = self.tick(), (*window_size, rate_hz)
        if size != self._size and min(size) > 0:
            self._size = size
            self._writer.event(SizeEvent(at=at, width=size[0], height=size[1]))
        if display != self._display and min(window_size) > 0:
            self._display = display
            self._writer.event(DisplayEvent(at=at, width=display[0], height=display[1], refresh_hz=display[2]))


def _close(opening: Future[SessionWriter]) -> None:
    if opening.exception() is None:
        opening.result().close()


def _stations_of(event: JourneyEvent) -> tuple[object, ...]:
    """What of where a journey is depends on the stations that are there."""
    return event.first, event.last, event.slots, event.hurries_to
