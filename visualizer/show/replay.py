"""Replaying a recorded session in a window: it can be paused, and moved back and forward in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from ..audio.playback import SilentPlayback
from ..control.actions import find_actions
from ..control.keys import Keymap, help_lines, load_keys
from ..control.parameters import base_parameters
from ..control.state import Context, ShowState
from ..errors import VisualizerError
from ..memory import give_large_blocks_back
from ..oneline import plain, time_text
from ..outputs.camera import Camera
from ..outputs.window import WindowOutput
from ..presets import dreams as dreams_room
from ..presets.cache import FrameCache
from ..render.awake import kept_awake
from ..render.window import Window
from ..session.events import CLOCK_HZ, Event
from ..session.reader import RecordedSession
from ..session.soundtrack import Soundtrack
from .clocks import RateMeter, ScreenClock
from .controllers import Controllers
from .dispatcher import Dispatcher
from .effects import Effects, WindowEffects, set_source_values
from .graphics import Graphics
from .guard import Guard
from .hud_text import HUD_REFRESH_S, Notices, figure_lines
from .onscreen import Staging
from .panel_switch import PanelSwitch
from .performance import (
    PREROLL_S,
    Contents,
    Performance,
    PerformanceLoop,
    PerformedSource,
    contents_of,
    news_of,
    soundtrack_of,
)
from .session_files import FilesAhead
from .session_index import SessionIndex
from .song_output import OutputDelay, open_playback, set_volume_parameter, volume_parameters, volume_text
from .source import Capability, Source
from .sources.session import SessionSource
from .sources.song import SEEK_S
from .stage import DisplayFrame

log = logging.getLogger(__name__)

#: a display frame shows at most so much of the session, seconds: a machine that cannot keep up shows it more slowly
MOST_AT_ONCE_S = 1.0
#: what is of use in a replay; the commands of the recorded show are not given again
_ACTIONS = (
    *("help", "fullscreen", "next_monitor", "leave_fullscreen", "quit", "lock", "screenshot", "freeze"),
    *("seek_back", "seek_forward", "volume_up", "volume_down", "mute"),
)


class SessionSound:
    """The sound of a session, with the methods of `Song` that a player uses. path: the folder of the session."""

    sample_rate_hz, gain = CLOCK_HZ, 1.0

    def __init__(self, soundtrack: Soundtrack, path: Path, duration_s: float) -> None:
        """soundtrack: at its beginning."""
        self.path, self.duration_s = path, duration_s
        self._track, self._start = soundtrack, soundtrack.tick
        self._end = soundtrack.tick + round(duration_s * CLOCK_HZ)

    @property
    def position(self) -> int:
        """The index of the next sample."""
        return self._track.tick - self._start

    def read(self, n_samples: int) -> np.ndarray:
        """The next samples, (n_samples, 2) float32; fewer at the end."""
        return self._track.take(min(self._track.tick + n_samples, self._end))

    def seek(self, sample_index: int) -> None:
        """Make a sample the next one."""
        self._track.go_to(min(max(self._start + sample_index, self._start), self._end))

    def song_start(self, sample_index: int) -> int:
        """0: it is one piece."""
        return 0


class Transport(Source):
    """Where in a session the replay is: at what is heard of its sound now. It can be paused and moved.

    playback: of its sound. duration_s: of the session. delay: of the output; None: there is no sound, and no volume.

    n_seeks: how often it was moved. After that it stands still until `go_on`.
    """

    def __init__(self, playback: SilentPlayback, duration_s: float, delay: OutputDelay | None) -> None:
        self.playback, self.duration_s, self.n_seeks = playback, duration_s, 0
        self._delay, self._is_paused = delay, False
        self.capabilities = frozenset(
            {Capability.SEEK, Capability.PAUSE} | ({Capability.VOLUME} if delay is not None else set())
        )

    def start(self) -> None:
        self.playback.start()

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    def position_s(self) -> float:
        if self.playback.ended:
            return self.duration_s
        late_s = 0.0 if self._delay is None else self._delay.ms / 1000
        return min(max(self.playback.position_s - late_s, 0.0), self.duration_s)

    def go_to(self, position_s: float) -> None:
        """Stand still at another place, seconds, until `go_on`."""
        self.n_seeks += 1
        self.playback.pause()
        self.playback.seek(min(max(position_s, 0.0), self.duration_s))

    def go_on(self) -> None:
        """Go on from where it was moved to, unless it is paused."""
        if not self._is_paused:
            self.playback.resume()

    def do(self, action: str, at_s: float | None = None) -> str | None:
        if action == "pause":
            self._is_paused = not self._is_paused
            if self._is_paused:
                self.playback.pause()
            else:
                self.playback.resume()
        elif action in ("seek_back", "seek_forward"):
            position_s = self.playback.position_s + (SEEK_S if action == "seek_forward" else -SEEK_S)
            self.go_to(position_s)
            return f"{time_text(self.playback.position_s)} / {time_text(self.duration_s)}"
        return None

    def parameters(self) -> Mapping[str, float]:
        return volume_parameters(self.playback.volume) if self._delay is not None else {}

    def set_parameter(self, name: str, value: float) -> None:
        set_volume_parameter(self.playback.volume, name, value)

    def status(self) -> list[str]:
        place = f"{time_text(self.position_s())} / {time_text(self.duration_s)}"
        lines = [f"session\t{place}{'  paused' if self._is_paused else ''}"]
        if self._delay is not None:
            lines.append(f"sound\t{self.playback.lost or volume_text(self.playback.volume)}")
        return lines

    def news(self) -> str | None:
        if self._delay is None:
            return None
        self._delay.follow(self.playback.output_name)
        return self.playback.news()


class TransportEffects(Effects):
    """What commands do to a replay: they pause it, and set its volume."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def carry_out(self, before: ShowState, after: ShowState, at_samples: int) -> list[str | None]:
        if after.freeze != before.freeze and self._transport.is_paused != after.freeze:
            self._transport.do("pause")
        set_source_values(self._transport, before, after)
        return []


class Replay(PerformanceLoop):
    """A session in a window. performs: begins a performance of events after those before them."""

    clock: ScreenClock

    def __init__(
        self,
        graphics: Graphics,
        contents: Contents,
        index: SessionIndex,
        performs: Callable[[Sequence[Event], Iterable[Event]], tuple[Performance, SessionSource]],
        transport: Transport,
        keymap: Keymap,
        rate_hz: float,
    ) -> None:
        self._graphics, self._window = graphics, graphics.window
        self._contents, self._index, self._performs = contents, index, performs
        self._transport = transport
        guard = Guard()
        performance, source = performs((), index.split(-1, 0.0)[1])
        clock = ScreenClock(transport.position_s, rate_hz)
        output = WindowOutput(self._window, self._draw_text, clock.drawn, clock.shown)
        super().__init__(
            clock, PerformedSource(source, guard), performance, graphics.canvas, [output], guard, self._drawn_size
        )
        self._notices = Notices(lambda: clock.time_s)
        self._camera = Camera()
        self._n_seeks, self._performed_s = 0, 0.0
        self._meter, self._hud_lines, self._hud_written_s = RateMeter(), list[str](), float("-inf")
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
        time_s, transport = self.clock.now(), self._transport
        if self._n_seeks == transport.n_seeks and time_s > self._performed_s + MOST_AT_ONCE_S:
            transport.go_to(self._performed_s + MOST_AT_ONCE_S)  # slower than it was, rather than with parts left out
        if self._n_seeks != transport.n_seeks:
            self._n_seeks, time_s = transport.n_seeks, self.clock.now()
            if not self._performed_s <= time_s < self._performed_s + PREROLL_S:
                self._perform_from(time_s)
            self.performance.before(time_s)
            transport.go_on()
        else:
            self.performance.before(time_s)
        self._performed_s = time_s

    def after(self, shown: DisplayFrame) -> None:
        super().after(shown)
        self._dispatcher.press(self._window.events())
        self._dispatcher.report()
        if self._camera.is_wanted:
            self.take_screenshot(self._camera, self._window.framebuffer_size)
        for line in (self._window.news(), self._camera.answer(), self._transport.news()):
            if line:
                self._notices.say(line)
        state = self._dispatcher.state
        rate_hz = self._meter.count()
        if state.hud and self.clock.time_s - self._hud_written_s >= HUD_REFRESH_S:
            self._hud_written_s = self.clock.time_s
            loaded, scale = self.stage.scene.loaded, self._drawn_size()[0] / max(self._window.framebuffer_size[0], 1)
            self._hud_lines = figure_lines(loaded, shown, self.clock.times, rate_hz, scale, "")
            self._hud_lines += self._transport.status()
        self._graphics.hud.write(
            self._hud_lines if state.hud else (),
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
        before = self.performance
        try:
            self.performance, source = self._performs(*self._index.split(tick, PREROLL_S))
        except VisualizerError as fault:
            self.say(f"{fault}; the picture stays as it was")
            return
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
    device: str | int | None = None,
    say: Callable[[str], None] = log.warning,
    opens: Callable[..., Window] = Window,
    on_frame: Callable[[Replay, DisplayFrame], bool] | None = None,
) -> int:
    """Show the session in the folder `root` in a window, with its sound, until it or the user ends it; the number of
    display frames.

    device: the output, see `open_playback`. say: called with each line that the user should read. opens: opens the
    window. on_frame: called after every display frame; returning True ends the replay. Raises BadInput for a session
    that cannot be shown or a monitor that does not exist, UnknownDevice for a missing output, and GraphicsError when no
    window can be opened.
    """
    give_large_blocks_back()
    keymap, staging = load_keys(), staging or Staging()
    session = RecordedSession(root)
    index = SessionIndex(session)
    contents = contents_of(session, index)
    for line in news_of(session, contents):
        say(line)
    bakes = None if session.info.has_dreams else lambda loaded: dreams_room.start(loaded, cache)
    with ExitStack() as stack:
        playback, delay = _open_sound(session, contents, device, stack, say)
        size = contents.display or (session.info.width, session.info.height)
        where = {"fullscreen": staging.fullscreen, "monitor": staging.monitor, "borderless": staging.borderless}
        window = stack.enter_context(opens(size, f"{root.name} - visualizer", **where))
        graphics = Graphics.of(window)
        lines: list[str] = []
        files = stack.enter_context(closing(FilesAhead(session, bakes=bakes is not None)))

        def performs(before: Sequence[Event], rest: Iterable[Event]) -> tuple[Performance, SessionSource]:
            source = SessionSource(session)
            performance = Performance(
                files, contents, rest, source, window, graphics.programs, say=lines.append, bakes=bakes, before=before
            )
            return performance, source

        transport = Transport(playback, contents.duration_s, delay)
        rate_hz = staging.rate_hz or window.refresh_hz
        shown = Replay(graphics, contents, index, performs, transport, keymap, rate_hz)
        with closing(shown), kept_awake():
            transport.start()
            for frame in shown.frames():
                while lines:
                    shown.say(lines.pop(0))
                if on_frame is not None and on_frame(shown, frame):
                    break
        return shown.n_frames


def _open_sound(
    session: RecordedSession,
    contents: Contents,
    device: str | int | None,
    stack: ExitStack,
    say: Callable[[str], None],
) -> tuple[SilentPlayback, OutputDelay | None]:
    """The player of a session's sound, closed with `stack`, and the delay of its output; None where there is no sound."""
    soundtrack = stack.enter_context(closing(soundtrack_of(session, contents, say)))
    sound = SessionSound(soundtrack, session.folder.root, contents.duration_s)
    if not soundtrack.pieces:
        say(f"{plain(session.folder.root)}: was recorded without sound; it is shown silently")
        return stack.enter_context(SilentPlayback(sound, preroll_s=None)), None
    playback = stack.enter_context(open_playback(sound, device, preroll_s=None))
    delay = OutputDelay()
    stack.callback(delay.keep)
    return playback, delay
