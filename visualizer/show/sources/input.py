"""An audio input as a source: analysed as it arrives, and kept in time when it is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import log10
from typing import Any

import numpy as np

from ...audio.capture import Capture
from ...audio.input import OK, ZEROS, LiveInput
from ...beat import Analyzer
from ...clock import monotonic
from ...control.snapshot import Meters
from ...settings import BeatSettings
from ...supervision.resume import ResumeState
from ..metronome import LEAST_CONFIDENCE
from ..source import Capability, InputState
from .analyzed import TempoSource

# A tempo less certain than this is not shown.
LEAST_SHOWN = 0.1
# A peak of no more than this, full scale = 1, is silence; the levels of at most so many channels are shown one by one.
SILENT, MOST_LEVELS = 1e-5, 4


class InputSource(TempoSource):
    """Sound from an input device. It runs until the user ends it.

    Its time is seconds since it began, of sound and of silence where there was none: it continues between blocks, and
    while the sound is lost. The followers then get silence, so that the tempo continues.
    """

    capabilities = frozenset({Capability.TEMPO, Capability.DEVICES, Capability.WAKES})
    title = "live - visualizer"

    # No block for REST_S counts as silence. A gap of more than GAP_S between blocks, as after stale sound was dropped,
    # is filled with silence, of which at most LONGEST_REST_S is analysed.
    REST_S, GAP_S, LONGEST_REST_S = 0.3, 0.2, 4.0
    # Silence is analysed this late, so that sound that comes a little late is still analysed at its own time.
    BEHIND_S = 0.05

    def __init__(
        self,
        device: LiveInput | Capture,
        beat: BeatSettings,
        needs: Collection[str] = (),
        *,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """device: closed by its owner. now: the clock that its blocks are stamped with, seconds."""
        super().__init__(beat, needs)
        self.device, self._now = device, now
        self.sample_rate_hz = device.sample_rate_hz
        self.analyzer = self.new_analyzer(self.sample_rate_hz)
        self._fed_s: float | None = None  # when the newest sample came that was analysed
        self._position_s = 0.0
        self._is_filling = False  # whether the newest sample analysed was silence, because no sound came
        self._rebuild: _Rebuild | None = None
        self._has_kicked = False  # a kick was reported, or shown early, since the last call of `wait_for_kick`
        self._channel_peaks: dict[str, tuple[float, ...]] = {"meters": (), "status": ()}  # for each that reads them

    @property
    def is_lost(self) -> bool:
        return self._is_filling or self.device.state == ZEROS

    def start(self) -> None:
        self.device.start()

    # -- time and sound -----------------------------------------------------------------------------------------------

    def position_s(self) -> float:
        since_s = 0.0 if self._fed_s is None else max(0.0, self._now() - self._fed_s)
        # after a gap too short to be filled it stands still for as long
        self._position_s = max(self._position_s, self.analyzer.end_s + since_s)
        return self._position_s

    def take_in(self, time_s: float) -> None:
        blocks, stamp_s = self.device.drain()
        if blocks:
            rate_hz, expected_hz = self.device.sample_rate_hz, self.sample_rate_hz
            if self._rebuild is not None:
                expected_hz = self._rebuild.rate_hz
            if rate_hz != expected_hz:
                self._rebuild = None if rate_hz == self.sample_rate_hz else _Rebuild(rate_hz, self)
        if self._rebuild is not None:
            if blocks:
                self._rebuild.blocks += blocks
                self._rebuild.stamp_s = stamp_s
            self._finish_rebuild(self._rebuild)
        elif blocks:
            self._take(blocks, stamp_s)
        else:
            self._rest()

    def wait_for_kick(self, timeout_s: float) -> bool:
        if self.device.arrived.wait(timeout_s):
            self.device.arrived.clear()  # before the sound is fetched: sound that comes meanwhile sets it again
            self.take_in(self.position_s())
        has_kicked, self._has_kicked = self._has_kicked, False
        return has_kicked

    def restart_analysis(self) -> None:
        """The new analyzer is built on another thread."""
        if self._rebuild is None:
            self._rebuild = _Rebuild(self.sample_rate_hz, self, is_restart=True)

    # -- actions and parameters ---------------------------------------------------------------------------------------

    def do(self, action: str, at_s: float | None = None) -> str | None:
        if action == "next_input":
            self.device.next_input()
            return "looking for the next input"
        return super().do(action, at_s)

    def parameters(self) -> Mapping[str, float]:
        return {"input.gain_db": self.device.gain_db}

    def set_parameter(self, name: str, value: float) -> None:
        if name == "input.gain_db":
            self.device.set_gain(value)

    # -- what is shown ------------------------------------------------------------------------------------------------

    def meters(self) -> Meters:
        now_s, tempo = self.position_s(), self.tempo
        return (
            super()
            .meters()
            ._replace(
                channel_peaks=self._take_channel_peaks("meters"),
                level=self.analyzer.level_at(now_s),
                bpm=tempo.tempo_bpm,
                phase=tempo.phase_at(now_s - self.analyzer.start_s),
                confidence=tempo.confidence,
                led_by="Link" if self.led is not None else "",
                late_s=max(0.0, self._now() - self._fed_s) if self._fed_s is not None else 0.0,
                input=self.device.label,
                input_state=self._fault(),
            )
        )

    def status(self) -> list[str]:
        device, tempo = self.device, self.tempo
        peaks = (self.levels.take_peak("status"), *self._take_channel_peaks("status"))
        if max(peaks) <= SILENT:
            level = "silent"
        else:
            shown = peaks[1:] if 2 <= len(peaks[1:]) <= MOST_LEVELS else peaks[:1]
            level = f"{' / '.join(_in_db(peak) for peak in shown)} dBFS"
        confidence = tempo.confidence
        bpm = f"{tempo.tempo_bpm:.1f} BPM  confidence {confidence:.2f}" if confidence >= LEAST_SHOWN else "none yet"
        counts = f"xruns {device.n_overruns}  dropped {device.n_dropped / device.sample_rate_hz:.1f} s"
        counts += f"  stalls {device.n_stalls}  lost {device.n_losses}  back {device.n_recoveries}"
        return [f"input\t{device.label}  {self._fault() or level}", f"tempo\t{bpm}", f"sound\t{counts}"]

    def news(self) -> str | None:
        return self.device.news()

    def input_state(self) -> InputState:
        device = self.device
        return InputState(device.state, device.label, device.reason, device.n_overruns, device.n_dropped)

    def resume_values(self) -> dict[str, Any]:
        values: dict[str, Any] = {"input": self.device.device_name}
        tempo = self.tempo
        if tempo.confidence >= LEAST_CONFIDENCE:  # an uncertain tempo changes all the time
            phase = tempo.phase_at(self.position_s() - self.analyzer.start_s)
            values |= {"bpm": tempo.tempo_bpm, "beat_s": self._now() - phase * 60.0 / tempo.tempo_bpm}
        return values

    def resume_from(self, state: ResumeState) -> None:
        """Begin with the tempo that was known."""
        if state.bpm > 0:
            at_s = self.position_s() + state.beat_s - self._now()
            for back in (1, 0):
                self.tap(at_s - back * 60.0 / state.bpm)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _fault(self) -> str:
        """Why nothing is heard, "" while something is."""
        device = self.device
        return "" if device.state == OK else f"{device.state}: {device.reason.partition(';')[0]}"

    def _take_channel_peaks(self, reader: str) -> tuple[float, ...]:
        """The largest sample of each channel of the input since the last call by the same reader."""
        new = self.device.take_peaks()
        for name, before in self._channel_peaks.items():
            self._channel_peaks[name] = tuple(map(max, before, new)) if len(before) == len(new) else new
        peaks, self._channel_peaks[reader] = self._channel_peaks[reader], ()
        return peaks

    def _take(self, blocks: list[np.ndarray], stamp_s: float) -> None:
        """Analyse what came, the newest of it at stamp_s, in its place in time."""
        sound = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        if self._fed_s is not None:
            gap_s = stamp_s - self._fed_s - len(sound) / self.sample_rate_hz
            if gap_s > self.GAP_S:
                self._fed_s = self._fill(gap_s, self._fed_s)
            elif gap_s < 0 and self._is_filling:  # silence was analysed in place of the oldest of it
                sound = sound[min(len(sound), round(-gap_s * self.sample_rate_hz)) :]
        n_early = self.analyzer.kicks.n_early
        self._has_kicked = self.analyze(sound) > 0 or self.analyzer.kicks.n_early > n_early or self._has_kicked
        self._fed_s = stamp_s if self._fed_s is None else max(stamp_s, self._fed_s)
        self._is_filling = False

    def _rest(self) -> None:
        """No sound came: after REST_S, analyse silence instead."""
        now_s = self._now()
        if self._fed_s is None:
            self._fed_s = now_s
        if now_s - self._fed_s > (self.BEHIND_S if self._is_filling else self.REST_S):
            self._fed_s = self._fill(now_s - self._fed_s - self.BEHIND_S, self._fed_s)
            self._is_filling = True

    def _fill(self, seconds: float, from_s: float) -> float:
        """Analyse silence that begins at a time of the clock; when it ends."""
        analyzed_s = min(seconds, self.LONGEST_REST_S)
        if seconds > analyzed_s:
            self.skip(seconds - analyzed_s)
            self._fed_s = from_s + seconds - analyzed_s  # who observes the analysis may ask for the position
        self.analyze_silence(round(analyzed_s * self.sample_rate_hz))
        return from_s + seconds

    def _finish_rebuild(self, rebuild: _Rebuild) -> None:
        """Use the new analyzer, once it is built; it begins with what came meanwhile. Raises what building it
        raised.
        """
        try:
            analyzer = rebuild.result()
        except Exception:
            self._rebuild = None
            raise
        if analyzer is not None:
            self._rebuild = None
            self.replace_analyzer(analyzer, self.analyzer.end_s, is_restart=rebuild.is_restart)
            if rebuild.blocks:
                self._take(rebuild.blocks, rebuild.stamp_s)


class _Rebuild:
    """An analyzer being built in a thread: that takes as long as a display frame, and more where the machine is busy.

    rate_hz: sample rate of the sound that it is for; blocks, stamp_s: the sound that came meanwhile, and when its
    newest sample came. is_restart: it was asked for, and not due to another sample rate.
    """

    def __init__(self, rate_hz: int, source: InputSource, *, is_restart: bool = False) -> None:
        self.rate_hz, self.is_restart = rate_hz, is_restart
        self.blocks: list[np.ndarray] = []
        self.stamp_s = 0.0
        executor = ThreadPoolExecutor(1, "followers")
        self._future = executor.submit(source.new_analyzer, rate_hz)
        executor.shutdown(wait=False)

    def result(self) -> Analyzer | None:
        """The analyzer; None while it is being built. Raises what building it raised."""
        return self._future.result() if self._future.done() else None


def _in_db(peak: float) -> str:
    """A level of full scale = 1 for reading."""
    return f"{20 * log10(peak):.0f}" if peak > SILENT else "-"
