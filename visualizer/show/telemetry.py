"""What a show tells the panel and the controllers, and the panel's coming and going."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from ..clock import monotonic
from ..control.controller import PanelController
from ..control.snapshot import Meters, Snapshot
from ..errors import VisualizerError
from ..presets.loader import PresetLoader
from ..render.monitors import Area
from ..render.window import Window
from .clocks import ScreenClock
from .controllers import Controllers
from .dispatcher import Dispatcher
from .guard import Guard
from .source import Source
from .stage import DisplayFrame

log = logging.getLogger(__name__)

TOLD_S = 1 / 31  # from one snapshot to the next
P95_S = 0.5  # from one look at the frame times to the next: sorting them costs a tenth of a millisecond
LATENCY_SHARE = 0.05  # how far the latency told follows the one measured, each time


class OpensPanel(Protocol):
    """Opens the performer's window; raises VisualizerError where that cannot be. avoid: where the audience looks."""

    def __call__(self, place: Area | None = None, *, avoid: Area | None = None) -> PanelController: ...


class PanelKeeper:
    """Opens the panel and closes it. opens: None if there can be none. window: the show's own, whose monitor is avoided.

    last_place: where the panel's window was last.
    """

    def __init__(self, controllers: Controllers, opens: OpensPanel | None, window: Callable[[], Window]) -> None:
        self._controllers, self._opens, self._window = controllers, opens, window
        self._panel: PanelController | None = None
        self.last_place: Area | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is open: the performer may have closed it."""
        return self._panel is not None and self._panel.is_open

    @property
    def place(self) -> Area | None:
        """Where its window is, or was last."""
        return self._panel.place or self.last_place if self._panel is not None else self.last_place

    def switch(self, is_open: bool) -> str | None:
        """Open or close it; returns why it cannot be opened."""
        self._close()
        return self._open(self._window()) if is_open else None

    def _open(self, window: Window) -> str | None:
        if self._opens is None:
            return "this show has no panel"
        avoid = window.window_place.place
        if window.is_fullscreen and window.monitor is not None:
            avoid = window.monitor.area
        try:
            self._panel = self._opens(self.last_place, avoid=avoid)
        except VisualizerError as fault:
            log.warning("%s", fault)
            return str(fault)
        self._controllers.add(self._panel)
        return None

    def _close(self) -> None:
        if self._panel is not None:
            self.last_place = self.place
            self._controllers.remove(self._panel)
            self._panel = None


class Telemetry:
    """Makes snapshots of a show and hands them to its controllers."""

    def __init__(
        self, source: Source, controllers: Controllers, guard: Guard, dispatcher: Dispatcher, loader: PresetLoader
    ) -> None:
        self._source, self._controllers, self._guard = source, controllers, guard
        self._dispatcher, self._loader = dispatcher, loader
        self._told_s = self._latency_s = 0.0
        self._p95_s = self._p95_ms = 0.0
        self.heard = Meters()

    def listen(self) -> Meters:
        """What is heard now."""
        self.heard = self._source.meters()
        return self.heard

    def send(
        self, shown: DisplayFrame, rate_hz: float, clock: ScreenClock, scale: float, notice: str, lines: list[str]
    ) -> None:
        """Send a snapshot to every controller, if it is time."""
        now_s = monotonic()
        if not len(self._controllers) or now_s - self._told_s < TOLD_S:
            return
        self._told_s = now_s
        heard, dispatcher, times = self.listen(), self._dispatcher, clock.times
        if heard.late_s > 0:
            late_s = heard.late_s + times.work_s + times.period_s / 2
            self._latency_s += (late_s - self._latency_s) * (LATENCY_SHARE if self._latency_s else 1.0)
        if now_s - self._p95_s > P95_S:
            self._p95_s, self._p95_ms = now_s, times.recent().p95_ms
        loaded = dispatcher.loaded
        self._controllers.update(
            Snapshot(
                time_s=now_s,
                title=loaded.settings.title,
                preset=loaded.reference,
                presets=dispatcher.state.presets,
                wanted=self._loader.opening,
                peak=heard.peak,
                channel_peaks=heard.channel_peaks,
                spectrum_db=heard.spectrum_db,
                level=heard.level,
                n_kicks=heard.n_kicks,
                bpm=heard.bpm,
                phase=heard.phase,
                confidence=heard.confidence,
                depth=shown.depth,
                n_depths=loaded.n_depths,
                n_baked=shown.n_baked,
                n_dreams=len(loaded.variants) * loaded.n_depths,
                rate_hz=rate_hz,
                p95_ms=self._p95_ms,
                n_dropped=times.n_dropped,
                n_repeated=times.n_repeated,
                latency_ms=1000 * self._latency_s,
                scale=scale,
                input=heard.input,
                input_state=heard.input_state,
                moves_by_itself=heard.moves_by_itself,
                led_by=heard.led_by,
                values=dispatcher.values(),
                notice=dispatcher.said or notice,
                faults=self._guard.faults(),
                lines=tuple(lines),
                learning=self._controllers.learning,
                look=dispatcher.state.look,
                bindings=self._controllers.bindings,
            )
        )
