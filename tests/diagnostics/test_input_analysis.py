"""Analysing an input device: its readings, with a fake device and with a real one."""

import time

import numpy as np
import pytest

from tests.sounds import kicks
from visualizer.audio.capture import STALE_S
from visualizer.diagnostics import input_analysis
from visualizer.diagnostics.input_analysis import InputAnalysis
from visualizer.diagnostics.meter import Metering
from visualizer.errors import DeviceError, UnknownDevice
from visualizer.files.remembered import remember_input
from visualizer.settings import BeatSettings


class FakeCapture:
    """Hands out the blocks it was given, one a turn."""

    sample_rate_hz = 44100
    device_name = "a fake"
    lost = None
    n_dropped = 0
    n_overruns = 0
    mix_note = ""

    def __init__(self, device=None, **options):
        self.options = options
        self.blocks = []
        self.started = self.closed = False

    def start(self):
        self.started = True

    def drain(self):
        return ([self.blocks.pop(0)] if self.blocks else []), 0.0

    def close(self):
        self.closed = True


class NoWait:
    def __init__(self, rate_hz):
        self.period_s = 1 / rate_hz

    def wait(self):
        pass


class Steps:
    """A watch that goes on by 40 ms each time it is read."""

    def __init__(self):
        self.seconds = 0.0

    def elapsed_s(self):
        self.seconds += 0.04
        return self.seconds


@pytest.fixture
def listening(monkeypatch):
    monkeypatch.setattr(input_analysis, "Capture", FakeCapture)
    monkeypatch.setattr(input_analysis, "Pacer", NoWait)
    monkeypatch.setattr(input_analysis, "Stopwatch", Steps)
    return InputAnalysis(None, BeatSettings(), 20)


def listen(listening, sound, n=None):
    """The reading after each 40 ms of a sound."""
    listening._capture.blocks = np.array_split(sound, max(1, round(len(sound) / 44100 / 0.04)))
    readings = listening.readings()
    moments = [next(readings) for _ in range(n or len(listening._capture.blocks))]
    readings.close()
    return moments


def test_kicks_depth_and_tempo_go_on(listening):
    moments = listen(listening, kicks(44100, np.arange(0.5, 9.9, 0.5), 10.0))
    last = moments[-1]
    assert listening._capture.started
    assert last.time_s == pytest.approx(10.0, abs=0.03)
    assert last.n_kicks == 19 and last.kick.time_s == pytest.approx(9.5, abs=0.04)
    assert last.tempo_bpm == pytest.approx(120, abs=2) and last.confidence > 0.3 and last.n_beats > 5
    assert all(0 <= moment.phase < 1 for moment in moments)
    after = next(moment for moment in moments if moment.n_kicks == 3)
    assert after.depth > 10 and moments[0].depth == 1.0
    assert max(moment.n_kicks for moment in moments[:12]) == 0
    assert moments[0].bands.silent and not last.bands.silent


def test_the_meter_rises_at_once_and_falls_slowly(listening):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    moments = listen(listening, np.concatenate([tone, np.zeros(44100)]).astype(np.float32))
    levels = np.array([moment.level_db for moment in moments])
    assert levels[:25] == pytest.approx(-6.02, abs=0.1)
    assert np.diff(levels[25:]) == pytest.approx(-input_analysis.METER_FALL_DB_S * 0.04, abs=1e-6)
    assert moments[-1].peak_db == pytest.approx(-6.02, abs=0.1)
    assert moments[-1].n_clipped == 0


def test_samples_at_full_scale_are_counted(listening):
    sound = np.zeros(4410, np.float32)
    sound[100:103] = [1.0, -1.0, 1.5]
    last = listen(listening, sound)[-1]
    assert last.n_clipped == 3 and last.peak_db > 0


def test_without_sound_it_waits_and_the_meter_rests(listening):
    moments = listen(listening, np.zeros(0, np.float32), n=100)
    assert moments[-1].time_s == 0 and moments[-1].level_db == input_analysis.METER_MIN_DB
    assert moments[-1].n_kicks == 0 and moments[-1].kick is None and moments[-1].bands.silent


def test_a_lost_device_is_an_error_and_it_is_let_go(listening):
    with listening:
        readings = listening.readings()
        next(readings)
        listening._capture.lost = "the device stopped"
        with pytest.raises(DeviceError, match="'a fake' is lost: the device stopped"):
            next(readings)
    assert listening._capture.closed


def test_an_unknown_device_names_what_there_is(pulse):
    with pytest.raises(UnknownDevice, match="no-such-thing"):
        InputAnalysis("no-such-thing", BeatSettings(), 20)


def test_a_real_device_is_heard(pulse):
    sound = kicks(48000, np.arange(0.3, 60, 0.5), 60.0)
    with InputAnalysis(None, BeatSettings(), 20) as listening, pulse.play(sound, 48000):
        longest_s, at_s = 0.0, time.monotonic()
        for moment in listening.readings(rate_hz=50):
            longest_s, at_s = max(longest_s, time.monotonic() - at_s), time.monotonic()
            if moment.n_kicks >= 4 or moment.time_s > 55:
                break
    assert moment.n_kicks >= 4
    assert -12 < moment.peak_db < 0 and not moment.bands.silent
    assert moment.n_dropped == 0 or longest_s > 0.8 * STALE_S  # it was this process that did not listen


def test_channels_and_gain_go_to_the_device(monkeypatch):
    monkeypatch.setattr(input_analysis, "Capture", FakeCapture)
    listening = InputAnalysis("x", BeatSettings(), 20, channels=(3, 4), gain_db=6.0)
    assert listening._capture.options == {"channels": (3, 4), "gain_db": 6.0}


def test_nothing_said_is_the_input_remembered_if_it_is_there(pulse):
    assert input_analysis.input_of(None) is None
    for name, found in (("no such thing", None), (pulse.source, pulse.source)):
        remember_input(name)
        assert input_analysis.input_of(None) == found
    assert (
        input_analysis.input_of("default") is None
        and input_analysis.input_of("x") == "x"
        and input_analysis.input_of(3) == 3
    )


def test_a_meter_tells_each_channel(mortal_pulse):
    mortal_pulse.control(
        "load-module", "module-null-sink", "sink_name=four", "norewinds=1", "channels=4",
        "channel_map=front-left,front-right,rear-left,rear-right",
    )  # fmt: skip
    tone = np.sin(2 * np.pi * 200 * np.arange(60 * 48000) / 48000)
    sound = np.stack([0 * tone, 0.5 * tone, 0 * tone, 0.05 * tone], axis=1).astype(np.float32)
    named = "--channel-map=front-left,front-right,rear-left,rear-right"
    for channels, gain_db, expected_db in (((), 0.0, {1: -99, 2: -6, 3: -99, 4: -26}), ((4,), 20.0, {4: -6})):
        with (
            Metering("four", channels=channels, gain_db=gain_db) as metering,
            mortal_pulse.play(sound, 48000, "four", named),
        ):
            assert metering.device.n_inputs == 4
            for n, levels in enumerate(metering.levels(rate_hz=50)):
                if levels == pytest.approx(expected_db, abs=0.5):
                    break
                assert n < 2500, levels


def test_a_meter_whose_device_is_lost_says_so(mortal_pulse):
    module = mortal_pulse.plug_in("mic")
    with Metering("mic") as metering:
        levels = metering.levels(rate_hz=50)
        next(levels)
        mortal_pulse.unplug(module)
        mortal_pulse.stop()
        with pytest.raises(DeviceError, match="'mic' is lost"):
            for _ in levels:
                pass
