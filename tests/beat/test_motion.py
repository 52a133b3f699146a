"""How the level moves with kicks: in seconds, whatever the hop."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.beat.motion import PUMP_HOLD_S, PUMP_RELEASE_S, Change, motion_for, motion_of, moves_alike
from visualizer.settings import BeatSettings

NAMES = ("decay", "punch", "breathe", "pump", "steps")


def levels(name, kicks_s, seconds, hop_s=0.005, decay=0.93, strength=1.0):
    """Level at every hop, with kicks at these times."""
    motion = motion_of(name, decay, hop_s)
    hops = {round(kick_s / hop_s) for kick_s in kicks_s}
    return [motion.step(strength if hop in hops else 0.0) for hop in range(round(seconds / hop_s))]


@pytest.mark.parametrize("name", NAMES)
@given(
    st.lists(st.floats(0, 3.9), max_size=20),
    st.floats(0.1, 0.999),
    st.floats(0.01, 1.0),
    st.sampled_from([0.003, 0.0067]),
)
@settings(max_examples=25, deadline=None)
def test_the_level_is_always_between_0_and_1_and_0_without_kicks(name, kicks_s, decay, strength, hop_s):
    told = levels(name, kicks_s, 4.0, hop_s, decay, strength)
    assert min(told) >= 0 and max(told) <= 1
    if not kicks_s:
        assert max(told) == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_same_in_seconds_whatever_the_hop(name):
    coarse = levels(name, [0.5, 1.0, 1.5], 3.0, hop_s=0.01)
    fine = levels(name, [0.5, 1.0, 1.5], 3.0, hop_s=0.0025)
    # where nothing jumps, a hop's length must not show
    for time_s in (0.7, 0.95, 1.3, 2.0, 2.9):
        assert coarse[round(time_s / 0.01)] == pytest.approx(fine[round(time_s / 0.0025)], abs=0.04)


def test_seed_jumps_and_falls_to_93_percent_every_thirtieth():
    told = levels("decay", [0.5], 1.0, hop_s=1 / 300)
    assert told[149] == 0 and told[150] == 1
    assert told[160] == pytest.approx(0.93) and told[180] == pytest.approx(0.93**3)


def test_punch_is_gone_sooner():
    assert levels("punch", [0.5], 1.0)[150] < 0.5 * levels("decay", [0.5], 1.0)[150]


def test_breathe_has_no_jump_and_comes_late():
    told = levels("breathe", [0.5], 2.0)
    assert max(b - a for a, b in itertools.pairwise(told)) < 0.05
    assert 0.55 < told.index(max(told)) * 0.005 < 0.85 and max(told) > 0.4


def test_pump_comes_up_on_the_kick_and_dives_between():
    told = levels("pump", [0.5 * beat for beat in range(1, 9)], 8.0)
    assert told[round(2.5 / 0.005)] < 0.05, "at a kick the image itself"
    assert told[round(2.95 / 0.005)] > 0.5, "before the next the dream"
    assert told[-1] < 0.2, "and at rest when there are no more kicks"
    assert told[round((4.0 + PUMP_HOLD_S) / 0.005)] > 0.8
    assert told[round((4.0 + PUMP_HOLD_S + PUMP_RELEASE_S) / 0.005)] < 0.5


@pytest.mark.parametrize("name", ["decay", "punch", "steps"])
def test_looking_ahead_is_what_comes(name):
    motion = motion_of(name, 0.9, 0.01)
    now = motion.step(1.0)
    later = [motion.step(0.0) for _ in range(5)][-1]
    assert motion.ahead(now, 0.05) == pytest.approx(later)


@pytest.mark.parametrize("old", NAMES)
@pytest.mark.parametrize("new", NAMES)
def test_one_motion_goes_over_into_another_without_a_jump(old, new):
    hop_s = 0.005
    first, second = motion_of(old, 0.93, hop_s), motion_of(new, 0.9, hop_s)
    for hop in range(150):
        before = first.step(1.0 if hop == 100 else 0.0)
    change = Change(first, second, 0.2, hop_s)
    assert change.level == before and not change.over
    told = [before] + [change.step(0.0) for _ in range(60)]
    # a jump would be half of all; falling and going over take a few hundredths a hop
    assert max(abs(b - a) for a, b in itertools.pairwise(told)) < 0.06
    assert change.over and change.level == second.level


def test_a_kick_while_one_motion_goes_over_into_another_moves_both():
    change = Change(motion_of("decay", 0.93, 0.005), motion_of("punch", 0.93, 0.005), 0.1, 0.005)
    change.step(0.0)
    assert change.step(0.9) == pytest.approx(0.9)
    assert change.ahead(0.5, 1 / 30) == pytest.approx(0.5 * 0.93**2.5)


@pytest.mark.parametrize("name", NAMES)
def test_smoothing_follows_the_motion_with_its_time_constant_and_never_leaves_its_range(name):
    hop_s, settings = 0.005, BeatSettings(motion=name, smoothing_ms=100)
    plain, smooth = motion_of(name, 0.93, hop_s), motion_for(settings, hop_s)
    expected, told = 0.0, []
    for hop in range(400):
        strength = 1.0 if hop % 100 == 20 else 0.0
        expected += (plain.step(strength) - expected) * (1 - np.exp(-hop_s / 0.1))
        told.append(smooth.step(strength))
        assert told[-1] == pytest.approx(expected)
    assert max(told) <= 1 and min(told) >= 0
    assert max(abs(b - a) for a, b in itertools.pairwise(told)) < 0.06, "no edges"
    assert smooth.ahead(0.4, 0.02) == 0.4


def test_smoothing_is_part_of_how_it_moves_and_is_taken_over_from_any_level():
    assert moves_alike(BeatSettings(), BeatSettings(sensitivity=2)) and not moves_alike(
        BeatSettings(), BeatSettings(smoothing_ms=50)
    )
    smooth = motion_for(BeatSettings(smoothing_ms=200), 0.005)
    smooth.level = 0.8
    assert smooth.level == 0.8 and 0.75 < smooth.step(0.0) < 0.8
