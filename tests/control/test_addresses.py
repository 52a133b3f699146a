"""What OSC addresses do, and which cannot be used."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from visualizer.control.addresses import OscMapping, Unusable
from visualizer.control.bindings import OscBinding
from visualizer.control.bound_control import ShowInfo
from visualizer.control.commands import Act, Set, ShowPreset
from visualizer.control.parameters import base_parameters

PRESETS = ("calm", "club", "deep")
BOUND = [
    OscBinding(address="/1/fader1", does="beat.decay", low=0.5),
    OscBinding(address="/1/button", does="tap"),
    OscBinding(address="/1/hold", does="blackout", hold=True),
    OscBinding(address="/1/preset", does="preset"),
    OscBinding(address="/1/midi", does="beat.decay", full=127),
    OscBinding(address="/1/steps", does="beat.motion", value="steps"),
]


def hear(address: str, *sent, presets=PRESETS, values=None):
    return OscMapping(BOUND).changes(address, sent, ShowInfo(values or {}, presets), 0.0)


@pytest.mark.parametrize(
    ("address", "values", "commands"),
    [
        ("/visualizer/action/next_preset", (), [Act("next_preset")]),
        ("/visualizer/action/next_preset", (1.0,), [Act("next_preset")]),
        ("/visualizer/action/next_preset", (0.0,), []),
        ("/visualizer/action/freeze", (0.0,), [Set("freeze", 0.0)]),
        ("/visualizer/action/reset", (), [Act("reset")]),
        ("/visualizer/tap", (), [Act("tap")]),
        ("/visualizer/tap", (0.0,), []),
        ("/visualizer/set/beat/decay", (0.9,), [Set("beat.decay", 0.9)]),
        ("/visualizer/set/beat.decay", (0.9,), [Set("beat.decay", 0.9)]),
        ("/visualizer/set/beat/motion", ("steps",), [Set("beat.motion", "steps")]),
        ("/visualizer/share/beat/decay", (0.0,), [Set("beat.decay", base_parameters().find("beat.decay").low)]),
        ("/visualizer/preset", ("club",), [ShowPreset("club")]),
        ("/visualizer/preset", (3.0,), [ShowPreset("deep")]),
        ("/visualizer/blackout", (1.0,), [Set("blackout", 1.0)]),
        ("/visualizer/lock", (0.0,), [Set("lock", 0.0)]),
        ("/visualizer/freeze", (), [Act("freeze")]),
        ("/1/fader1", (0.0,), [Set("beat.decay", pytest.approx(0.5))]),
        ("/1/midi", (127.0,), [Set("beat.decay", pytest.approx(base_parameters().find("beat.decay").high))]),
        ("/1/button", (1.0,), [Act("tap")]),
        ("/1/button", (), [Act("tap")]),
        ("/1/button", (0.0,), []),
        ("/1/hold", (1.0,), [Set("blackout", 1.0)]),
        ("/1/preset", (1.0,), [ShowPreset("calm")]),
        ("/1/steps", (1.0,), [Set("beat.motion", "steps")]),
    ],
)
def test_addresses(address, values, commands):
    assert hear(address, *values, values={"beat.decay": 0.7}) == commands


@pytest.mark.parametrize(
    ("address", "values", "why"),
    [
        ("/2/fader1", (1.0,), "not bound"),
        ("/visualizer", (), "not bound"),
        ("/visualizer/", (), "unknown address"),
        ("/visualizer/blakout", (1.0,), "unknown address"),
        ("/visualizer/action/quitt", (), "did you mean 'quit'"),
        ("/visualizer/action/quit", (), "cannot end a show"),
        ("/visualizer/action/leave_fullscreen", (1.0,), "cannot end a show"),
        ("/visualizer/action/tap", ("x",), "needs a number"),
        ("/visualizer/set/beat/dekay", (1.0,), "did you mean 'beat.decay'"),
        ("/visualizer/set/beat/decay", (7.0,), "out of range"),
        ("/visualizer/set/beat/decay", (math.nan,), "not a finite number"),
        ("/visualizer/set/beat/decay", ("0.5",), "needs a number"),
        ("/visualizer/set/beat/decay", (-1e300,), "out of range"),
        ("/visualizer/set/beat/motion", (1.0,), "unknown value"),
        ("/visualizer/set/beat/decay", ("high",), "needs a number"),
        ("/visualizer/set/beat/decay", (), "needs a value"),
        ("/visualizer/set/beat/motion", ("sideways",), "unknown value"),
        ("/visualizer/share/beat/decay", (1.1,), "allowed: 0 .. 1"),
        ("/visualizer/share/beat/decay", (math.inf,), "not a finite number"),
        ("/visualizer/preset", ("clob",), "did you mean 'club'"),
        ("/visualizer/preset", (4.0,), "no preset 4"),
        ("/visualizer/preset", (1.5,), "no preset 1.5"),
        ("/visualizer/preset", (), "needs a number"),
        ("/visualizer/blackout", (math.nan,), "not a finite number"),
        ("/1/fader1", (1.5,), "allowed: 0 .. 1"),
        ("/1/midi", (128.0,), "allowed: 0 .. 127"),
        ("/1/button", ("x",), "needs a number"),
    ],
)
def test_messages_that_cannot_be_used_are_refused_with_a_reason(address, values, why):
    with pytest.raises(Unusable, match=why):
        hear(address, *values)


def test_a_preset_given_as_a_folder_is_found_by_the_folders_name():
    presets = ["club", str(Path("looks", "my look").absolute())]
    mapping = OscMapping()
    assert mapping.changes("/visualizer/preset", ["my look"], ShowInfo(presets=tuple(presets)), 0.0) == [
        ShowPreset("my look")
    ]
    assert mapping.changes("/visualizer/preset", [presets[1]], ShowInfo(presets=tuple(presets)), 0.0) == [
        ShowPreset(presets[1])
    ]
    with pytest.raises(Unusable, match="did you mean 'my look'"):
        mapping.changes("/visualizer/preset", ["my lok"], ShowInfo(presets=tuple(presets)), 0.0)


def test_every_parameter_can_be_set_by_value_and_by_share():
    for name, one in base_parameters().items():
        address = name.replace(".", "/")
        assert hear(f"/visualizer/set/{address}", one.at(0.5)) == [Set(name, one.at(0.5))]
        assert hear(f"/visualizer/share/{address}", 0.5) == [Set(name, one.at(0.5))]
