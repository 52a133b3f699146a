"""What a control may be bound to, and the errors of invalid bindings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from visualizer.control.actions import find_actions
from visualizer.control.bindings import MidiBinding, OscBinding, check_address, targets
from visualizer.control.parameters import base_parameters
from visualizer.control.targets import check_target
from visualizer.errors import BadInput


def test_every_action_and_every_parameter_is_a_target_and_can_be_bound():
    assert set(find_actions()) | set(base_parameters()) | {"preset"} == set(targets())
    for target in [*targets(), "preset:club", "look.3d-rotate.mix", "look.blurAmount"]:
        MidiBinding(program="any", does=target)
        OscBinding(address="/1/x", does=target)


@pytest.mark.parametrize("target", ["tab", "beat", "beat.dekay", "", "preset:", "preset: ", "presets:a"])
def test_other_targets_are_refused_naming_the_nearest(target):
    with pytest.raises(BadInput, match="known: beat") as told:
        check_target(target, targets())
    if target == "beat.dekay":
        assert "did you mean 'beat.decay'?" in str(told.value)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"does": "tap"}, "needs one of: cc"),
        ({"cc": 1, "note": 2, "does": "tap"}, "needs one of: cc"),
        ({"cc": 128, "does": "tap"}, "127"),
        ({"program": 128, "does": "tap"}, "0 .. 127"),
        ({"cc": 1, "channel": 0, "does": "tap"}, "1"),
        ({"cc": 32, "fine": True, "does": "beat.decay"}, "cc 0 .. 31"),
        ({"note": 1, "relative": "twos", "does": "beat.decay"}, "relative needs a cc"),
        ({"cc": 1, "relative": "twos", "does": "tap"}, "relative needs a cc"),
        ({"cc": 1, "relative": "threes", "does": "beat.decay"}, "twos"),
        ({"cc": 1, "hold": True, "does": "beat.decay"}, "hold needs a switch: blackout, freeze, lock"),
        ({"program": 1, "hold": True, "does": "blackout"}, "can be released"),
        ({"cc": 1, "low": 0.5, "does": "tap"}, "low needs a parameter"),
        ({"cc": 1, "high": 0.5, "does": "beat.motion"}, "high needs a parameter"),
        ({"cc": 1, "low": float("nan"), "does": "beat.decay"}, "out of range"),
        ({"cc": 1, "low": 5, "does": "beat.decay"}, "beat.decay 5 is out of range"),
        ({"note": 1, "value": "sideways", "does": "beat.motion"}, "unknown value 'sideways'"),
        ({"note": 1, "value": 1, "does": "tap"}, "value needs a parameter"),
        ({"note": 1, "value": 1, "hold": True, "does": "blackout"}, "exclude"),
        ({"note": 1, "does": "preset"}, "program: any"),
        ({"note": 1, "preset": "a", "does": "tap"}, "replaces does"),
        ({"note": 1, "preset": 3}, "needs the name of a preset"),
        (3, "needs a section"),
    ],
)
def test_invalid_bindings_are_refused(said, why):
    with pytest.raises(ValidationError, match=why):
        MidiBinding.model_validate(said)


def test_a_binding_as_text():
    assert str(MidiBinding(cc=7, channel=1, port="X", does="tap")) == "CC 7 channel 1 of X"
    assert str(MidiBinding(program="any", does="preset")) == "program any"
    assert str(MidiBinding(bend=True, does="beat.decay")) == "pitch bend"
    assert str(OscBinding(address="/1/x", does="tap")) == "/1/x"


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ({"cc": 1}, {"cc": 1}, True),
        ({"cc": 1}, {"note": 1}, False),
        ({"cc": 1, "channel": 2}, {"cc": 1}, True),
        ({"cc": 1, "channel": 2}, {"cc": 1, "channel": 3}, False),
        ({"cc": 1, "port": "nano"}, {"cc": 1, "port": "nanoKONTROL2"}, True),
        ({"cc": 1, "port": "nano"}, {"cc": 1, "port": "Launchpad"}, False),
    ],
)
def test_bindings_of_one_control_are_found(one, other, clash):
    first, second = MidiBinding(does="tap", **one), MidiBinding(does="quit", **other)
    assert first.shares_control(second) is second.shares_control(first) is clash


@pytest.mark.parametrize("address", ["", "x", "/a b", "/a*", "/a\n", "/" + "a" * 300, "/visualizer/tap", "/[a]"])
def test_addresses_that_cannot_be_bound(address):
    with pytest.raises(ValueError, match="address|/visualizer/"):
        check_address(address)
