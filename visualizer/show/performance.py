"""A show in its window from the first picture to the last: what is done for every display frame."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

import numpy as np

from ..errors import VisualizerError
from ..render.gl import Stage
from ..render.hud import Hud
from ..render.picture import Picture
from ..render.programs import Programs
from ..render.window import Window
from ..store.cache import FrameCache
from ..store.keys import Keymap
from ..store.screenshots import save_screenshot
from . import dreams as dreams_room
from .adapt import RenderScale
from .changes import Changes, Opened
from .clocks import RateMeter, ScreenClock, Stopwatch, day_and_time
from .desk import Desk
from .look import Look
from .loop import Shown, display_frames
from .panel import Notices, figure_lines, key_lines
from .projection import Projection
from .scene import Scene
from .sound import Sound
from .sweep import no_pauses

log = logging.getLogger(__name__)

HUD_REFRESH_S = 0.15  # numbers that change at every refresh cannot be read, and cost a new texture each
MONITOR_LOOK_S = 1.0  # how often the monitor is asked for its refresh rate: the window may be on another one


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
        """Do one of panel.OF_ACTS; what to answer. What the act has no use for is ignored."""

    def set_look(self, look: Look) -> None:
        """Another look is shown, or the same with other settings for the beat: take them over."""

    def status(self) -> list[str]:
        """Lines for the HUD."""

    def news(self) -> str | None:
        """A line to be said once on the screen, if there is one."""

    def over(self) -> bool:
        """True when the show has come to its end."""


def picture_of(look: Look, stage: Stage, programs: Programs) -> Picture:
    """A picture of the look with its image in its place. Raises BadInput or GraphicsError for one this driver cannot show."""
    picture = Picture(stage.ctx, look.size, look.n_depths, look.settings.render.shader, len(look.rows), programs)
    try:
        picture.put(0, look.image)
    except BaseException:
        picture.release()
        raise
    return picture


class Performance:
    """A look in a window, moved by an act. `run` shows it; `close` must be called, then the context's own go with the window.

    picture: of the look, with its image in place; it is the performance's from here on, as are its `programs`. clock: set to
    the window's pace. follow_monitor: keep the pace of the monitor that the window is on. adapt: draw smaller where the
    machine cannot hold the pace. takes: the actions of panel.OF_ACTS that the act has a use for.
    """

    def __init__(
        self,
        window: Window,
        act: Act,
        look: Look,
        cache: FrameCache,
        picture: Picture,
        programs: Programs,
        clock: ScreenClock,
        keymap: Keymap,
        *,
        takes: Collection[str],
        adapt: bool = True,
        follow_monitor: bool = True,
    ) -> None:
        self._window, self._act, self._clock, self._programs = window, act, clock, programs
        self._watch, self._meter = Stopwatch(), RateMeter()
        self._refresh_hz = window.refresh_hz if follow_monitor else None
        self._scale = RenderScale(clock.times.period_s) if adapt else None
        self._size = window.framebuffer_size
        self._notices = Notices()
        self._hud = Hud(window.ctx)
        self._hud_lines: list[str] = []
        self._key_lines = key_lines(keymap, takes)
        self._hud_since_s = self._monitor_since_s = 0.0
        self._saved: deque[str] = deque()  # what became of screenshots, told by their threads
        self._scene = Scene(picture, dreams_room.start(look, cache), look.n_depths, look=look)
        self._projection = Projection(window, self._scene, now=self._watch.elapsed_s)
        self._changes = Changes(look, cache)
        self._desk = Desk(
            keymap,
            window=window,
            projection=self._projection,
            act=act,
            changes=self._changes,
            notices=self._notices,
            look=look,
            takes=takes,
            now=self._watch.elapsed_s,
        )

    def say(self, *lines: str) -> None:
        """Lines to be said at the bottom of the screen."""
        for line in lines:
            if line:
                self._notices.say(line)

    def run(self, on_frame: Callable[[int, Shown], bool] | None = None) -> int:
        """Start the act and show it until it is over, the user ends it or `on_frame` says so; how many frames there were."""
        n_frames = 0
        with no_pauses() as self._sweep:
            self._act.start()
            frames = display_frames(self._window, self._projection, self._clock, self._act.sound, self._rest)
            for shown in frames:
                n_frames += 1
                rate_hz = self._meter.count()
                self._desk.press(self._window.events())
                if self._desk.screenshot_wanted:
                    self._take_screenshot()
                self._follow_changes()
                self._tell_news()
                self._write(shown, rate_hz)
                if self._window.should_close or self._act.over() or self._desk.ended:
                    break
                if on_frame is not None and on_frame(n_frames, shown):
                    break
        return n_frames

    def close(self) -> None:
        """Stop baking and give the graphics memory back."""
        self._changes.close()
        for scene in (self._projection.scene, self._projection.coming, self._projection.leaving):
            if scene is not None:
                scene.dreams.close()
        self._projection.release()
        self._hud.release()
        self._programs.release()

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
            projection.n_depths = projection.scene.n_depths
            if (look := projection.scene.look) is not None:
                self._desk.set_look(look)
                self._notices.answer(look.settings.title)
                self.say(*look.news)
        if (gone := projection.take_gone()) is not None:
            gone.picture.release()
            self._sweep.all()  # what is left of it, while the picture has no need to hurry

    def _bring(self, opened: Opened) -> None:
        try:
            picture = picture_of(opened.look, self._window, self._programs)
        except VisualizerError as error:
            self._notices.answer(f"{error}; the picture stays as it was")
            self._changes.let_go(opened.dreams)
            return
        scene = Scene(picture, opened.dreams, opened.look.n_depths, at_most=1, look=opened.look)
        self._changes.let_go(self._projection.scene.dreams)  # two bakes would share what the machine has
        if (replaced := self._projection.bring(scene)) is not None:
            self._changes.let_go(replaced.dreams)
            replaced.picture.release()

    def _tell_news(self) -> None:
        for line in (self._act.news(), self._window.news(), self._projection.scene.dreams.fault):
            if line:
                self._notices.say(line)
        for answer in (self._changes.fault(), self._saved.popleft() if self._saved else None):
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
                figure_lines(desk.look, shown, self._clock.times, rate_hz, scale, states) + self._act.status()
            )
        size = self._window.framebuffer_size
        if size != (0, 0):
            # a blackout is black: what there is to say waits
            notice = None if self._projection.is_dark else self._notices.current(elapsed_s)
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

    def _take_screenshot(self) -> None:
        """The picture as it is drawn now, without the words over it; kept by a thread."""
        self._desk.screenshot_wanted = False
        pixels = self._window.read()
        if pixels is not None:
            threading.Thread(target=self._save, args=(pixels, day_and_time()), name="screenshot").start()

    def _save(self, pixels: np.ndarray, stamp: str) -> None:
        try:
            self._saved.append(f"screenshot: {save_screenshot(pixels, stamp)}")
        except VisualizerError as error:
            log.warning("%s", error)
            self._saved.append(str(error))
