"""Listening to the monitor of a real (if private) sound server."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.pulse import SINK_RATE_HZ, Pulse, wait_until
from visualizer.audio.capture import STALE_S, Capture
from visualizer.errors import DeviceError, UnknownDevice


def tone(seconds: float, hz: float = 440.0, level: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * SINK_RATE_HZ)) / SINK_RATE_HZ
    return (level * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_hears_what_is_played(pulse: Pulse) -> None:
    for _ in range(8):  # a machine too busy to fetch the sound says so, and proves nothing
        heard, rate_hz, n_overruns = _heard_tone(pulse)
        if n_overruns == 0:
            break
    sound = np.concatenate(heard)
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    piece = sound[loud[0] : loud[0] + rate_hz // 2]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
    assert np.argmax(spectrum) * rate_hz / len(piece) == pytest.approx(440, abs=4)
    assert np.abs(piece).max() == pytest.approx(0.5, abs=0.03)
    assert n_overruns == 0


def _heard_tone(pulse: Pulse) -> tuple[list[np.ndarray], int, int]:
    """Half a second of a tone and what came before it, at which rate, and how often a block was lost."""
    heard: list[np.ndarray] = []
    stamps: list[float] = []
    n_loud = 0

    def is_heard() -> bool:
        nonlocal n_loud
        blocks, stamp_s = capture.drain()
        assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
        heard.extend(blocks)
        stamps.append(stamp_s)
        n_loud += sum(int(np.count_nonzero(np.abs(block) > 0.01)) for block in blocks)
        return n_loud > 0.5 * capture.sample_rate_hz

    with Capture() as capture:
        capture.start()
        with pulse.play(tone(60.0)):
            wait_until(is_heard, "the tone was not heard")
        assert capture.lost is None
        assert capture.age_s < 60.0
        assert stamps == sorted(stamps)
        return heard, capture.sample_rate_hz, capture.n_overruns


def test_device_by_name_and_rate(pulse: Pulse) -> None:
    with Capture("PULS", sample_rate_hz=22_050, n_block_samples=512) as capture:
        assert (capture.device_name, capture.sample_rate_hz) == ("pulse", 22_050)
        capture.start()
        capture.start()  # again does nothing
        wait_until(lambda: capture.drain()[0], "no sound came in")


def test_unknown_device_and_impossible_rate(pulse: Pulse) -> None:
    with pytest.raises(UnknownDevice, match="'pulse'"):
        Capture("no such microphone")
    capture = Capture("pulse", sample_rate_hz=7)
    with pytest.raises(DeviceError, match="'pulse' cannot be opened at 7 Hz") as caught:
        capture.start()
    assert "\n" not in str(caught.value)
    capture.close()


def test_stale_sound_is_dropped_and_counted(pulse: Pulse) -> None:
    with Capture() as capture:
        capture.start()
        n_late = 2 * STALE_S * capture.sample_rate_hz
        wait_until(lambda: capture._ring.n_ready > n_late, "no backlog grew")
        blocks, _ = capture.drain()
        n_got = sum(len(block) for block in blocks)
        assert n_got <= round(STALE_S * capture.sample_rate_hz)
        assert capture.n_dropped >= n_late - n_got


def test_the_ring_overflows_without_harm(pulse: Pulse) -> None:
    with Capture() as capture:
        n_room = capture._ring.n_room
        capture._go_on, capture._input_overflow = 0, 2
        data = np.ones((n_room, capture._n_channels), np.float32).tobytes()
        assert capture._callback(data, n_room, None, 0) == (None, 0)
        assert capture.n_overruns == 0
        capture._callback(data, n_room, None, 2)
        assert capture.n_overruns == 2  # one reported by the device, one by the ring


def test_a_fault_in_the_callback_is_a_loss_not_an_exception(pulse: Pulse) -> None:
    with Capture() as capture:
        capture.start()
        capture._callback(b"odd", 1, None, 0)
        assert capture.lost is not None and "Error" in capture.lost


def test_a_pause_of_a_busy_server_is_late_and_no_loss_until_it_is_long(
    mortal_pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visualizer.audio.capture.STALLED_AFTER_OPENING_S", 0.5)
    monkeypatch.setattr("visualizer.audio.capture.GONE_S", 60.0)
    with Capture() as capture:
        capture.start()
        wait_until(lambda: capture.drain()[0], "no sound came in")
        mortal_pulse.freeze()
        try:
            wait_until(lambda: capture.is_late, "it was not late")
            assert capture.lost is None
        finally:
            mortal_pulse.freeze(False)
        wait_until(lambda: not capture.is_late and capture.drain()[0], "no sound came in again")
        assert capture.lost is None
        monkeypatch.setattr("visualizer.audio.capture.GONE_S", 0.5)
        mortal_pulse.freeze()
        try:
            wait_until(lambda: capture.lost, "the loss was not noticed")
        finally:
            mortal_pulse.freeze(False)
        assert "no sound for" in str(capture.lost)


def test_lost_server_is_noticed_and_a_new_capture_hears_again(mortal_pulse: Pulse) -> None:
    capture = Capture()
    capture.start()
    wait_until(lambda: capture.drain()[0], "no sound came in")
    assert capture.lost is None
    mortal_pulse.stop()
    reason = wait_until(lambda: capture.lost, "the loss was not noticed")
    assert "\n" not in reason
    assert capture.lost == reason
    closing = threading.Thread(target=capture.close)
    closing.start()
    closing.join(60)
    assert not closing.is_alive()
    assert capture.drain()[0] is not None
    mortal_pulse.start()
    with Capture() as again:
        again.start()
        wait_until(lambda: again.drain()[0], "the new daemon is not heard")


def test_opening_and_closing_leaves_nothing_behind(pulse: Pulse) -> None:
    def n_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def cycle() -> None:
        capture = Capture()
        capture.start()
        capture.close()
        capture.close()
        capture.start()  # closed is closed
        assert capture.drain() is not None

    for _ in range(2):
        cycle()
    n_threads, n_before = threading.active_count(), n_open()
    for _ in range(18):
        cycle()
    wait_until(lambda: threading.active_count() <= n_threads, "threads are left")
    wait_until(lambda: n_open() <= n_before + 1, "open files are left")
