"""The mono mix: that of `to_mono` for ordinary sound, one channel where they cancel, the same however the sound is
split.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from tests import sounds
from visualizer.audio.mixing import to_mono
from visualizer.audio.mono import STEP_S, MonoMix, channel_to_follow, sum_gain

RATE_HZ = 22_050
SECONDS = 4.0
KICKS = sounds.kicks(RATE_HZ, [0.25 * n for n in range(16)], SECONDS)
NOISE = np.random.default_rng(7).standard_normal((6, len(KICKS))).astype(np.float32)
T = np.arange(len(KICKS)) / RATE_HZ
HIGH = (0.3 * np.sin(2 * np.pi * 1000 * T)).astype(np.float32)
ZERO = np.zeros_like(KICKS)
RUMBLE = (1e-4 * np.sin(2 * np.pi * 50 * T)).astype(np.float32)


def mixed(channels: Sequence[np.ndarray], split: Sequence[int] = (1024,), names: Sequence[str] = ()) -> MonoMix:
    """A mix that has taken all of the channels, in blocks of these lengths over and over; its samples are in
    `sound`.
    """
    block, parts, start = np.stack(channels, axis=1), [], 0
    mix = MonoMix(RATE_HZ, names or [f"channel {n + 1}" for n in range(len(channels))])
    for n in itertools.cycle(split):
        parts.append(mix.push(block[start : start + n]))
        start += n
        if start >= len(block):
            break
    mix.sound = np.concatenate(parts)
    return mix


ORDINARY = {
    "both alike": [KICKS, KICKS],
    "nothing in common": [0.2 * NOISE[0], 0.2 * NOISE[1]],
    "wide": [KICKS + 0.3 * NOISE[0], KICKS - 0.3 * NOISE[0]],
    "very wide": [HIGH + NOISE[0], 0.3 * HIGH - 0.6 * NOISE[0] + 0.6 * NOISE[1]],
    "hard to one side": [KICKS, ZERO],
    "one after the other": [KICKS * (T < 2), KICKS * (T >= 2)],
    "inverted rumble far below the music": [HIGH + RUMBLE, HIGH - RUMBLE],
    "an offset of each side": [KICKS + np.float32(0.5), KICKS - np.float32(0.5)],
    "an inverted offset and nothing else": [ZERO + np.float32(0.5), ZERO - np.float32(0.5)],
    "five channels": list(0.2 * NOISE[:5]),
    "one of eight": [ZERO] * 3 + [KICKS] + [ZERO] * 4,
    "no numbers": [KICKS * np.float32(np.nan), KICKS],
    "one channel": [KICKS],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_sound_is_mixed_as_ever_bit_for_bit(name: str) -> None:
    mix = mixed(ORDINARY[name], (300, 7000))
    assert np.array_equal(mix.sound, to_mono(np.stack(ORDINARY[name], axis=1)), equal_nan=True)
    assert mix.followed is None and mix.note == ""


CANCELLING = {
    "one side inverted": ([KICKS, -KICKS], 0),
    "the second louder": ([0.5 * KICKS, -KICKS], 1),
    "with a mismatch and noise": ([KICKS + 0.01 * NOISE[0], -0.8 * KICKS + 0.01 * NOISE[1]], 0),
    "with an offset of both sides": ([KICKS + np.float32(0.5), np.float32(0.5) - KICKS], 0),
    "only the low frequencies": ([KICKS + HIGH, -KICKS + HIGH], 0),
    "only the high frequencies": ([HIGH, -HIGH], 0),
    "two of four": ([HIGH, KICKS, -KICKS, HIGH], 1),
}


@pytest.mark.parametrize("name", CANCELLING)
def test_channels_that_cancel_are_followed_one_by_one(name: str) -> None:
    channels, followed = CANCELLING[name]
    mix = mixed(channels)
    assert mix.followed == followed
    assert mix.note == f"the channels cancel each other (is one inverted?); only channel {mix.followed + 1} is used"
    settled = round(4 * STEP_S * RATE_HZ)
    assert np.array_equal(mix.sound[settled:], channels[mix.followed][settled:])
    # from one way to the other without a step
    assert np.abs(np.diff(mix.sound - mix.sound.mean())).max() < 2 * np.abs(np.diff(channels[mix.followed])).max()


@pytest.mark.parametrize("name", [*ORDINARY, *CANCELLING])
def test_any_split_into_blocks_gives_the_same(name: str) -> None:
    channels = ORDINARY.get(name) or CANCELLING[name][0]
    whole = mixed(channels, (len(KICKS),)).sound
    for split in ((256,), (1, 4410, 333), (100_000,)):
        assert np.array_equal(mixed(channels, split).sound, whole, equal_nan=True), split


def test_it_goes_back_when_they_no_longer_cancel_and_stays_through_silence() -> None:
    inverted = np.where(T < 2, -KICKS, 0).astype(np.float32)
    mix = mixed([KICKS * (T < 2), inverted])
    assert mix.followed == 0  # there is only silence since
    for _ in range(2):
        mix.push(np.stack([KICKS, KICKS], axis=1))
    assert mix.followed is None and mix.note


def test_the_other_side_is_followed_only_when_it_is_clearly_louder() -> None:
    cancelling = np.array([[1.0, -1.3], [-1.3, 1.9]])
    assert channel_to_follow(cancelling, cancelling, None) == 1
    assert channel_to_follow(cancelling, cancelling, 0) == 0
    assert channel_to_follow(cancelling + np.diag([0, 1.0]), cancelling + np.diag([0, 1.0]), 0) == 1


@pytest.mark.parametrize(("correlation", "before", "followed"), [
    (-0.9, None, 0), (-0.7, None, None), (-0.7, 0, 0), (-0.4, 0, None), (1.0, 0, None),
])  # fmt: skip
def test_there_is_a_gap_between_beginning_and_ending(
    correlation: float, before: int | None, followed: int | None
) -> None:
    power = np.array([[1.0, correlation], [correlation, 1.0]])
    assert sum_gain(power) == pytest.approx(1 + correlation)
    assert channel_to_follow(power, power, before) == followed


def test_after_a_jump_it_goes_on_with_what_it_knows() -> None:
    mix = mixed([KICKS, -KICKS])
    mix.skip()
    block = np.stack([KICKS, -KICKS], axis=1)[:500]
    assert np.array_equal(mix.push(block), block[:, mix.followed])
    assert len(mix.push(block[:0])) == 0
