"""From sound to light, measured in a real window with real sound devices."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.fixtures.watching import takes
from tests.sounds import write_wav
from visualizer.audio.clicks import RATE_HZ, StampedBlock, click_times, click_track
from visualizer.diagnostics.latency import Delay, Latency, _delay, _Frame, _paired, detections, measure, with_test_ramp
from visualizer.errors import BadInput, DeviceError, GraphicsError, UnknownDevice, VisualizerError
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import Dreams
from visualizer.presets.loaded import open_preset
from visualizer.render.watched import ShownPicture
from visualizer.settings import BeatSettings


@pytest.fixture
def plain(tiny_preset):
    """The tiny preset's look; nothing of it is baked."""
    return open_preset(str(tiny_preset), size=(320, 180))


@takes()
def test_clicks_are_played_heard_and_seen(screen, pulse, plain):
    said = []
    try:
        found = measure(plain, n_clicks=6, say=said.append)
    except DeviceError as error:
        pytest.fail(str(error))
    assert said[-1] == "6 clicks through the default output, recorded from visualizer_sink.monitor: 9 s"
    assert (found.n_clicks, found.size) == (6, (320, 180)) and found.rate_hz > 5
    assert 3 <= len(found.delays) <= found.n_detected <= found.n_heard <= 6
    for delay in found.delays:
        assert min(delay.analysis_s, delay.wait_s, delay.draw_s, delay.swap_s) >= 0
        assert delay.capture_s > -0.1 and 0 < delay.total_s < 0.5
    assert found.total.median_ms <= found.total.p95_ms
    assert set(found.parts) == {"capture", "analysis", "wait", "draw", "swap"}
    assert found.lead_ms == min(200, round(found.total.median_ms))


def test_an_input_that_does_not_record_the_clicks_is_reported(screen, pulse, plain):
    module = pulse.control("load-module", "module-null-sink", "sink_name=elsewhere")
    try:
        with pytest.raises(
            DeviceError, match=r"no sound came back from 'elsewhere.monitor': choose the monitor"
        ) as raised:
            measure(plain, device="elsewhere", n_clicks=50)
    finally:
        pulse.control("unload-module", module)
    assert "--device, see `visualizer devices`" in str(raised.value) and "\n" not in str(raised.value)


def tinny(sound):
    """What a small loudspeaker makes of it: nothing below 800 Hz."""
    spectrum, hz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return np.fft.irfft(np.where(hz > 800, spectrum, 0), len(sound)).astype(np.float32)


@pytest.mark.long
def test_clicks_that_do_not_sound_like_kicks_are_reported(screen, pulse, plain, monkeypatch):
    def through_a_small_loudspeaker(path, times_s):
        write_wav(path, tinny(click_track(times_s)), RATE_HZ)
        return path

    monkeypatch.setattr("visualizer.diagnostics.latency.write_clicks", through_a_small_loudspeaker)
    with pytest.raises(
        DeviceError, match=r"[345] of 5 clicks were recorded from .*, but only 0 were detected as kicks: turn"
    ):
        measure(plain, n_clicks=5)


def test_a_window_closed_too_early_is_reported(screen, pulse, plain):
    done = threading.Event()

    def leave():
        while not done.wait(0.3):  # a key pressed before the window is there is lost
            screen.key("ctrl+q")

    leaving = threading.Thread(target=leave)
    leaving.start()
    try:
        with pytest.raises(VisualizerError, match=r"the window was closed after [0-3] of 9 clicks; leave it open"):
            measure(plain, n_clicks=9)
    finally:
        done.set()
        leaving.join()


def test_errors_are_raised_before_anything_is_played(pulse, plain, monkeypatch):
    for n_clicks in (-1, 0, 4, 501):
        with pytest.raises(BadInput, match=r"allowed: 5 \.\. 500"):
            measure(plain, n_clicks=n_clicks)
    with pytest.raises(UnknownDevice, match="no output matches 'theremin'"):
        measure(plain, output="theremin")
    with pytest.raises(UnknownDevice, match="no input matches 'theremin'"):
        measure(plain, device="theremin")
    with pytest.raises(UnknownDevice, match="has no channel 9"):
        measure(plain, channels=(9,))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(GraphicsError):
        measure(plain)


def test_the_test_ramp_gets_brighter_with_depth_and_is_in_the_cache(plain, tmp_path):
    cache = FrameCache(tmp_path / "cache", 10**9)
    ramp = with_test_ramp(plain, cache)
    dreams = Dreams(ramp, cache)
    assert dreams.from_cache
    greys = [int(placed.frame[0, 0, 0]) for placed in dreams.frames()]
    assert greys == [0, 64, 128, 191, 255] and np.all(ramp.image == 0)
    assert plain.image.any(), "the look itself was changed"


def test_a_test_ramp_that_cannot_be_saved_is_an_error(plain, tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    with pytest.raises(VisualizerError, match="cannot be saved"):
        with_test_ramp(plain, FrameCache(tmp_path / "cache", 10**9))


def test_detections_are_the_blocks_after_which_a_kick_is_reported():
    times_s = click_times(6)
    sound = click_track(times_s)
    blocks = [StampedBlock(0.0, sound[start : start + 256]) for start in range(0, len(sound), 256)]
    detected_s = np.array(detections(blocks, RATE_HZ, BeatSettings())) * 256 / RATE_HZ
    assert len(detected_s) == 6 and np.all(np.abs(detected_s - times_s - 0.008) < 0.016)
    sound = tinny(sound)
    assert (
        detections(
            [StampedBlock(0.0, sound[start : start + 256]) for start in range(0, len(sound), 256)],
            RATE_HZ,
            BeatSettings(),
        )
        == []
    )


def test_frames_find_their_pictures():
    frames = [_Frame(1.0, 1.1), _Frame(2.0, 2.1), _Frame(3.0, 3.1)]
    before, first, second = ShownPicture(0.0, 0.5, 0.6), ShownPicture(0.1, 1.2, 1.3), ShownPicture(0.9, 2.2, 2.3)
    assert _paired(frames, [before, first, second]) == [(frames[0], first), (frames[1], second)]
    assert _paired(frames, []) == []
    # sound taken in while waiting for the next display frame belongs to that frame
    waiting = _Frame(1.4, 1.5)
    assert _paired([frames[0], waiting, frames[1]], [first, second]) == [(frames[0], first), (frames[1], second)]


def test_the_parts_of_a_delay_add_up():
    shown = [
        (_Frame(1.00, 1.001), ShownPicture(0.1, 1.005, 1.006)),
        (_Frame(1.016, 1.018), ShownPicture(0.8, 1.024, 1.026)),
    ]
    delay = _delay(0.99, 1.0, 1.007, shown)
    assert delay is not None
    parts = (delay.capture_s, delay.analysis_s, delay.wait_s, delay.draw_s, delay.swap_s)
    assert parts == pytest.approx((0.01, 0.009, 0.009, 0.006, 0.002))
    assert delay.total_s == pytest.approx(1.026 - 0.99)
    # the telling block came in while the frame was taking in its sound
    delay = _delay(0.99, 1.0, 1.017, shown)
    assert delay is not None and delay.wait_s == 0 and delay.total_s == pytest.approx(0.036)
    # so did the block with the beginning
    delay = _delay(0.99, 1.017, 1.017, shown)
    assert delay is not None and delay.total_s == pytest.approx(0.036)
    assert _delay(0.99, 1.0, 1.03, shown) is None, "the picture was there before"
    assert _delay(0.0, 0.01, 0.02, shown) is None, "far too late"


@pytest.mark.parametrize(("total_s", "lead_ms"), [(-0.02, 0), (0.0345, 34), (0.9, 200)])
def test_what_is_offered_stays_within_the_setting(total_s, lead_ms):
    found = Latency("in", "out", (1, 1), 60.0, 5, 5, 5, (Delay(total_s, 0.0, 0.0, 0.0, 0.0),) * 5)
    assert found.lead_ms == lead_ms
    BeatSettings(lead_ms=found.lead_ms)
