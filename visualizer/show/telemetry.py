"""What a show tells the panel and the controllers, and the panel's coming and going."""

from __future__ import annotations

import logging
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
from .desk import Desk
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
    """Opens the panel and closes it. opens: None where there can be none."""

    def __init__(self, controllers: Controllers, opens: OpensPanel | None) -> None:
        self._controllers, self._opens = controllers, opens
        self._panel: PanelController | None = None
        self._place: Area | None = None

    @property
    def is_open(self) -> bool:
        """Whether the performer has a panel before them."""
        return self._panel is not None and self._panel.is_open

    @property
    def place(self) -> Area | None:
        """Where it is, or was last."""
        return self._panel.place or self._place if self._panel is not None else self._place

    def open(self, window: Window, place: Area | None = None) -> str | None:
        """Open it; why not, if it cannot be."""
        if self._opens is None:
            return "this show has no panel"
        self.close()
        avoid = window.window_place.place
        if window.is_fullscreen and window.monitor is not None:
            avoid = window.monitor.area
        try:
            self._panel = self._opens(place or self._place, avoid=avoid)
        except VisualizerError as fault:
            log.warning("%s", fault)
            return str(fault)
        self._controllers.add(self._panel)
        return None

    def close(self) -> None:
        """Close it, if it is open."""
        if self._panel is not None:
            self._place = self.place
            self._controllers.remove(self._panel)
            self._panel = None

    def toggle(self, window: Window) -> str | None:
        """Open it, or close it; why it cannot be opened."""
        if not self.is_open:
            return self.open(window)
        self.close()
        return None


class Telemetry:
    """Makes snapshots of a show and hands them to its controllers."""

    def __init__(
        self, source: Source, controllers: Controllers, guard: Guard, desk: Desk, changes: PresetLoader
    ) -> None:
        self._source, self._controllers, self._guard = source, controllers, guard
        self._desk, self._changes = desk, changes
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
        heard, desk, times = self.listen(), self._desk, clock.times
        if heard.late_s > 0:
            late_s = heard.late_s + times.work_s + times.period_s / 2
            self._latency_s += (late_s - self._latency_s) * (LATENCY_SHARE if self._latency_s else 1.0)
        if now_s - self._p95_s > P95_S:
            self._p95_s, self._p95_ms = now_s, times.recent().p95_ms
        loaded = desk.loaded
        self._controllers.update(
            Snapshot(
                time_s=now_s,
                title=loaded.settings.title,
                preset=loaded.reference,
                presets=tuple(self._changes.names),
                wanted=self._changes.opening,
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
                values=desk.values(),
                notice=desk.said or notice,
                faults=self._guard.faults(),
                lines=tuple(lines),
                learning=self._controllers.learning,
                bindings=self._controllers.bindings,
            )
        )
