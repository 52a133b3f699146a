"""The volume: levels, and no clicks on the way from one to another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.audio.volume import RAMP_S, Volume

RATE_HZ = 48_000


def played(volume: Volume, n_samples: int) -> np.ndarray:
    """Full scale all the time, at this volume -> (n,) float32."""
    sound = np.ones((n_samples, 2), np.float32)
    volume.apply(sound, RATE_HZ)
    assert (sound[:, 0] == sound[:, 1]).all()
    return sound[:, 0]


@pytest.mark.parametrize(("level_db", "gain"), [(0.0, 1.0), (-6.0, 0.5012), (-60.0, 0.001)])
def test_levels_and_mute(level_db: float, gain: float) -> None:
    volume = Volume()
    assert (played(volume, 100) == 1.0).all()
    volume.level_db = level_db
    played(volume, RATE_HZ // 10)
    assert played(volume, 100) == pytest.approx(np.full(100, gain), abs=1e-4)
    volume.is_muted = True
    assert played(volume, RATE_HZ // 10)[-1] == 0.0 and not played(volume, 100).any()
    volume.is_muted = False
    played(volume, RATE_HZ // 10)
    assert played(volume, 100) == pytest.approx(np.full(100, gain), abs=1e-4)


@given(st.lists(st.tuples(st.integers(1, 3000), st.floats(-60, 0), st.booleans()), min_size=1, max_size=20))
def test_no_two_samples_are_far_apart_whatever_is_turned(steps: list[tuple[int, float, bool]]) -> None:
    volume, parts = Volume(), [np.ones(1, np.float32)]
    for n_samples, level_db, is_muted in steps:
        volume.level_db, volume.is_muted = level_db, is_muted
        parts.append(played(volume, n_samples))
    sound = np.concatenate(parts)
    assert np.abs(np.diff(sound)).max() <= 1 / (RAMP_S * RATE_HZ) + 1e-6
    assert sound.min() >= 0.0 and sound.max() <= 1.0


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=20))
@pytest.mark.slow
def test_it_does_not_matter_into_which_blocks_the_sound_is_split(sizes: list[int]) -> None:
    split, whole = Volume(), Volume()
    split.level_db = whole.level_db = -20.0
    assert np.concatenate([played(split, size) for size in sizes]) == pytest.approx(played(whole, sum(sizes)), abs=1e-5)
