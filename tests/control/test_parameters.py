"""What can be set while a show runs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.control.parameters import Parameter, base_parameters, movers
from visualizer.errors import BadInput
from visualizer.settings import SOURCES, BeatSettings, DreamSettings

NUMBERS = [one for one in base_parameters().values() if one.kind in ("number", "whole")]


def model_of(one):
    return {"beat": BeatSettings, "dream": DreamSettings}.get(one.name.partition(".")[0])


def test_every_number_of_the_beat_and_the_dream_is_a_parameter():
    names = set(base_parameters())
    assert {"beat.sensitivity", "beat.decay", "beat.low_hz", "beat.smoothing_ms", "beat.motion"} < names
    assert {"dream.colour", "dream.seed", "input.gain_db", "output.delay_ms", "blackout", "freeze", "lock"} < names
    assert "dream.network" not in names and "dream.n_depths" not in names
    assert base_parameters().find("dream.colour").rebakes and not base_parameters().find("beat.decay").rebakes


@pytest.mark.parametrize("one", NUMBERS, ids=lambda one: one.name)
def test_both_ends_and_every_place_between_are_values_the_settings_take(one):
    for share in (0.0, 0.3, 0.5, 0.9, 1.0):
        value = one.at(share)
        assert one.checked(value) == value
        if (model := model_of(one)) is not None:
            key = one.name.partition(".")[2]
            field = model.model_fields[key]
            for rule in field.metadata:
                assert getattr(rule, "ge", None) is None or value >= rule.ge
                assert getattr(rule, "gt", None) is None or value > rule.gt
                assert getattr(rule, "le", None) is None or value <= rule.le


@given(st.sampled_from(NUMBERS), st.floats(0, 1))
def test_a_position_is_found_again_from_its_value(one, share):
    again = one.share_of(one.at(share))
    slack = 0.51 / (one.high - one.low) if one.kind == "whole" else 1e-6
    assert abs(again - share) <= slack


@given(st.sampled_from(list(base_parameters().values())), st.floats(allow_nan=True, allow_infinity=True))
def test_any_position_gives_an_allowed_value(one, share):
    assert one.checked(one.at(share)) == one.at(share)


@given(
    st.sampled_from(list(base_parameters().values())),
    st.floats(allow_nan=True, allow_infinity=True) | st.text(max_size=20),
)
def test_any_value_is_accepted_or_refused_with_the_bounds(one, value):
    try:
        taken = one.checked(value)
    except BadInput as fault:
        assert one.name in str(fault)
    else:
        assert taken in one.choices if one.kind == "choice" else one.low <= taken <= one.high


def test_what_is_perceived_by_ratio_is_moved_by_ratio():
    sensitivity = base_parameters().find("beat.sensitivity")
    assert sensitivity.is_log and sensitivity.at(0.5) == pytest.approx(1.0)
    assert not base_parameters().find("beat.decay").is_log
    assert (
        base_parameters().find("beat.motion").at(0.99) == "energy" and base_parameters().find("blackout").at(0.5) == 1.0
    )
    assert not math.isnan(float(sensitivity.at(math.nan)))


def test_an_unknown_name_is_an_error_that_names_the_nearest():
    with pytest.raises(BadInput, match=r"unknown parameter .beat\.sensitivty.*did you mean 'beat\.sensitivity'"):
        base_parameters().find("beat.sensitivty")


def test_the_parameters_of_a_look_join_and_leave_with_it():
    zoom = Parameter("look.zoom", "how much larger", "number", 1.0, 4.0, default=2.0)
    joined = base_parameters().with_look([zoom])
    assert joined["look.zoom"] == zoom and set(joined) == {*base_parameters(), "look.zoom"}
    other = Parameter("look.tint", "colour", "choice", choices=("red", "blue"), default="red")
    assert joined.with_look([other]) == base_parameters().with_look([other])
    assert "look.zoom" not in base_parameters(), "a set of parameters never changes"
    with pytest.raises(ValueError, match=r"look\.NAME"):
        base_parameters().with_look([Parameter("zoom", "", "number")])


def test_a_parameter_that_can_move_brings_what_moves_it():
    zoom = Parameter("look.zoom", "how much larger", "number", 1.0, 4.0, default=2.0, can_move=True)
    joined = base_parameters().with_look([zoom])
    source, amount, smoothing = movers(zoom)
    assert list(joined)[-4:] == ["look.zoom", "look.zoom.source", "look.zoom.amount", "look.zoom.smoothing_s"]
    assert joined["look.zoom.source"].default == source.choices[0] == "none" and set(source.choices) == {
        "none",
        *SOURCES,
    }
    assert (amount.low, amount.high, smoothing.low) == (-1.0, 1.0, 0.0)
    assert not movers(Parameter("look.mirror", "", "switch"))


def test_defaults_are_those_of_the_settings():
    for one in base_parameters().of_section("beat", "dream"):
        assert one.default == getattr(model_of(one)(), one.key)


def test_the_switches_of_the_show_are_declared_once():
    assert base_parameters().switches == ("blackout", "freeze", "lock", "record")
