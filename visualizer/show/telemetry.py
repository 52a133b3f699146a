"""Sends the state of a show to the panel and the controllers, some 30 times a second."""

from __future__ import annotations

from ..clock import monotonic
from ..control.snapshot import Snapshot
from ..presets.loader import PresetLoader
from .clocks import ScreenClock
from .controllers import Controllers
from .dispatcher import Dispatcher
from .effects import StageEffects
from .frametimes import FrameTimes
from .recorder import Recorder
from .source import Source
from .stage import DisplayFrame

SNAPSHOT_S = 1 / 31  # from one snapshot to the next
P95_S = 0.5  # from one percentile of the frame times to the next: sorting them costs 0.1 ms
LATENCY_SHARE = 0.05  # weight of the newest measurement in the latency that is sent


class Telemetry:
    """Makes snapshots of a show and hands them to its controllers."""

    def __init__(
        self,
        source: Source,
        controllers: Controllers,
        dispatcher: Dispatcher,
        on_stage: StageEffects,
        loader: PresetLoader,
        recorder: Recorder,
    ) -> None:
        self._source, self._controllers = source, controllers
        self._dispatcher, self._on_stage, self._loader = dispatcher, on_stage, loader
        self._recorder = recorder
        self._sent_s = self._latency_s = 0.0
        self._p95_s = self._p95_ms = 0.0

    def send(
        self,
        shown: DisplayFrame,
        rate_hz: float,
        clock: ScreenClock,
        scale: float,
        notice: str,
        lines: list[str],
        faults: tuple[str, ...],
    ) -> None:
        """Send a snapshot to every controller, if it is time.

        rate_hz: display frames a second. scale: fraction of the window's width and height that is drawn. notice: the
        line shown last; lines: those of the HUD. faults: what fails at present, a line each.
        """
        now_s = monotonic()
        if not len(self._controllers) or now_s - self._sent_s < SNAPSHOT_S:
            return
        self._sent_s = now_s
        meters, dispatcher, times = self._source.meters(), self._dispatcher, clock.times
        self._measure(now_s, meters.late_s, times)
        loaded = self._on_stage.loaded
        self._controllers.update(
            Snapshot(
                time_s=now_s,
                title=loaded.settings.title,
                preset=loaded.reference,
                presets=dispatcher.state.presets,
                wanted=self._loader.opening,
                peak=meters.peak,
                channel_peaks=meters.channel_peaks,
                spectrum_db=meters.spectrum_db,
                level=meters.level,
                n_kicks=meters.n_kicks,
                bpm=meters.bpm,
                phase=meters.phase,
                confidence=meters.confidence,
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
                input=meters.input,
                input_state=meters.input_state,
                has_journey=loaded.journey is not None,
                is_fallback=meters.is_fallback,
                led_by=meters.led_by,
                values=dispatcher.values(),
                notice=notice,
                faults=faults,
                lines=tuple(lines),
                recording=self._recorder.text,
                learning=self._controllers.learning,
                look=dispatcher.state.look,
                moving=self._on_stage.moving,
                by_hand=frozenset(dispatcher.state.look_by_hand()),
                bindings=self._controllers.bindings,
                capabilities=dispatcher.context.capabilities,
            )
        )

    def _measure(self, now_s: float, late_s: float, times: FrameTimes) -> None:
        """Follow the latency and the frame times. late_s: of the sound, seconds; 0 where it is not known."""
        if late_s > 0:
            late_s += times.work_s + times.period_s / 2
            self._latency_s += (late_s - self._latency_s) * (LATENCY_SHARE if self._latency_s else 1.0)
        if now_s - self._p95_s > P95_S:
            self._p95_s, self._p95_ms = now_s, times.recent().p95_ms
