"""Commands as values, and as JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.control import commands
from visualizer.control.commands import KINDS, Act, Command, PresetShown, Set
from visualizer.control.parameters import Parameter
from visualizer.errors import BadInput

TEXTS = st.text(max_size=20)
NUMBERS = st.floats(allow_nan=False)
PAIRS = st.lists(st.tuples(TEXTS, NUMBERS | TEXTS), max_size=3).map(tuple)
LOOK = st.builds(
    Parameter, TEXTS, TEXTS, st.sampled_from(["number", "choice"]), NUMBERS, NUMBERS, choices=st.just(("a", "b"))
)
CHANGES = st.one_of(
    st.builds(commands.Act, TEXTS),
    st.builds(commands.Set, TEXTS, NUMBERS | TEXTS),
    st.builds(commands.ShowPreset, TEXTS),
    st.builds(commands.SetTempo, NUMBERS, NUMBERS),
    st.builds(commands.Learn, TEXTS),
    st.builds(commands.PresetsListed, st.lists(TEXTS, max_size=3).map(tuple)),
    st.builds(commands.PresetShown, TEXTS, PAIRS, PAIRS, st.lists(LOOK, max_size=2).map(tuple)),
    st.builds(commands.PresetFailed),
)


@given(st.builds(Command, st.integers(0, 2**53), CHANGES))
def test_every_command_is_the_same_after_json(command):
    assert Command.from_data(json.loads(json.dumps(command.to_data()))) == command


def test_every_kind_of_change_has_a_name_in_json():
    assert set(KINDS.values()) == set(commands.Change.__args__)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ([], "must be a JSON object"),
        ({"kind": "act", "action": "tap"}, "at_samples must be a whole number"),
        ({"at_samples": 1.5, "kind": "act", "action": "tap"}, "at_samples must be a whole number"),
        ({"at_samples": 1, "kind": "set_"}, r"unknown kind of command 'set_' \(did you mean 'set'\?\)"),
        ({"at_samples": 1, "kind": {}}, "unknown kind"),
        ({"at_samples": 1, "kind": "act"}, "act: action: Field required"),
        ({"at_samples": 1, "kind": "act", "action": 7}, "act: action: Input should be a valid string"),
        ({"at_samples": 1, "kind": "act", "action": "tap", "loud": 1}, "act has no field 'loud'"),
        ({"at_samples": 1, "kind": "preset_shown", "preset": "a", "look": [{}]}, "look.0.name"),
    ],
)
def test_what_is_no_command_is_refused_in_one_line(data, fault):
    with pytest.raises(BadInput, match=fault) as raised:
        Command.from_data(data)
    assert "\n" not in str(raised.value)


def test_changes_of_different_kinds_are_never_equal():
    assert Act("tap") != commands.Learn("tap") and Set("a", 1.0) == Set("a", 1)
    assert PresetShown("a") == PresetShown("a", ())
