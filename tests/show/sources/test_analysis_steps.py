"""What is reported of an analysis: giving another analyzer the same steps gives the same features."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sounds import kicks
from visualizer.beat import Analyzer
from visualizer.settings import BeatSettings
from visualizer.show.analysis_steps import AnalysisSteps
from visualizer.show.sources.input import InputSource

RATE_HZ = 48_000
BLOCK = 480


class Steps(AnalysisSteps):
    """Gives every step to an analyzer of its own, as a replay would."""

    def __init__(self):
        self.names = []
        self.analyzer = None
        self.ends_s = []  # where each step begins, and where the one before has ended

    def began(self, rate_hz, start_s, *, is_known, is_restart, counts, tempo=None):
        self.names.append("restart" if is_restart else "began")
        self.analyzer = Analyzer(rate_hz, BeatSettings(), is_live=not is_known, start_s=start_s)
        self.analyzer.count_from(counts)
        self.end_s = start_s

    def sound(self, block, start_s, rate_hz):
        self._take("sound", start_s, block)
        return block

    def silence(self, n_samples, start_s):
        self._take("silence", start_s, np.zeros(n_samples, np.float32))

    def skip(self, seconds, start_s):
        self._take("skip", start_s, np.zeros(0, np.float32))
        if self.analyzer is not None:
            self.analyzer.start_s += seconds
            self.end_s += seconds

    def _take(self, name, start_s, block):
        if self.analyzer is None:
            return  # it is observed from a new analyzer on
        if self.names[-1] != name:
            self.names.append(name)
        assert start_s == pytest.approx(self.end_s, abs=1e-9), "a step begins where the one before has ended"
        self.analyzer.push(block)
        self.end_s += len(block) / self.analyzer.sample_rate_hz


class Input:
    """An input whose sound a test hands over."""

    state, reason, label, device_name, gain_db = "ok", "", "mic", "mic", 0.0
    n_overruns = n_dropped = 0

    def __init__(self):
        self.sample_rate_hz = RATE_HZ
        self.blocks, self.stamp_s = [], 0.0

    def drain(self):
        blocks, self.blocks = self.blocks, []
        return blocks, self.stamp_s


def test_the_steps_give_the_same_features_through_silence_and_another_rate(clock):
    device, steps = Input(), Steps()
    source = InputSource(device, BeatSettings(), now=clock)
    song = kicks(RATE_HZ, np.arange(0.5, 8.0, 0.5), 8.0).astype(np.float32)
    source.observe_analysis(steps)
    pairs = []

    def show(seconds, rate_hz=None):
        """Display frames for so many seconds, with sound if rate_hz is given."""
        for _ in range(round(seconds * 100)):
            clock.now_s += 0.01
            if rate_hz is not None:
                device.sample_rate_hz = rate_hz
                n = rate_hz // 100
                at = round(clock.now_s * 100) % 700
                device.blocks, device.stamp_s = [song[at * BLOCK : at * BLOCK + n]], clock.now_s
            source.take_in(0.0)
            if source._rebuild is not None:
                source._rebuild._future.result(60)
            if steps.analyzer is not None:
                time_s = source.position_s()
                pairs.append((source.features_at(time_s).level, steps.analyzer.features_at(time_s).level))

    show(1.0, RATE_HZ)
    assert steps.names == [], "what was heard before is not reported as if it were new"
    source.restart_analysis()
    show(2.0, RATE_HZ)
    show(1.0)  # no sound comes
    show(2.0, 44_100)
    clock.now_s += 10.0  # the program stood still
    show(1.0, 44_100)
    assert steps.names == ["restart", "sound", "silence", "began", "sound", "skip", "silence", "sound"]
    live, again = np.array(pairs).T
    assert live.max() > 0.5, "there is something to compare"
    assert np.array_equal(live, again)


def test_a_tap_counts_at_the_time_it_is_given(clock):
    source = InputSource(Input(), BeatSettings(), now=clock)
    for beat in (1.0, 1.5, 2.0):
        source.do("tap", beat)
    assert source.tempo.tempo_bpm == pytest.approx(120)


def test_what_an_observer_returns_is_analysed(clock):
    class Halved(AnalysisSteps):
        def sound(self, block, start_s, rate_hz):
            return block / 2

    device = Input()
    source = InputSource(device, BeatSettings(), now=clock)
    source.observe_analysis(Halved())
    device.blocks = [np.full(480, 0.5, np.float32)]
    source.take_in(0.0)
    assert source.levels.take_peak("meters") == 0.25


def test_the_input_is_reported(clock):
    device = Input()
    source = InputSource(device, BeatSettings(), now=clock)
    device.state, device.reason, device.n_overruns = "lost", "unplugged", 3
    assert source.input_state() == ("lost", "mic", "unplugged", 3, 0)
