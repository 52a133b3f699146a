"""Replaying a recorded session in a window: it can be paused, and gone back and forth in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from ..clock import monotonic
from ..control.actions import find_actions
from ..control.keys import Keymap, help_lines, load_keys
from ..control.parameters import base_parameters
from ..control.state import Context, ShowState
from ..memory import give_large_blocks_back
from ..oneline import time_text
from ..outputs.camera import Camera
from ..outputs.window import WindowOutput
from ..presets import dreams as dreams_room
from ..presets.cache import FrameCache
from ..render.awake import kept_awake
from ..render.window import Window
from ..session.events import CLOCK_HZ, Event
from ..session.reader import RecordedSession
from .clocks import ScreenClock
from .controllers import Controllers
from .dispatcher import Dispatcher
from .effects import Effects, WindowEffects
from .graphics import Graphics
from .guard import Guard
from .hud_text import Notices
from .onscreen import Staging
from .panel_switch import PanelSwitch
from .performance import PREROLL_S, Contents, Performance, PerformanceLoop, PerformedSource, contents_of, news_of
from .source import Capability, Source
from .sources.session import SessionSource
from .sources.song import SEEK_S
from .stage import DisplayFrame

log = logging.getLogger(__name__)

#: a display frame shows at most so much of the session, seconds: a machine that cannot keep up shows it more slowly
MOST_AT_ONCE_S = 0.25
#: what is of use in a replay; the commands of the recorded show are not given again
_ACTIONS = (
    *("help", "fullscreen", "next_monitor", "leave_fullscreen", "quit", "lock", "screenshot", "freeze"),
    *("seek_back", "seek_forward"),
)


class Transport(Source):
    """Where in a session the replay is: its time goes on by itself, and can be paused and moved.

    duration_s: of the session. n_seeks: how often it was moved.
    """

    capabilities = frozenset({Capability.SEEK, Capability.PAUSE})

    def __init__(self, duration_s: float, *, now: Callable[[], float] = monotonic) -> None:
        self.duration_s, self.n_seeks = duration_s, 0
        self._now = now
        self._place_s, self._since_s, self._is_paused = 0.0, now(), False

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    def position_s(self) -> float:
        running_s = 0.0 if self._is_paused else self._now() - self._since_s
        return min(self._place_s + running_s, self.duration_s)

    def go_to(self, position_s: float) -> None:
        """Continue at another place, seconds."""
        self._place_s, self._since_s = min(max(position_s, 0.0), self.duration_s), self._now()

    def do(self, action: str, at_s: float | None = None) -> str | None:
        if action == "pause":
            self.go_to(self.position_s())
            self._is_paused = not self._is_paused
        elif action in ("seek_back", "seek_forward"):
            self.go_to(self.position_s() + (SEEK_S if action == "seek_forward" else -SEEK_S))
            self.n_seeks += 1
            return f"{time_text(self.position_s())} / {time_text(self.duration_s)}"
        return None


class TransportEffects(Effects):
    """What commands do to a replay: they pause it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        if after.freeze != before.freeze and self._transport.is_paused != after.freeze:
            self._transport.do("pause")
        return []


class Replay(PerformanceLoop):
    """A session in a window. performs: begins a performance after the events before some index of `events`."""

    def __init__(
        self,
        graphics: Graphics,
        contents: Contents,
        events: Sequence[Event],
        performs: Callable[[Sequence[Event], Sequence[Event]], tuple[Performance, SessionSource]],
        transport: Transport,
        keymap: Keymap,
        rate_hz: float,
    ) -> None:
        self._graphics, self._window = graphics, graphics.window
        self._contents, self._all, self._performs = contents, events, performs
        self._transport = transport
        guard = Guard()
        performance, source = performs((), events)
        clock = ScreenClock(transport.position_s, rate_hz)
        output = WindowOutput(self._window, self._draw_text, clock.drawn, clock.shown)
        super().__init__(
            clock, PerformedSource(source, guard), performance, graphics.canvas, [output], guard, self._drawn_size
        )
        self._notices = Notices(lambda: clock.time_s)
        self._camera = Camera()
        self._n_seeks, self._performed_s = 0, 0.0
        controllers = Controllers([], guard)
        window = WindowEffects(
            self._window, PanelSwitch(controllers, None, lambda: self._window), guard, lambda: clock.time_s
        )
        actions = {name: one for name, one in find_actions().items() if name in _ACTIONS}
        self._keymap = Keymap({name: keymap.keys_of(name) for name in actions}, actions)
        self._key_lines = help_lines(self._keymap, transport.capabilities, actions)
        self._dispatcher = Dispatcher(
            Context(actions, base_parameters(), self._keymap, transport.capabilities),
            transport,
            [window, TransportEffects(transport)],
            notices=self._notices,
            guard=guard,
            requests={
                "screenshot": self._camera.want,
                "next_monitor": lambda _: self._window.next_monitor() or "there is no other monitor",
            },
        )
        guard.report_to(self._notices.say)

    def say(self, line: str) -> None:
        """Show a line at the bottom of the screen."""
        self._notices.say(line)

    def before(self) -> None:
        time_s = self.clock.now()
        if self._n_seeks == self._transport.n_seeks and time_s > self._performed_s + MOST_AT_ONCE_S:
            time_s = self._performed_s + MOST_AT_ONCE_S  # slower than it was, rather than with parts left out
            self._transport.go_to(time_s)
        if self._n_seeks != self._transport.n_seeks:
            self._n_seeks = self._transport.n_seeks
            if not self._performed_s <= time_s < self._performed_s + PREROLL_S:
                self._perform_from(time_s)
            self.performance.before(time_s)
            self._transport.go_to(self._transport.position_s() if self._transport.is_paused else time_s)
        else:
            self.performance.before(time_s)
        self._performed_s = time_s

    def after(self, shown: DisplayFrame) -> None:
        super().after(shown)
        self._dispatcher.press(self._window.events())
        self._dispatcher.report()
        if self._camera.is_wanted:
            self.take_screenshot(self._camera, self._window.framebuffer_size)
        for line in (self._window.news(), self._camera.answer()):
            if line:
                self._notices.say(line)
        state, transport = self._dispatcher.state, self._transport
        place = f"{time_text(transport.position_s())} / {time_text(transport.duration_s)}"
        lines = [f"session\t{place}{'  paused' if transport.is_paused else ''}", f"depth\t{shown.depth:.1f}"]
        self._graphics.hud.write(
            lines if state.hud else (),
            self._window.framebuffer_size,
            self._notices.current(),
            self._key_lines if state.hud else (),
        )
        self.ended = self._window.should_close or state.ended

    def close(self) -> None:
        """Release the graphics memory, and close the files."""
        self.performance.release()
        self._graphics.release()

    def _perform_from(self, time_s: float) -> None:
        """Begin another performance at a time in seconds since the session began."""
        tick = self._contents.start + round(time_s * CLOCK_HZ)
        index = next((index for index, one in enumerate(self._all) if one.at > tick), len(self._all))
        before = self.performance
        self.performance, source = self._performs(self._all[:index], self._all[index:])
        self.source = PerformedSource(source, self.guard)
        self.stage = self.performance.stage
        before.release()

    def _drawn_size(self) -> tuple[int, int]:
        """That of the window, made smaller as it was in the show."""
        width, height = self._window.framebuffer_size
        drawn, display = self.performance.size, self.performance.display
        if drawn is None or display is None or (width, height) == (0, 0):
            return width, height
        scale = min(drawn[0] / display[0], 1.0)
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _draw_text(self) -> None:
        self._graphics.hud.show()


def replay(
    root: Path,
    cache: FrameCache,
    *,
    staging: Staging | None = None,
    say: Callable[[str], None] = log.warning,
    opens: Callable[..., Window] = Window,
    on_frame: Callable[[Replay, DisplayFrame], bool] | None = None,
) -> int:
    """Show the session in the folder `root` in a window, until it or the user ends it; the number of display frames.

    say: called with each line that the user should read. opens: opens the window. on_frame: called after every display
    frame; returning True ends the replay. Raises BadInput for a session that cannot be shown or a monitor that does not
    exist, and GraphicsError when no window can be opened.
    """
    give_large_blocks_back()
    keymap, staging = load_keys(), staging or Staging()
    session = RecordedSession(root)
    contents, events = contents_of(session), list(session.events())
    for line in news_of(session, contents):
        say(line)
    bakes = None if session.info.has_dreams else lambda loaded: dreams_room.start(loaded, cache)
    with ExitStack() as stack:
        size = contents.display or (session.info.width, session.info.height)
        where = {"fullscreen": staging.fullscreen, "monitor": staging.monitor, "borderless": staging.borderless}
        window = stack.enter_context(opens(size, f"{root.name} - visualizer", **where))
        graphics = Graphics.of(window)
        lines: list[str] = []

        def performs(before: Sequence[Event], rest: Sequence[Event]) -> tuple[Performance, SessionSource]:
            source = SessionSource(session)
            performance = Performance(
                session, contents, rest, source, window, graphics.programs, say=lines.append, bakes=bakes, before=before
            )
            return performance, source

        transport = Transport(contents.duration_s)
        rate_hz = staging.rate_hz or window.refresh_hz
        shown = Replay(graphics, contents, events, performs, transport, keymap, rate_hz)
        with closing(shown), kept_awake():
            transport.go_to(0.0)
            for frame in shown.frames():
                while lines:
                    shown.say(lines.pop(0))
                if on_frame is not None and on_frame(shown, frame):
                    break
        return shown.n_frames
