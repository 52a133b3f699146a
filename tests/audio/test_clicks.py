"""Clicks: told by the kick follower, irregular, and found again in what an input heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.files.disks import full_disk
from tests.fixtures.pulse import Pulse, wait_until
from visualizer.audio.clicks import (
    FIRST_S,
    LEAST_GAP_S,
    MOST_GAP_S,
    RATE_HZ,
    RecordingCapture,
    StampedBlock,
    arrival,
    click_times,
    click_track,
    write_clicks,
)
from visualizer.audio.decode import Song
from visualizer.beat import KickFollower
from visualizer.errors import VisualizerError
from visualizer.settings import BeatSettings

BLOCK = 256


def blocks_of(sound: np.ndarray, late_s: float = 0.0) -> list[StampedBlock]:
    """Blocks as a device delivers them, each as its last sample has come; the first sample sounds at 0 s."""
    cut = [sound[start : start + BLOCK] for start in range(0, len(sound) - BLOCK, BLOCK)]
    return [StampedBlock((index + 1) * BLOCK / RATE_HZ + late_s, block) for index, block in enumerate(cut)]


def test_times_are_irregular_and_come_from_the_seed() -> None:
    times_s = click_times(100, seed=1)
    gaps_s = np.diff(times_s)
    assert times_s[0] == FIRST_S and gaps_s.min() >= LEAST_GAP_S and gaps_s.max() <= MOST_GAP_S
    assert gaps_s.std() > 0.05
    assert np.array_equal(times_s, click_times(100, seed=1)) and not np.array_equal(times_s, click_times(100, seed=2))


def test_clicks_on_a_full_disk_are_one_line(tmp_path: Path) -> None:
    with full_disk(tmp_path, 16_384) as folder, pytest.raises(VisualizerError, match=r"cannot be written .*TMPDIR"):
        write_clicks(folder / "clicks.wav", click_times(20, seed=1))


@pytest.mark.parametrize("gain", [0.03, 0.3, 1.0])
def test_the_kick_follower_tells_every_click_and_nothing_else(gain: float) -> None:
    times_s = click_times(30)
    told_s = [onset.time_s for onset in KickFollower(RATE_HZ, BeatSettings()).push(gain * click_track(times_s))]
    assert len(told_s) == len(times_s)
    late_s = np.array(told_s) - times_s
    assert late_s.min() > 0 and late_s.max() < 0.025


def test_the_file_is_the_track(tmp_path: Path) -> None:
    times_s = click_times(5)
    with Song(write_clicks(tmp_path / "clicks.wav", times_s)) as song:
        assert song.sample_rate_hz == RATE_HZ
        sound = song.read(10 * RATE_HZ)
    track = click_track(times_s)
    assert np.abs(track).max() <= 1.0
    assert np.allclose(sound.mean(axis=1), track, atol=1e-4)


@pytest.mark.parametrize("late_s", [-0.1, -0.004, 0.0, 0.012, 0.25])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_block_with_the_beginning_is_found(late_s: float, noise: float) -> None:
    times_s = click_times(8, seed=3)
    sound = click_track(times_s)
    sound = sound + noise * np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    blocks = blocks_of(sound, late_s)
    for time_s in times_s.tolist():
        found = arrival(blocks, time_s, RATE_HZ)
        assert found is not None
        assert 0 <= blocks[found].stamp_s - late_s - time_s <= (BLOCK + 30) / RATE_HZ


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(3 * RATE_HZ, np.float32),
        np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype(np.float32) * 0.1,
        np.full(3 * RATE_HZ, 0.5, np.float32),
        click_track(np.array([1.5]))[: 3 * RATE_HZ] * 1e-3,
    ],
    ids=["silence", "noise", "offset", "too soft"],
)
def test_what_is_no_click_is_not_found(sound: np.ndarray) -> None:
    assert arrival(blocks_of(sound), 1.5, RATE_HZ) is None


def test_without_blocks_or_out_of_reach_nothing_is_found() -> None:
    assert arrival([], 1.0, RATE_HZ) is None
    blocks = blocks_of(click_track(np.array([1.0])))
    assert arrival(blocks, 50.0, RATE_HZ) is None and arrival(blocks, float("nan"), RATE_HZ) is None


def test_the_capture_remembers_what_it_hands_out(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STALE_S", "RING_S"):  # however late this process is, nothing is dropped
        monkeypatch.setattr(f"visualizer.audio.capture.{name}", 60.0)
    sound = click_track(np.array([0.1, 0.8, 1.5]))
    with RecordingCapture() as capture:
        capture.start()
        wait_until(lambda: capture.has_delivered, "nothing comes in")
        drained: list[np.ndarray] = []

        def loud() -> bool:
            drained.extend(capture.drain()[0])
            return any(np.abs(block).max(initial=0) > 0.3 for block in drained)

        with pulse.play(sound):
            wait_until(loud, "no click")
        capture.close()
        drained.extend(capture.drain()[0])
    heard, kept = np.concatenate(drained), np.concatenate([block.samples for block in capture.blocks])
    assert np.array_equal(heard, kept[: len(heard)]) and len(kept) - len(heard) <= 4 * BLOCK
    stamps_s = [block.stamp_s for block in capture.blocks]
    assert capture.n_dropped == 0 and stamps_s == sorted(stamps_s)
