"""A recorded session, performed again: its events in order, handed to a stage and a source.

The dispatcher, the stage and the source are those of a running show. No clock, no device and no window takes part.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

import numpy as np

from ..beat.features import Features
from ..control.actions import find_actions
from ..control.commands import Command, PresetShown
from ..control.keys import Keymap
from ..control.parameters import base_parameters
from ..control.state import Context, ShowState, apply
from ..errors import BadInput, VisualizerError
from ..oneline import plain
from ..outputs.output import Output
from ..presets.dreams import DreamFrame, FrameSource, ReadyDreams
from ..presets.loaded import LoadedPreset, Variant
from ..presets.station_plan import RecordedPlan
from ..render.canvas import Canvas
from ..render.gl import Surface
from ..render.programs import Programs
from ..session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    CommandEvent,
    DisplayEvent,
    DreamEvent,
    EditEvent,
    Event,
    JourneyEvent,
    LooksEvent,
    PresetEvent,
    SceneEvent,
    SizeEvent,
    UnknownEvent,
)
from ..session.reader import MOST_DREAM_PIXELS, RecordedSession
from ..session.songs import song_files
from ..session.soundtrack import SoundMap, Soundtrack
from ..settings import DreamSettings, Preset, RenderSettings
from .clocks import Clock
from .dispatcher import Dispatcher
from .effects import StageEffects
from .frame import FrameLoop
from .guard import Guard
from .hud_text import Notices
from .open_looks import open_links, open_transition
from .session_files import SessionFiles
from .session_index import SessionIndex
from .source import Source
from .sources.guarded import GuardedSource
from .sources.session import SessionSource
from .stage import UNKNOWN_START, DisplayFrame, Scene, Stage, build_picture
from .travel import N_SLOTS

log = logging.getLogger(__name__)

#: so much sound before the place of a seek is analysed, seconds: after it the tempo is known again
PREROLL_S = 12.0
_BLACK_PX = (16, 16)  # of a picture in place of one that cannot be shown


@dataclass
class Contents:
    """What a session holds, found by reading its events once.

    start, end: its first and last tick. sounds: where its sound is. presets: the presets that were opened, in order.
    deepest: the number of variants and the deepest dream frame of each scene. n_unknown: events of a newer version.
    display: the first size of the window, None: not recorded. began: local date and time at second 0 of its source.
    """

    start: int
    end: int
    sounds: SoundMap
    presets: list[PresetEvent] = field(default_factory=list)
    deepest: dict[int, tuple[int, int]] = field(default_factory=dict)
    n_unknown: int = 0
    began: datetime = UNKNOWN_START
    display: tuple[int, int] | None = None
    early: dict[int, list[DreamEvent]] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Its length, seconds."""
        return (self.end - self.start) / CLOCK_HZ


def contents_of(session: RecordedSession, index: SessionIndex | None = None) -> Contents:
    """Read all events of a session. index: gets all its lines, too. Raises BadInput where they cannot be read, and
    where there is nothing to show.
    """
    found = Contents(session.info.at, session.info.at, SoundMap(session), began=_began(session))
    rate_hz = CLOCK_HZ
    for line in session.checked_lines():
        event = line.event
        if index is not None:
            index.add(line)
        found.sounds.add(event)
        end = event.at
        match event:
            case AnalysisEvent():
                rate_hz = event.rate_hz or rate_hz
                end += event.n_samples * CLOCK_HZ // rate_hz if not event.is_known else 0
            case PresetEvent():
                found.presets.append(event)
            case DreamEvent():
                variants, depth = found.deepest.get(event.scene, (1, 1))
                found.deepest[event.scene] = (max(variants, event.variant + 1), max(depth, event.depth_index))
                if event.at <= found.start:
                    found.early.setdefault(event.scene, []).append(event)
            case DisplayEvent():
                found.display = found.display or (event.width, event.height)
            case UnknownEvent():
                found.n_unknown += 1
        found.end = max(found.end, end)
    if not found.presets:
        raise BadInput(f"{plain(session.folder.root)}: no preset was recorded, so there is nothing to show")
    return found


def _began(session: RecordedSession) -> datetime:
    """Local date and time at second 0 of a session's source."""
    try:
        began = datetime.fromisoformat(session.info.started).replace(tzinfo=None)
        return began - timedelta(seconds=session.info.at / CLOCK_HZ)
    except (ValueError, OverflowError):  # not written by this program
        return UNKNOWN_START


def soundtrack_of(session: RecordedSession, contents: Contents, say: Callable[[str], None]) -> Soundtrack:
    """The sound of a session from its beginning on. say: called with each line that the user should read."""
    songs = song_files(session, contents.sounds.songs, say)
    return Soundtrack(session, contents.sounds.pieces(songs), songs, contents.start, say)


class RecordedDreams:
    """The dream frames of one scene, each when it came."""

    fault: str | None = None

    def __init__(self, files: SessionFiles, loaded: LoadedPreset, say: Callable[[str], None]) -> None:
        self._files, self._loaded, self._say = files, loaded, say
        self.stations = None if loaded.journey is None else RecordedPlan(loaded.journey, loaded.n_depths)
        self._waiting: list[DreamEvent] = []
        self._has_said = False

    def add(self, event: DreamEvent) -> None:
        """A frame that comes now. It replaces an earlier one of its variant and depth that was not polled yet."""
        place = event.variant, event.depth_index
        self._waiting = [one for one in self._waiting if (one.variant, one.depth_index) != place]
        self._waiting.append(event)

    def poll(self) -> list[DreamFrame]:
        """The dream frames that came since the last call and could be read; one that cannot be read is left out."""
        waiting, self._waiting = self._waiting, []
        frames = []
        for event in waiting:
            try:
                if not self._fits(event):
                    raise BadInput(f"a recorded frame does not fit the preset {plain(self._loaded.name)}")
                frame = self._files.dream(event)
            except BadInput as fault:
                log.warning("%s", fault)
                if not self._has_said:
                    self._say(f"{fault}; the picture goes on without it")
                self._has_said = True
            else:
                if frame is None:
                    self._waiting.append(event)
                else:
                    frames.append(DreamFrame(event.variant, event.depth_index, frame, event.finished))
        return frames

    def drop(self, variants: Collection[int]) -> None:
        """Drop the frames of some variants that were not polled."""
        self._waiting = [one for one in self._waiting if one.variant not in variants]

    def want(self, numbers: list[int]) -> None:
        """They come when they came."""

    def close(self) -> None:
        """Drop the frames that were not polled."""
        self._waiting = []

    def _fits(self, event: DreamEvent) -> bool:
        loaded = self._loaded
        n_variants = len(loaded.variants) if loaded.journey is None else N_SLOTS
        is_there = event.variant < n_variants and event.depth_index <= loaded.n_depths
        return is_there and (event.width, event.height) == loaded.size


class Performance:
    """Performs a session: call `before` and `after` around every display frame, in the order of time.

    files: opens its presets and reads its dream frames. events: all of the session, in order. say: called with each
    line that the user should read. bakes: returns all dream frames of a preset, so that it is shown as it was intended,
    without waiting for a bake; None: the recorded frames, each when it came.

    before: the events before `events`, where the session is not performed from its beginning: their result is there at
    once, and only the last PREROLL_S seconds of sound are analysed.

    stage: what to draw. size: the size that was drawn in, and display: that of the window, as recorded last; None:
    not recorded. Where the first preset cannot be shown it is black. Raises GraphicsError where nothing can be drawn.
    """

    def __init__(
        self,
        files: SessionFiles,
        contents: Contents,
        events: Iterable[Event],
        source: SessionSource,
        surface: Surface,
        programs: Programs,
        *,
        say: Callable[[str], None],
        bakes: Callable[[LoadedPreset], FrameSource] | None = None,
        before: Sequence[Event] = (),
    ) -> None:
        self.size: tuple[int, int] | None = None
        self.display: tuple[int, int] | None = None
        self._files, self._contents, self._source = files, contents, source
        self._surface, self._programs, self._say = surface, programs, say
        self._bakes = bakes
        self._events = files.coming(events)
        self._next: Event | None = None
        self._has_said: set[str] = set()
        self._scenes: dict[int, Scene] = {}
        self._recorded: dict[int, RecordedDreams] = {}
        guard = Guard(say, now=source.position_s)
        opened, coming = _on_stage(before, contents)
        first = self._open_first(opened)
        self.stage = Stage(surface, first)
        self.stage.began = contents.began
        self._shown = first
        context = Context(find_actions(), base_parameters(), Keymap(), source.capabilities)
        self._on_stage = StageEffects(context, first.loaded, self.stage, source, guard)
        self.dispatcher = Dispatcher(
            context,
            source,
            [self._on_stage],
            notices=Notices(source.position_s),
            guard=guard,
            # whatever else was asked for once, such as a screenshot, is not done again
            requests=defaultdict(lambda: lambda argument: None, look=self._on_stage.fire),
        )
        source.set_preset(first.loaded)
        source.needs(self.stage.needs)
        self._report_shown()
        if before:
            if coming is not None:
                self._bring(coming)
            self._catch_up(before)

    def before(self, time_s: float) -> None:
        """Perform what happened up to a time in seconds since the session began."""
        until = self._contents.start + round(time_s * CLOCK_HZ)
        while (event := self._peek()) is not None and event.at <= until:
            if not self._perform(event, until):
                break
            self._next = None
        self._source.tick = until
        self._source.has_ended = until > self._contents.end
        if line := self._source.news():
            self._say(line)

    def after(self) -> None:
        """What follows when the display frame is drawn: a scene that has come is announced to the state, and one that
        has gone is released.
        """
        if self.stage.scene is not self._shown:
            self._shown = self.stage.scene
            self._report_shown()
        if (gone := self.stage.take_gone()) is not None:
            self._release(gone)

    def release(self) -> None:
        """Release the graphics memory, and close the files."""
        for scene in self._scenes.values():
            scene.dreams.close()
        self.stage.release()
        self._source.close()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _catch_up(self, before: Sequence[Event]) -> None:
        """Bring about the result of events, without showing each."""
        state, initial, end = ShowState(), self.dispatcher.state, before[-1].at
        self._source.analyzes_from = end - round(PREROLL_S * CLOCK_HZ)
        for index, event in enumerate(before):
            match event:
                case CommandEvent():
                    with suppress(BadInput):
                        state = apply(state, Command.from_data(event.command), self.dispatcher.context)
                case PresetEvent() | SceneEvent():
                    pass
                case _ if not self._perform(event, end):  # some of it is later: performed with what follows
                    self._events = chain(before[index:], self._events)
                    break
        self.dispatcher.state = state if state.n_shown else initial
        self._on_stage.carry_out(initial, self.dispatcher.state, end * self._source.sample_rate_hz // CLOCK_HZ)
        self._source.tick = end

    def _peek(self) -> Event | None:
        if self._next is None:
            self._next = next(self._events, None)
        return self._next

    def _perform(self, event: Event, until: int) -> bool:
        """Perform an event; whether all of it is before the tick `until`."""
        match event:
            case CommandEvent():
                self._apply(event)
            case PresetEvent():
                self._bring(event)
            case DreamEvent():
                dreams = self._recorded.get(event.scene)
                if dreams is not None and event.at > self._contents.start:
                    dreams.add(event)
            case JourneyEvent():
                self._follow_journey(event)
            case EditEvent():
                self._edit(event)
            case SceneEvent():
                if self.stage.coming is not None and self.stage.coming is self._scenes.get(event.scene):
                    self.stage.coming.take()
                    self.stage.cross()
            case LooksEvent():
                self._leave_out(event)
            case SizeEvent():
                self.size = event.width, event.height
            case DisplayEvent():
                self.display = event.width, event.height
            case _:
                return self._source.take_event(event, until)
        return True

    def _follow_journey(self, event: JourneyEvent) -> None:
        scene, dreams = self._scenes.get(event.scene), self._recorded.get(event.scene)
        if scene is None or scene.travel is None or dreams is None or dreams.stations is None:
            return  # it is baked again, and goes its own way
        others = scene.travel.follow(event, dreams.stations)
        if event.at > self._contents.start:  # at the start all that was there before is waiting
            dreams.drop(others)

    def _leave_out(self, event: LooksEvent) -> None:
        scene = self._scenes.get(event.scene)
        if scene is None or self._bakes is not None:  # as it was intended, with all looks
            return
        for index, link in enumerate(scene.picture.links):
            link.is_left_out = index in event.left_out

    def _apply(self, event: CommandEvent) -> None:
        try:
            command = Command.from_data(event.command)
        except BadInput as fault:  # of another version of the program
            self._say_once("command", f"a recorded command is left out: {fault}")
            return
        # the scene on the stage is announced when it is there, which may be earlier than it was
        if not isinstance(command.change, PresetShown):
            self._source.tick = event.at
            self.dispatcher.apply(command)

    def _report_shown(self) -> None:
        look = self._shown.control.parameters
        at_samples = self._source.samples_at(self._source.position_s())
        self.dispatcher.apply(Command(at_samples, self._on_stage.shown(self._shown.loaded, look)))

    def _bring(self, event: PresetEvent) -> None:
        if event.scene in self._scenes:
            return
        try:
            scene = self._open(event)
        except VisualizerError as fault:
            self._say(f"{fault}; the picture stays as it was")
            return
        if (replaced := self.stage.bring(scene)) is not None:
            self._release(replaced)

    def _edit(self, event: EditEvent) -> None:
        if (scene := self._scenes.get(event.scene)) is None:
            return
        try:
            loaded = self._files.edit(event, scene.loaded)
            scene.exchange(loaded, open_links(loaded), open_transition(loaded))
        except VisualizerError as fault:
            self._say(f"{fault}; the picture stays as it was")
            return
        if scene is self._shown:
            self._report_shown()

    def _open_first(self, event: PresetEvent) -> Scene:
        try:
            return self._open(event)
        except VisualizerError as fault:
            self._say(f"{fault}; it is black until the next preset comes")
        dream = DreamSettings()
        black = np.zeros((*_BLACK_PX, 3), np.uint8)
        loaded = LoadedPreset(event.name, Preset(title="-", dream=dream), black, (Variant(dream),), event.reference)
        picture = build_picture(loaded, self._surface, self._programs)
        scene = self._scenes[event.scene] = Scene(picture, ReadyDreams([]), loaded)
        return scene

    def _open(self, event: PresetEvent) -> Scene:
        bakes = self._bakes
        try:
            loaded = self._files.preset(event)
        except VisualizerError as fault:
            self._say(f"{fault}; its frames are shown without its settings")
            loaded, bakes = self._stand_in(event), None
        try:
            picture = build_picture(loaded, self._surface, self._programs)
        except BadInput as fault:  # its look cannot be used
            self._say(f"{fault}; it is shown without its look")
            loaded = replace(
                loaded, folder=None, settings=loaded.settings.model_copy(update={"render": RenderSettings()})
            )
            picture = build_picture(loaded, self._surface, self._programs)
        dreams: FrameSource
        if bakes is None:
            dreams = self._recorded[event.scene] = RecordedDreams(self._files, loaded, self._say)
            for early in self._contents.early.get(event.scene, ()):
                dreams.add(early)
        else:
            dreams = bakes(loaded)
        scene = self._scenes[event.scene] = Scene(picture, dreams, loaded, at_most=self._files.at_most)
        return scene

    def _stand_in(self, event: PresetEvent) -> LoadedPreset:
        """A preset in place of one that cannot be opened: black, for the recorded frames of its scene."""
        n_variants, n_depths = self._contents.deepest.get(event.scene, (1, 1))
        if event.width * event.height > MOST_DREAM_PIXELS:
            raise BadInput(f"preset {plain(event.name)}: dream frames of {event.width}x{event.height} are too large")
        try:
            dream = DreamSettings(n_depths=n_depths)
            settings = Preset(title=plain(event.name, 60) or "-", dream=dream, variants=[dream] * (n_variants - 1))
        except ValueError as fault:
            raise BadInput(
                f"preset {plain(event.name)}: its recorded frames have more variants or depths than a preset can have"
            ) from fault
        image = np.zeros((event.height, event.width, 3), np.uint8)
        return LoadedPreset(event.name, settings, image, (Variant(dream),) * n_variants, event.reference)

    def _say_once(self, what: str, line: str) -> None:
        if what not in self._has_said:
            self._has_said.add(what)
            self._say(line)

    def _release(self, scene: Scene) -> None:
        scene.dreams.close()
        scene.picture.release()
        for number in [number for number, one in self._scenes.items() if one is scene]:
            del self._scenes[number]
            self._recorded.pop(number, None)


def _on_stage(before: Sequence[Event], contents: Contents) -> tuple[PresetEvent, PresetEvent | None]:
    """The preset that is on the stage after these events, and one that waits to come."""
    scenes = {one.scene: one for one in reversed(contents.presets)}
    shown, newest = contents.presets[0], contents.presets[0]
    for event in before:
        if isinstance(event, PresetEvent):
            newest = event
        elif isinstance(event, SceneEvent):
            shown = scenes.get(event.scene, shown)
    return shown, newest if newest.scene > shown.scene else None


class PerformedSource(GuardedSource):
    """The source of a session with its fallback metronome. Its time is that of the events that were handed in, whatever
    the clock of the display frames says.
    """

    def __init__(self, source: SessionSource, guard: Guard) -> None:
        super().__init__(source, guard)
        self._session = source

    def features_at(self, time_s: float) -> Features:
        return self._session.given(super().features_at(time_s))

    def listen(self, now: Callable[[], float]) -> Features:
        return self.features_at(self.source.position_s())


class PerformanceLoop(FrameLoop):
    """The frame loop of a performance. clock: its display frames are seen at seconds since the session began."""

    def __init__(
        self,
        clock: Clock,
        source: Source,
        performance: Performance,
        canvas: Canvas,
        outputs: Sequence[Output],
        guard: Guard,
        size: Callable[[], tuple[int, int]],
    ) -> None:
        super().__init__(clock, source, performance.stage, canvas, outputs, guard, size)
        self.performance = performance

    def before(self) -> None:
        self.performance.before(self.clock.now())

    def after(self, shown: DisplayFrame) -> None:
        self.performance.after()


def news_of(session: RecordedSession, contents: Contents) -> list[str]:
    """The lines about a session that the user should read before it is shown."""
    tally, name = session.tally, plain(session.folder.root)
    lines = []
    if tally.n_damaged or tally.n_missing:
        lines.append(
            f"{name}: {tally.n_damaged + tally.n_missing} events are damaged or missing, and left out; "
            "`visualizer sessions check` says more"
        )
    if contents.n_unknown:
        lines.append(f"{name}: {contents.n_unknown} events are of a newer version of the program, and left out")
    if not session.info.has_dreams:
        lines.append(f"{name}: was recorded without dream frames; they are baked again")
    return lines
