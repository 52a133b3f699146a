"""A show in its window from the first picture to the last: what is done for every display frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Protocol

from ..clock import Stopwatch, monotonic
from ..control.commands import Change, Learn, Set
from ..control.controller import Controller
from ..control.keys import Keymap
from ..control.snapshot import Meters
from ..errors import GraphicsError, VisualizerError
from ..outputs.camera import Camera
from ..presets import dreams as dreams_room
from ..presets.cache import FrameCache
from ..presets.dreams import FrameSource
from ..presets.loaded import LoadedPreset
from ..presets.loader import OpenedPreset, PresetLoader
from ..render.hud import Hud
from ..render.monitors import Area
from ..render.picture import Picture
from ..render.programs import Programs
from ..render.window import Window
from ..supervision.resume import ResumeState
from .adapt import RenderScale
from .clocks import RateMeter, ScreenClock
from .controllers import Controllers
from .desk import Desk
from .guard import Guard
from .loop import Shown, display_frames
from .projection import Projection
from .pulse import LEAST_SURE
from .rebuild import built_anew, picture_of
from .safe import SafeDrawing, SafeSound
from .scene import Scene
from .sound import Sound
from .sound_watch import SoundWatch
from .sweep import no_pauses
from .telling import OpensPanel, PanelKeeper, Teller
from .words import Notices, figure_lines, key_lines

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

log = logging.getLogger(__name__)

HUD_REFRESH_S = 0.15  # numbers that change at every refresh cannot be read, and cost a new texture each
MONITOR_LOOK_S = 1.0  # how often the monitor is asked for its refresh rate: the window may be on another one
LOST_LOOK_S = 0.03  # how often the driver is asked whether the card was reset: until then the last picture stands
KEEP_S = 0.25  # how often the lifeline is told how the show stands
MOST_REBUILDS = (
    8  # failures in a row to build the graphics anew, over some 20 s, before another process is the better try
)


class Act(Protocol):
    """What live and play put on the screen's stage."""

    @property
    def sound(self) -> Sound:
        """What is heard."""

    def start(self) -> None:
        """Begin: the window is there."""

    def position_s(self) -> float:
        """Seconds of sound heard at this instant."""

    def do(self, action: str) -> str | None:
        """Do one of words.OF_ACTS; what to answer. What the act has no use for is ignored."""

    def set_preset(self, loaded: LoadedPreset) -> None:
        """Another look is shown, or the same with other settings for the beat: take them over."""

    def values(self) -> Mapping[str, float]:
        """The `parameters.Parameters` that are the act's own, and how they stand."""

    def set_value(self, name: str, value: float) -> None:
        """Turn one of these; what is not the act's own is ignored."""

    def status(self) -> list[str]:
        """Lines for the HUD."""

    def heard(self) -> Meters:
        """What there is to show of the sound."""

    def news(self) -> str | None:
        """A line to be said once on the screen, if there is one."""

    def over(self) -> bool:
        """True when the show has come to its end."""


class Performance:
    """A look in a window, moved by an act. `run` shows it; `close` must be called, then the context's own go with the window.

    picture: of the loaded, with its image in place; it is the performance's from here on, as are its `programs`. clock: set to
    the window's pace. guard: where parts that fail are noted; sound: the act's, kept going by it. follow_monitor: keep the
    pace of the monitor that the window is on. adapt: draw smaller where the machine cannot hold the pace. takes: the actions
    of words.OF_ACTS that the act has a use for. controllers: what else tells the show what to do. lifeline: to whoever starts it
    anew when it dies. title: what the window is called at present, if that changes.
    """

    def __init__(
        self,
        window: Window,
        act: Act,
        loaded: LoadedPreset,
        cache: FrameCache,
        dreams: FrameSource,
        picture: Picture,
        programs: Programs,
        clock: ScreenClock,
        keymap: Keymap,
        *,
        takes: Collection[str],
        guard: Guard,
        sound: SafeSound,
        adapt: bool = True,
        follow_monitor: bool = True,
        controllers: Sequence[Controller] = (),
        opens_panel: OpensPanel | None = None,
        lifeline: Lifeline | None = None,
        title: Callable[[], str] | None = None,
    ) -> None:
        self._window, self._act, self._clock, self._programs = window, act, clock, programs
        self._guard, self._sound = guard, sound
        self._watch, self._meter = Stopwatch(), RateMeter()
        self._refresh_hz = window.refresh_hz if follow_monitor else None
        self._scale = RenderScale(clock.times.period_s) if adapt else None
        self._size = window.framebuffer_size
        self._notices = Notices(self._watch.elapsed_s)
        self._hud = Hud(window.ctx)
        self._hud_lines: list[str] = []
        self._key_lines = key_lines(keymap, takes)
        self._hud_since_s = self._monitor_since_s = self._lost_since_s = 0.0
        self._news: list[str | None] = []  # of the display frame before
        self._camera = Camera()
        self._scene = Scene(picture, dreams, loaded.n_depths, loaded=loaded)
        self._projection = Projection(window, self._scene, now=self._watch.elapsed_s)
        self._drawing = SafeDrawing(self._projection, self._projection.draw_plainly, guard)
        self._changes = PresetLoader(loaded, cache)
        self._desk = Desk(
            keymap,
            window=window,
            projection=self._projection,
            act=act,
            changes=self._changes,
            notices=self._notices,
            loaded=loaded,
            takes=takes,
            now=self._watch.elapsed_s,
        )
        self._controllers = Controllers(controllers, guard)
        self._panel = PanelKeeper(self._controllers, opens_panel)
        self._teller = Teller(act, self._controllers, guard, self._desk, self._changes)
        self._lifeline, self._sound_watch = lifeline, SoundWatch(lifeline)
        self._kept_s = 0.0
        self._title = title
        self._title_shown: str | None = None
        guard.listen(self._notices.say)

    def say(self, *lines: str) -> None:
        """Lines to be said at the bottom of the screen."""
        for line in lines:
            if line:
                self._notices.say(line)

    def resume(self, state: ResumeState) -> None:
        """Go on as a show stood that died: call once, before `run`."""
        if state.values.get("blackout"):
            self._projection.begin_dark()
        for name, value in state.values.items():
            if self._changes.turned.get(name.removeprefix("dream.")) != value:  # else it is baked so already
                self._desk.grant(Set(name, value))
        self._desk.hud_shown = state.hud
        if state.bpm > 0 and (take_up := getattr(self._act, "take_up", None)) is not None:
            take_up(state.bpm, state.beat_s)
        if (go_to := getattr(self._act, "go_to", None)) is not None:
            go_to(state.position_s, paused=state.paused, song=state.song)
        if state.panel:
            self.open_panel(state.panel_place)

    def open_panel(self, place: Area | None = None) -> None:
        """Open the performer's panel; where it cannot be, that is said."""
        if fault := self._panel.open(self._window, place):
            self._notices.say(fault)

    def run(self, on_frame: Callable[[int, Shown], bool] | None = None) -> int:
        """Start the act and show it until it is over, the user ends it or `on_frame` says so; how many frames there were."""
        n_frames = 0
        with no_pauses() as self._sweep:
            self._act.start()
            while True:
                frames = display_frames(self._window, self._drawing, self._clock, self._sound, self._rest)
                for shown in frames:
                    n_frames += 1
                    self._do_frame(n_frames, shown)
                    if self._window.should_close or self._act.over() or self._desk.ended:
                        return n_frames
                    if on_frame is not None and on_frame(n_frames, shown):
                        return n_frames
                    if self._is_lost():
                        break
                self._rebuild()

    def close(self) -> None:
        """Stop baking and give the graphics memory back: all of it, should one part fail."""
        with ExitStack() as stack:  # the last one first
            for end in (self._window.close, self._programs.release, self._hud.release, self._projection.release):
                stack.callback(end)
            for scene in (self._projection.leaving, self._projection.coming, self._projection.scene):
                if scene is not None:
                    stack.callback(scene.dreams.close)
            stack.callback(self._changes.close)
            stack.callback(self._controllers.close)

    def _do_frame(self, n_frames: int, shown: Shown) -> None:
        """All that is done for a display frame beside drawing it."""
        rate_hz = self._meter.count()
        part = self._guard.part
        with part("keyboard", "other keys may still do"):
            self._desk.press(self._window.events())
        for command in self._controllers.poll():
            with part("controls", "other controls may still do"):
                self._grant(command)
        if self._desk.screenshot_wanted:
            with part("screenshot", "the picture goes on"):
                self._desk.screenshot_wanted = False
                self._camera.take(self._window)
        with part("change of presets", "the picture stays as it was"):
            self._follow_changes()
        with part("news", "the log has it"):
            self._tell_news()
        words = part("words on the screen", "the picture goes on")
        if shown.is_drawn and not words.rests:
            with words:
                self._write(shown, rate_hz)
        with part("panel", "the picture goes on"):
            if self._desk.panel_wanted:
                self._desk.panel_wanted = False
                if fault := self._panel.toggle(self._window):
                    self._notices.answer(fault)
            notice = self._notices.line
            self._teller.tell(shown, rate_hz, self._clock, self._projection, notice, self._hud_lines)
        if self._lifeline is not None:
            times = self._clock.times
            self._lifeline.beat(n_frames, times.n_dropped, times.longest_s * 1000)
            if (now_s := self._watch.elapsed_s()) - self._kept_s > KEEP_S:
                self._kept_s = now_s
                with part("lifeline", "after a crash it may begin as at first"):
                    self._lifeline.keep(self._state())

    def _state(self) -> ResumeState:
        """How the show stands, for one that goes on from here."""
        desk, (place, fullscreen, monitor) = self._desk, self._window.window_place
        heard = self._teller.listen() if not len(self._controllers) else self._teller.heard
        song, position_s = self._act.place_in_song() if hasattr(self._act, "place_in_song") else ("", 0.0)
        is_sure = heard.bpm > 0 and heard.confidence >= LEAST_SURE  # a guess changes all the time, and says nothing
        return ResumeState(
            preset=self._changes.opening or desk.loaded.reference,
            place=place,
            fullscreen=fullscreen,
            monitor=monitor,
            values=desk.by_hand(),
            hud=desk.hud_shown,
            panel=self._panel.is_open,
            panel_place=self._panel.place,
            bpm=heard.bpm if is_sure else 0.0,
            beat_s=monotonic() - heard.phase * 60.0 / heard.bpm if is_sure else 0.0,
            input=getattr(self._act, "input_name", None),
            song=song,
            position_s=position_s,
            paused=bool(getattr(self._act, "is_paused", False)),
        )

    def _grant(self, command: Change) -> None:
        if isinstance(command, Learn):
            self._desk.said = self._controllers.learn(command.target) or self._desk.said
        else:
            self._desk.grant(command)

    def _is_lost(self) -> bool:
        """Whether nothing can be drawn in this window any more."""
        elapsed_s = self._watch.elapsed_s()
        if elapsed_s - self._lost_since_s < LOST_LOOK_S:
            return False
        self._lost_since_s = elapsed_s
        return self._window.is_lost or self._drawing.fails

    def _rebuild(self) -> None:
        """Everything that lies on the graphics card, anew, in another window in the place of this one."""
        part = self._guard.part("graphics", "built anew")
        if part.rests:
            return
        log.error("the graphics are lost; they are built anew")
        with part:
            before, loaded = self._projection, self._scene.loaded
            assert loaded is not None
            window, programs, picture, hud = built_anew(self._window, loaded, dark=before.is_dark)
            scene = Scene(picture, dreams_room.ReadyDreams([]), loaded.n_depths, loaded=loaded)
            self._projection = Projection(window, scene, now=self._watch.elapsed_s)
            self._projection.go_on_from(before)
            old, self._window = self._window, window
            with suppress(Exception):  # of what is lost, whatever can still be let go of
                old.make_current()
                for lost in (before, self._hud, self._programs):
                    lost.release()
            window.make_current()
            self._programs, self._hud, self._scene = programs, hud, scene
            self._drawing = SafeDrawing(self._projection, self._projection.draw_plainly, self._guard)
            self._desk.restage(window, self._projection)
            coming = before.coming.loaded if before.coming is not None else None
            for gone in (before.scene, before.coming, before.leaving):
                if gone is not None:
                    self._changes.release(gone.dreams)
            self._changes.load_again(coming or loaded)
            old.close()
            self._notices.say("the graphics were lost, and are built anew")
        if part.in_a_row > MOST_REBUILDS:
            raise GraphicsError(f"the graphics are lost and cannot be built anew ({part.fault})")

    def _rest(self) -> None:
        """Between two display frames."""
        self._sweep.rest()
        projection = self._projection
        # crossing draws twice and new dream frames take their time: neither tells what the machine can hold
        if self._scale is None or projection.is_busy or projection.is_dark:
            return
        if (size := self._window.framebuffer_size) != self._size:
            self._size = size
            self._scale.begin_anew(self._clock.times.period_s)
            projection.scale = self._scale.scale
        elif self._scale.note(self._clock.times.work_s):
            projection.scale = self._scale.scale
            log.info("drawing at %.0f %% of the size", 100 * projection.scale)

    def _follow_changes(self) -> None:
        """Bring a preset that has been opened, and let go of what has left the stage."""
        projection = self._projection
        if not projection.is_crossing and (opened := self._changes.poll()) is not None:
            self._bring(opened)
        if projection.scene is not self._scene:
            self._scene = projection.scene
            if (loaded := projection.scene.loaded) is not None:
                self._desk.set_preset(loaded)
                self._notices.answer(loaded.settings.title)
                self.say(*loaded.news)
        if (gone := projection.take_gone()) is not None:
            gone.picture.release()
            del gone
            self._sweep.all()  # what is left of it, while the picture has no need to hurry

    def _bring(self, opened: OpenedPreset) -> None:
        try:
            picture = picture_of(opened.loaded, self._window, self._programs)
        except Exception as error:
            log.exception("preset %s cannot be shown", opened.loaded.name)
            words = (
                str(error) if isinstance(error, VisualizerError) else f"{opened.loaded.name}: {type(error).__name__}"
            )
            self._notices.answer(f"{words}; the picture stays as it was")
            self._changes.release(opened.dreams)
            return
        scene = Scene(picture, opened.dreams, opened.loaded.n_depths, at_most=1, loaded=opened.loaded)
        self._changes.release(self._projection.scene.dreams)  # two bakes would share what the machine has
        if (replaced := self._projection.bring(scene)) is not None:
            self._changes.release(replaced.dreams)
            replaced.picture.release()

    def _tell_news(self) -> None:
        lines = [self._act.news(), self._sound_watch.news(), self._window.news(), self._projection.scene.dreams.fault]
        lines += self._controllers.news()
        for line in lines:
            if line and line not in self._news:  # some go on saying it for as long as it holds
                self._notices.say(line)
        self._news = lines
        if self._title is not None and (title := self._title()) != self._title_shown:
            self._window.set_title(title)
            self._title_shown = title
        for answer in (self._changes.fault(), self._camera.answer()):
            if answer:
                self._notices.answer(answer)

    def _write(self, shown: Shown, rate_hz: float) -> None:
        """Figures, keys and notices over the picture."""
        elapsed_s, desk = self._watch.elapsed_s(), self._desk
        if elapsed_s - self._monitor_since_s > MONITOR_LOOK_S:
            self._monitor_since_s = elapsed_s
            self._follow_monitor()
        if desk.hud_shown and elapsed_s - self._hud_since_s >= HUD_REFRESH_S:
            self._hud_since_s = elapsed_s
            scale, states = self._projection.scale, desk.states()
            self._hud_lines = (
                figure_lines(desk.loaded, shown, self._clock.times, rate_hz, scale, states)
                + self._act.status()
                + self._controllers.status()
                + [f"degraded\t{fault}" for fault in self._guard.faults()]
            )
        size = self._window.framebuffer_size
        if size != (0, 0):
            # a blackout is black: what there is to say waits; and who has a panel reads it there
            notice = None if self._projection.is_dark else self._notices.current()
            notice = None if self._panel.is_open and not desk.hud_shown else notice
            if desk.hud_shown:
                self._hud.draw(self._hud_lines, size, notice, self._key_lines)
            else:
                self._hud.draw((), size, notice)

    def _follow_monitor(self) -> None:
        """Keep the pace of the monitor that the window is on now."""
        if self._refresh_hz is None or (refresh_hz := self._window.refresh_hz) == self._refresh_hz:
            return
        log.info("the monitor refreshes %g times a second, the one before %g times", refresh_hz, self._refresh_hz)
        self._clock.set_rate(refresh_hz * self._clock.rate_hz / self._refresh_hz)
        self._refresh_hz = refresh_hz
        self._size = (0, 0)  # the size to draw in is found anew, too
