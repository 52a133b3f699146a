"""The keys that steer a journey."""

from __future__ import annotations

import pytest

from tests.control.test_state import CONTEXT, after
from visualizer.control.commands import Act, PresetShown, Set
from visualizer.control.parameters import JOURNEY_SPEED
from visualizer.control.state import ShowState


def speed(*actions):
    return (after(*(Act(one) for one in actions)) if actions else ShowState()).value(JOURNEY_SPEED, CONTEXT)


def test_a_journey_goes_at_the_preset_s_speed_until_told_otherwise():
    assert speed() == 1.0


def test_it_is_held_and_goes_on():
    assert speed("journey_hold") == 0.0
    assert speed("journey_hold", "journey_hold") == 1.0
    assert speed("journey_turn", "journey_slower", "journey_hold", "journey_hold") == 1.0, "as the preset says"


def test_it_turns_round_and_back():
    assert speed("journey_turn") == -1.0
    assert speed("journey_turn", "journey_turn") == 1.0
    assert speed("journey_hold", "journey_turn") == -1.0


def test_it_goes_faster_and_slower_in_either_direction_within_bounds():
    assert speed("journey_faster") == pytest.approx(2**0.5)
    assert speed("journey_slower", "journey_faster") == pytest.approx(1.0)
    assert speed("journey_turn", "journey_faster") == pytest.approx(-(2**0.5))
    assert speed(*["journey_faster"] * 20) == 4.0
    assert speed(*["journey_slower"] * 20) == 0.125


def test_the_answer_says_how_it_goes():
    assert after(Act("journey_hold")).answer == "journey held"
    assert after(Act("journey_turn")).answer == "journey back, speed 1"


def test_controllers_set_it_as_any_parameter():
    assert after(Set(JOURNEY_SPEED, -2.0)).value(JOURNEY_SPEED, CONTEXT) == -2.0


def test_a_reset_and_another_preset_give_it_the_speed_and_direction_of_the_preset():
    turned = (Act("journey_turn"), Act("journey_slower"))
    assert after(*turned, Act("reset")).value(JOURNEY_SPEED, CONTEXT) == 1.0
    assert after(PresetShown("a"), *turned, PresetShown("a")).value(JOURNEY_SPEED, CONTEXT) != 1.0
    assert after(PresetShown("a"), *turned, PresetShown("b")).value(JOURNEY_SPEED, CONTEXT) == 1.0
