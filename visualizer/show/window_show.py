"""A show in a window: the frame loop, and what is done around it once a display frame is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..beat.features import Features
from ..clock import local_time
from ..control.actions import find_actions
from ..control.commands import Act, Command, Set, ShowPreset
from ..control.controller import Controller
from ..control.keys import Keymap, help_lines
from ..control.parameters import base_parameters
from ..control.state import Context
from ..errors import GraphicsError, VisualizerError
from ..outputs.camera import Camera
from ..outputs.output import Output
from ..outputs.window import WindowOutput
from ..presets import dreams as dreams_room
from ..presets.cache import FrameCache
from ..presets.loaded import LoadedPreset
from ..presets.loader import OpenedPreset, PresetLoader
from ..render.monitors import Area
from ..render.picture import Picture
from ..supervision.resume import JourneyState, ResumeState
from .adaptive_size import AdaptiveSize
from .clocks import RateMeter, ScreenClock
from .controllers import Controllers
from .dispatcher import Dispatcher
from .effects import LoaderEffects, RecorderEffects, StageEffects, WindowEffects
from .frame import LOST_AFTER, FrameLoop
from .garbage import scheduled_collection
from .graphics import Graphics, rebuilt
from .guard import Guard
from .hud_text import HUD_REFRESH_S, Notices, figure_lines
from .journey_state import ResumedJourney, resumed
from .look_guard import LookGuard
from .panel_switch import OpensPanel, PanelSwitch
from .picture_sources import PictureOptions, PictureSources
from .preset_saver import PresetSaver
from .recorder import Recorder, RecordingOptions
from .reload import Reloader
from .sound_watch import SoundWatch
from .source import Source
from .stage import DisplayFrame, Scene, Stage, build_picture
from .telemetry import Telemetry

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

log = logging.getLogger(__name__)

MONITOR_CHECK_S = 1.0  # how often the monitor is asked for its refresh rate: the window may be on another one
LOST_CHECK_S = 0.03  # how often the driver is asked whether the graphics card was reset
STATE_S = 0.25  # how often the supervisor gets the state of the show
MAX_REBUILDS = 8  # of the graphics in a row, over some 20 s, until starting another process is better


@dataclass(frozen=True)
class WindowShowOptions:
    """What a show in a window has besides its source and its picture.

    outputs: where the pictures go besides the window; they are closed with it. adapt: draw smaller where the machine
    cannot keep the pace. follow_monitor: keep the pace of the monitor that the window is on. controllers: what gives
    commands besides the keyboard. opens_panel: opens the performer's panel. lifeline: the connection to the supervisor.
    title: of the window; that of the source if None. recording: how it is recorded as a session. on_command: called
    with every command. say: called with lines for the terminal, on any thread. left_out: paths of looks that the
    picture is not drawn with, see `LookGuard`. journey: where the journey of the preset goes on. pictures: where it
    gets pictures for a journey.
    """

    outputs: Sequence[Output] = ()
    adapt: bool = True
    follow_monitor: bool = True
    controllers: Sequence[Controller] = ()
    opens_panel: OpensPanel | None = None
    lifeline: Lifeline | None = None
    title: str | None = None
    recording: RecordingOptions | None = None
    on_command: Callable[[Command], None] = lambda command: None
    say: Callable[[str], None] = log.warning
    left_out: Collection[str] = ()
    journey: ResumedJourney | None = None
    pictures: PictureOptions | None = None


class WindowShow(FrameLoop):
    """A show in a window. `run` shows it; `close` must be called, then the window is closed with everything else.

    picture: of the preset, with its image in place; it belongs to the show from here on, as do the graphics. clock: set
    to the window's pace.
    """

    clock: ScreenClock

    def __init__(
        self,
        graphics: Graphics,
        source: Source,
        loaded: LoadedPreset,
        cache: FrameCache,
        dreams: dreams_room.FrameSource,
        picture: Picture,
        clock: ScreenClock,
        keymap: Keymap,
        guard: Guard,
        options: WindowShowOptions,
    ) -> None:
        self._graphics, self._window = graphics, graphics.window
        self._cache, self._options = cache, options
        journey = options.journey
        self._scene = Scene(picture, dreams, loaded, journey=None if journey is None else journey.state)
        outputs = [self._window_output(), *options.outputs]
        stage = Stage(graphics.window, self._scene)
        super().__init__(clock, source, stage, graphics.canvas, outputs, guard, self._drawn_size)
        self.clock = clock
        _ = graphics.hud  # made now, and not between two display frames
        self._meter = RateMeter()
        self._refresh_hz = self._window.refresh_hz if options.follow_monitor else None
        self._adaptation = AdaptiveSize(clock.times.period_s) if options.adapt else None
        self._window_size = self._window.framebuffer_size
        self._notices = Notices(lambda: self.clock.time_s)
        self._hud_lines: list[str] = []
        self._key_lines = help_lines(keymap, source.capabilities)
        self._hud_written_s = self._monitor_checked_s = self._lost_checked_s = self._state_sent_s = 0.0
        self._news: list[str | None] = []  # of the display frame before
        self._edit_fault = ""  # the newest that was shown
        self._camera, self._saver = Camera(), PresetSaver()
        self._loader = PresetLoader(loaded, cache)
        self._controllers = Controllers(options.controllers, guard)
        self._panel = PanelSwitch(self._controllers, options.opens_panel, lambda: self._window)
        context = Context(find_actions(), base_parameters(), keymap, source.capabilities)
        self._on_stage = StageEffects(context, loaded, self.stage, source, guard)
        self._video: Output | None = None  # the recorder's, which closes it
        self.recorder = Recorder(source, clock.now, context, guard, options.recording)
        self._on_window = WindowEffects(self._window, self._panel, guard, lambda: self.clock.time_s)
        self._pictures = PictureSources(
            options.pictures or PictureOptions(), lambda: self.stage.scene, self._notices.answer, self._say_everywhere
        )
        self.dispatcher = self._new_dispatcher(context)
        self.dispatcher.dispatch(self._on_stage.shown(loaded, self._scene.control.parameters))
        self.dispatcher.report()
        self._telemetry = Telemetry(
            source, self._controllers, self.dispatcher, self._on_stage, self._loader, self.recorder
        )
        self._lifeline, self._sound_watch = options.lifeline, SoundWatch(options.lifeline)
        self._reloader = Reloader(options.say)
        self._looks = LookGuard(
            lambda: self.clock.time_s, lambda: self.dispatcher.state.n_openings, self._say_everywhere, options.left_out
        )
        self._follow_files()
        self._title_shown: str | None = None
        guard.report_to(self._notices.say)

    def _new_dispatcher(self, context: Context) -> Dispatcher:
        """The dispatcher of all that commands change in a window show."""
        effects = [
            self._on_window,
            self._on_stage,
            LoaderEffects(self._loader, self.guard, self._notices.answer),
            RecorderEffects(self.recorder, self.guard, lambda: self.stage.scene.loaded.size),
        ]
        requests: dict[str, Callable[[str], str | None]] = {
            "screenshot": self._camera.want,
            "next_monitor": lambda _: self._window.next_monitor() or "there is no other monitor",
            "learn": self._controllers.learn,
            "look": self._on_stage.fire,
            "next_layer": lambda _: self.stage.scene.next_layer(),
            "save_preset": self._save_preset,
            **self._pictures.requests,
        }
        return Dispatcher(
            context,
            self.source,
            effects,
            notices=self._notices,
            guard=self.guard,
            requests=requests,
            on_command=self._note_command,
        )

    def _note_command(self, command: Command) -> None:
        self.recorder.command(command)
        self._options.on_command(command)

    def _say_everywhere(self, line: str) -> bool:
        """Show a line in the window and in the terminal, and return True; False where it was shown a moment ago."""
        is_new = self._notices.say(line)
        if is_new:
            self._options.say(line)
        return is_new

    def say(self, *lines: str) -> None:
        """Show lines at the bottom of the screen, one after another."""
        for line in lines:
            if line:
                self._notices.say(line)

    def resume(self, state: ResumeState) -> None:
        """Continue from the state of a show that crashed: call once, before `run`."""
        if state.values.get("blackout"):
            self.stage.begin_dark()
        self.source.resume_from(state)
        self.dispatcher.report()
        for name, value in state.values.items():
            self.dispatcher.dispatch(Set(name, value))
        if state.hud:
            self.dispatcher.dispatch(Act("help"))
        if state.panel:
            self.open_panel(state.panel_place)

    def open_panel(self, place: Area | None = None) -> None:
        """Open the performer's panel; where it cannot be opened, the reason is shown. place: where its window was
        before.
        """
        self._panel.last_place = place or self._panel.last_place
        self.dispatcher.dispatch(Act("panel"))
        if not self._panel.is_open:
            self._notices.say(self.dispatcher.said)

    def run(self, on_frame: Callable[[int, DisplayFrame], bool] | None = None) -> int:
        """Start the source and show it until it or the user ends, or `on_frame` returns True; the number of display
        frames.
        """
        with scheduled_collection() as self._garbage:
            self.source.start()
            self.stage.began = local_time() - timedelta(seconds=self.source.position_s())
            for shown in self.frames():
                if on_frame is not None and on_frame(self.n_frames, shown):
                    break
        return self.n_frames

    def close(self) -> None:
        """Stop baking and release the graphics memory: all of it, should one part fail."""
        with ExitStack() as stack:  # the last one first
            for output in self.outputs:
                stack.callback(output.close)
            for part in (self._graphics, self.stage):
                stack.callback(part.release)
            stack.callback(self.recorder.close)
            for scene in (self.stage.leaving, self.stage.coming, self.stage.scene):
                if scene is not None:
                    stack.callback(scene.dreams.close)
            stack.callback(self._loader.close)
            stack.callback(self._reloader.close)
            stack.callback(self._controllers.close)
            stack.callback(self._saver.close)
            stack.callback(self._pictures.close)

    def after(self, shown: DisplayFrame) -> None:
        """Everything that can be late without an effect on the picture: keys, commands, presets, text, telemetry,
        supervision, memory.
        """
        rate_hz, part = self._meter.count(), self.guard.part
        self.recorder.follow(
            shown,
            self.stage,
            self.dispatcher.state,
            size=self._drawn_size(),
            window_size=self._window.framebuffer_size,
            rate_hz=self.clock.rate_hz,
        )
        if self.recorder.video is not self._video:
            self._change_video(self.recorder.video)
        with part("keyboard", "other keys may still work"):
            self.dispatcher.press(self._window.events())
        with part("pictures", "the journey goes on without them"):
            self._pictures.follow(self._window.dropped())
        for change in self._controllers.poll():
            self.dispatcher.dispatch(change)
        if self._camera.is_wanted:
            with part("screenshot", "the picture goes on"):
                self.take_screenshot(self._camera, self._window.framebuffer_size)
        with part("change of presets", "the picture stays as it was"):
            self._follow_loader()
            self._follow_edits()
        with part("commands", "other commands may still work"):
            self.dispatcher.report()
        with part("notices", "the log has them"):
            self._take_news()
        text = part("text on the screen", "the picture goes on")
        if not text.is_suspended:
            with text:
                self._write_text(shown, rate_hz)
        with part("panel", "the picture goes on"):
            self._telemetry.send(
                shown, rate_hz, self.clock, self._scale, self._notices.line, self._hud_lines, self._faults
            )
        if self._lifeline is not None:
            self._report_to(self._lifeline)
        self._garbage.collect_some()
        self._adapt_size()
        if not (self.stage.is_busy or self.stage.is_dark):  # else display frames are not typical
            can_be_smaller = self._adaptation is not None and self._adaptation.can_be_smaller
            self._looks.keep_budget(self.stage.scene.picture, self.clock.times.work_s, can_be_smaller=can_be_smaller)
        self.ended = self._window.should_close or self.dispatcher.state.ended
        if not self.ended and self._is_lost():
            self._rebuild()

    # -- drawing ------------------------------------------------------------------------------------------------------

    def draw(self, features: Features) -> DisplayFrame:
        self.recorder.features(features, self.stage)
        return super().draw(features)

    @property
    def _scale(self) -> float:
        """The share of the window's width and height that is drawn."""
        return self._adaptation.scale if self._adaptation is not None else 1.0

    def _drawn_size(self) -> tuple[int, int]:
        width, height = self._window.framebuffer_size
        if (width, height) == (0, 0) and len(self.outputs) > 1:
            # minimised: the other outputs go on, in the preset's size where there was none before
            return self.canvas.size if self.canvas.size != (0, 0) else self.stage.scene.loaded.size
        if (width, height) == (0, 0) or self._scale == 1.0:
            return width, height
        return max(1, round(width * self._scale)), max(1, round(height * self._scale))

    def _change_video(self, video: Output | None) -> None:
        """Show pictures on the video of a recording, too, or no longer."""
        self.outputs = [one for one in self.outputs if one is not self._video]
        self.outputs += [] if video is None else [video]
        self._video = video

    def _window_output(self) -> WindowOutput:
        return WindowOutput(self._window, self._draw_text, lambda: self.clock.drawn(), lambda: self.clock.shown())

    def _draw_text(self) -> None:
        """Draw the text over the picture in the window: as it was written after the display frame before."""
        part = self.guard.part("text on the screen", "the picture goes on")
        if not part.is_suspended:
            with part:
                self._graphics.hud.show()

    @property
    def _faults(self) -> tuple[str, ...]:
        """What fails at present, a line each."""
        return (*self.guard.faults(), *([self._reloader.fault] if self._reloader.fault else []))

    # -- after the swap -----------------------------------------------------------------------------------------------

    def _follow_loader(self) -> None:
        """Bring a preset that has been opened, and release what has left the stage."""
        stage = self.stage
        if not stage.is_crossing and (opened := self._loader.poll()) is not None:
            self._bring(opened)
        if stage.scene is not self._scene:
            self._scene = stage.scene
            loaded = stage.scene.loaded
            self.dispatcher.dispatch(self._on_stage.shown(loaded, stage.scene.control.parameters))
            self._notices.answer(loaded.settings.title)
            self.say(*stage.scene.news)
            self._follow_files()
        if (gone := stage.take_gone()) is not None:
            gone.picture.release()
            del gone
            self._garbage.collect_all()  # what is left of it, now that a delay is hardly seen

    def _save_preset(self, _: str) -> str | None:
        scene = self.stage.scene
        return self._saver.save(scene.loaded, scene.picture.links, self.dispatcher.state)

    def _follow_files(self) -> None:
        """Follow the files of what is shown, and how long its looks take."""
        self._looks.shown(self._scene.loaded)
        self._reloader.follow(self._scene.loaded, self._scene.all_links, self._drawn_size())

    def _follow_edits(self) -> None:
        """Show the preset and its looks as they were edited."""
        if self.stage.is_crossing or (edit := self._reloader.poll()) is None:
            return
        if edit.links is None:
            self.dispatcher.dispatch(ShowPreset(edit.loaded.reference))
            return
        scene = self.stage.scene
        try:
            scene.exchange(edit.loaded, edit.links, edit.transition)
        except VisualizerError as fault:
            self._reloader.failed(str(fault))
            return
        self.recorder.edited(scene, edit.copy)
        self._reloader.shown(scene.all_links)
        self._looks.edited(edit.loaded)
        self._report_looks()
        self.dispatcher.dispatch(self._on_stage.shown(scene.loaded, scene.control.parameters))
        self._notices.answer(f"{scene.loaded.settings.title}: shown as saved")
        self.say(*scene.news)

    def _bring(self, opened: OpenedPreset) -> None:
        left_out = self._looks.left_out()
        try:
            picture = build_picture(
                opened.loaded, self._window, self._graphics.programs, left_out=left_out, fewer_stations=True
            )
        except Exception as error:
            log.exception("preset %s cannot be shown", opened.loaded.name)
            words = (
                str(error) if isinstance(error, VisualizerError) else f"{opened.loaded.name}: {type(error).__name__}"
            )
            self._notices.answer(f"{words}; the picture stays as it was")
            self._loader.release(opened.dreams)
            return
        scene = Scene(picture, opened.dreams, opened.loaded, at_most=1)
        self._loader.release(self.stage.scene.dreams)  # two bakes at once would each take twice as long
        replaced = self.stage.bring(scene)
        self._report_looks()
        self.recorder.follow_stage(self.stage)  # before its first dream frame is put into the picture
        if replaced is not None:
            self._loader.release(replaced.dreams)
            replaced.picture.release()

    def _take_news(self) -> None:
        lines = [self.source.news(), self._sound_watch.news(), self._window.news(), *self.stage.scene.faults]
        if (fault := self._reloader.fault) != self._edit_fault:
            self._notices.take_back(self._edit_fault)
            self._edit_fault = fault
        lines.append(fault)
        lines += self._controllers.news() + self.recorder.news()
        for line in lines:
            if line and line not in self._news:  # some return their line for as long as it is true
                self._notices.say(line)
        self._news = lines
        if (title := self._options.title or self.source.title) != self._title_shown:
            self._window.set_title(title)
            self._title_shown = title
        if answer := self._camera.answer():
            self._notices.answer(answer)
        if answer := self._saver.answer():
            self._notices.answer(answer)
            self._loader.list_again()

    def _write_text(self, shown: DisplayFrame, rate_hz: float) -> None:
        """Write the figures and the notice that are drawn over the next display frame."""
        time_s, dispatcher = self.clock.time_s, self.dispatcher
        if time_s - self._monitor_checked_s > MONITOR_CHECK_S:
            self._monitor_checked_s = time_s
            self._follow_monitor()
        if dispatcher.state.hud and time_s - self._hud_written_s >= HUD_REFRESH_S:
            self._hud_written_s = time_s
            self._hud_lines = (
                figure_lines(
                    self._on_stage.loaded, shown, self.clock.times, rate_hz, self._scale, dispatcher.state_words()
                )
                + self.source.status()
                + self._controllers.status()
                + self.recorder.status()
                + [f"degraded\t{fault}" for fault in self._faults]
            )
        # no text in a blackout: notices wait; while the panel is open, it shows them
        hidden = self.stage.is_dark or (self._panel.is_open and not dispatcher.state.hud)
        notice = None if self.stage.is_dark else self._notices.current()
        hud = dispatcher.state.hud
        self._graphics.hud.write(
            self._hud_lines if hud else (),
            self._window.framebuffer_size,
            None if hidden else notice,
            self._key_lines if hud else (),
        )

    def _report_to(self, lifeline: Lifeline) -> None:
        times = self.clock.times
        lifeline.beat(self.n_frames, times.n_dropped, times.longest_s * 1000)
        if self.clock.time_s - self._state_sent_s > STATE_S:
            self._state_sent_s = self.clock.time_s
            with self.guard.part("lifeline", "after a crash the show may start without its state"):
                lifeline.keep(self._state())

    def _report_looks(self) -> None:
        """Report the looks that are drawn from now on, before they are: they may hang the graphics driver."""
        if self._lifeline is not None:
            with self.guard.part("lifeline", "after a crash the show may start without its state"):
                self._lifeline.keep(self._state(), at_once=True)

    def _state(self) -> ResumeState:
        """The state that a restarted show continues from."""
        dispatcher, (place, fullscreen, monitor) = self.dispatcher, self._window.window_place
        self._looks.drawn.note(link for scene in self.stage.scenes for link in scene.picture.links)
        return ResumeState(
            preset=self._loader.opening or self._on_stage.loaded.reference,
            place=place,
            fullscreen=fullscreen,
            monitor=monitor,
            values=dispatcher.set_by_hand(),
            hud=dispatcher.state.hud,
            panel=self._panel.is_open,
            panel_place=self._panel.place,
            looks=self._looks.drawn.suspects,
            left_out=tuple(sorted(self._looks.drawn.left_out)),
            journey=None if self._loader.opening else self._journey(),
            **self.source.resume_values(),
        )

    def _journey(self) -> JourneyState | None:
        travel = self.stage.scene.travel
        return None if travel is None else travel.kept

    def _adapt_size(self) -> None:
        """Draw smaller or larger, by how long display frames took."""
        # a transition draws two scenes, and new dream frames take time to upload: these display frames are not typical
        if self._adaptation is None or self.stage.is_busy or self.stage.is_dark:
            return
        if (size := self._window.framebuffer_size) != self._window_size:
            self._window_size = size
            self._adaptation.reset(self.clock.times.period_s)
        elif self._adaptation.note(self.clock.times.work_s):
            log.info("drawing at %.0f %% of the size", 100 * self._scale)

    def _follow_monitor(self) -> None:
        """Keep the pace of the monitor that the window is on now."""
        if self._refresh_hz is None or (refresh_hz := self._window.refresh_hz) == self._refresh_hz:
            return
        log.info("the monitor refreshes %g times a second, the one before %g times", refresh_hz, self._refresh_hz)
        self.clock.set_rate(refresh_hz * self.clock.rate_hz / self._refresh_hz)
        self._refresh_hz = refresh_hz
        self._window_size = (0, 0)  # the size to draw in is found again, too

    # -- when the graphics card or its driver was reset ---------------------------------------------------------------

    def _is_lost(self) -> bool:
        """Whether nothing can be drawn in this window any more."""
        if self.clock.time_s - self._lost_checked_s < LOST_CHECK_S:
            return False
        self._lost_checked_s = self.clock.time_s
        return self._window.is_lost or self.is_undrawable or self.guard.part("window", "").n_in_a_row >= LOST_AFTER

    def _rebuild(self) -> None:
        """Build everything that lies on the graphics card again, in another window in the place of this one."""
        part = self.guard.part("graphics", "built again")
        if part.is_suspended:
            return
        log.error("the graphics are lost; they are built again")
        with part:
            before, lost, loaded = self.stage, self._graphics, self.stage.scene.loaded
            self._looks.graphics_lost(before.scene.picture)
            coming = before.coming.loaded if before.coming is not None else None
            journey = resumed(loaded, self._cache, self._journey())
            self._graphics, picture = rebuilt(lost.window, before.scene, dark=before.is_dark, journey=journey)
            self._window, self.canvas = self._graphics.window, self._graphics.canvas
            if journey is not None and coming is None:
                dreams = dreams_room.start(loaded, self._cache, journey.begun)
                self._scene = Scene(picture, dreams, loaded, journey=journey.state)
                self.say(journey.news)
            else:
                self._scene = Scene(picture, dreams_room.ReadyDreams([]), loaded)
            self.stage = Stage(self._window, self._scene)
            self.stage.continue_from(before)
            self.recorder.follow_stage(self.stage)  # before its first dream frame is put into the picture
            self.outputs[0] = self._window_output()
            with suppress(Exception):  # whatever of what is lost can still be released
                lost.window.make_current()
                before.release()
                lost.release()
            self._window.make_current()
            self._n_undrawn = 0
            self.guard.part("plain drawing", "").reset()
            self.guard.part("window", "").reset()
            self._on_window.window = self._window
            self._on_stage.replace(self.stage, self.dispatcher.state)
            for gone in (before.scene, before.coming, before.leaving):
                if gone is not None:
                    self._loader.release(gone.dreams)
            if self._scene.travel is None:
                self._loader.load_again(coming or loaded)
            lost.window.close()
            self._notices.say("the graphics were lost, and are built again")
        if part.n_in_a_row > MAX_REBUILDS:
            raise GraphicsError(f"the graphics are lost and cannot be built again ({part.fault})")
