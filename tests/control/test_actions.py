"""Actions: each declared once."""

import pytest

from visualizer.control.actions import find_actions
from visualizer.control.parameters import base_parameters

USED_BY_USERS = {
    *(
        "help",
        "fullscreen",
        "next_monitor",
        "leave_fullscreen",
        "quit",
        "lock",
        "record",
        "screenshot",
        "blackout",
        "freeze",
    ),
    *("panel", "next_preset", "previous_preset", *(f"preset_{number}" for number in range(1, 10))),
    *("sensitivity_up", "sensitivity_down", "reset", "tap", "tempo_half", "tempo_double", "next_input"),
    *("volume_up", "volume_down", "mute", "seek_back", "seek_forward", "previous_song", "next_song"),
}


def test_every_action_that_users_have_bound_is_still_there():
    assert set(find_actions()) >= USED_BY_USERS


def test_those_of_one_line_of_help_stand_together_and_need_the_same():
    lines = {}
    for index, one in enumerate(find_actions().values()):
        lines.setdefault(one.line or one.name, []).append((index, one.needs))
    for members in lines.values():
        assert [index for index, _ in members] == list(range(members[0][0], members[0][0] + len(members)))
        assert len({needs for _, needs in members}) == 1


def test_switches_of_the_show_have_an_action_each():
    assert set(base_parameters().switches) <= set(find_actions())


@pytest.mark.parametrize("one", find_actions().values(), ids=lambda one: one.name)
def test_what_is_shown_fits_where_it_is_shown(one):
    assert 0 < len(one.line or one.help) <= 32 and len(one.button) <= 14 and one.help == one.help.strip()
