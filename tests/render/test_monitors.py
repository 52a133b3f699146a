"""Which monitor is meant, where a window lies, and how it finds back; real ones in test_window.py."""

from __future__ import annotations

import pytest

from visualizer.errors import BadInput
from visualizer.render.monitors import (
    HomeMonitor,
    Monitor,
    centred,
    find_monitor,
    list_monitors,
    monitor_after,
    monitor_under,
    primary_monitor,
)


def monitor(index, name, area, key=None):
    return Monitor(index, name, area, area, 60.0, 1.0, index == 0, key=index + 1 if key is None else key)


LAPTOP = monitor(0, "eDP-1", (0, 0, 1920, 1080))
BEAMER = monitor(1, "HDMI-1 Epson", (1920, 0, 2560, 1440))
WALL = monitor(2, "HDMI-2 Wall", (4480, 0, 800, 600))
ALL = [LAPTOP, BEAMER, WALL]


# --- the one that is meant


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(0, LAPTOP), (2, WALL), ("eDP-1", LAPTOP), ("EPSON", BEAMER), (" wall ", WALL), ("hdmi-1 epson", BEAMER)],
)
def test_a_monitor_is_meant_by_number_or_name(wanted, expected):
    assert find_monitor(ALL, wanted) is expected


def test_an_exact_name_wins_over_part_of_another():
    twins = [monitor(0, "HDMI-1", (0, 0, 8, 8)), monitor(1, "HDMI-10", (8, 0, 8, 8))]
    assert find_monitor(twins, "hdmi-1") is twins[0]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (3, "there is no monitor 3; there are: 0 eDP-1, 1 HDMI-1 Epson, 2 HDMI-2 Wall"),
        ("hdmi", "'hdmi' fits 2 monitors: 1 HDMI-1 Epson, 2 HDMI-2 Wall; give the number"),
        ("edp-2", "no monitor is called 'edp-2'.*there are: 0 eDP-1"),
        ("", "no monitor is called ''"),
    ],
)
def test_an_unknown_monitor_is_an_error_that_lists_the_known_ones(wanted, message):
    with pytest.raises(BadInput, match=message):
        find_monitor(ALL, wanted)


def test_without_monitors():
    with pytest.raises(BadInput, match="there are: none"):
        find_monitor([], 0)
    assert primary_monitor([]) is None
    assert monitor_under([], (0, 0, 10, 10)) is None
    assert monitor_after([], None) is None


# --- places


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((0, 0), LAPTOP),
        ((2000, 300), BEAMER),
        ((1590, 0), LAPTOP),
        ((1610, 0), BEAMER),
        ((-100, -100), LAPTOP),
        ((4400, 100), WALL),
        ((9000, 9000), LAPTOP),
    ],
)
def test_a_window_is_on_the_monitor_that_has_most_of_it(place, expected):
    assert monitor_under(ALL, (*place, 640, 360)) is expected


def test_the_next_monitor_goes_round():
    assert [monitor_after(ALL, now) for now in ALL] == [BEAMER, WALL, LAPTOP]
    assert monitor_after([LAPTOP], LAPTOP) is None


def test_a_window_is_centred_and_made_to_fit():
    assert centred((640, 360), BEAMER.area) == (2880, 540, 640, 360)
    assert centred((1600, 600), WALL.area) == (4480, 150, 800, 300)


# --- home


@pytest.fixture
def home():
    home = HomeMonitor()
    home.record(BEAMER, (2000, 100, 640, 360), fullscreen=True)
    home.update(ALL)
    return home


def test_a_home_that_stays_is_no_news(home):
    assert home.update(ALL) is None
    assert home.update([BEAMER, LAPTOP]) is None, "another one's going is not ours"
    assert not home.is_away


def test_it_is_lost_once_and_back_once(home):
    assert home.update([LAPTOP]) == "lost"
    assert home.update([LAPTOP]) is None and home.is_away
    home.record(LAPTOP, (0, 0, 640, 360), fullscreen=False)
    returned = monitor(1, BEAMER.name, (1920, 0, 1280, 720), key=77)
    assert home.update([LAPTOP, returned]) == "back"
    assert home.monitor is returned and home.fullscreen, "what happened meanwhile does not count"
    assert home.update([LAPTOP, returned]) is None


def test_it_may_go_and_come_many_times(home):
    for key in range(10, 20):
        assert home.update([LAPTOP]) == "lost"
        assert home.update([LAPTOP, monitor(1, BEAMER.name, BEAMER.area, key=key)]) == "back"


def test_gone_and_back_between_two_looks_is_back(home):
    assert home.update([LAPTOP, monitor(1, BEAMER.name, BEAMER.area, key=99)]) == "back"


def test_all_monitors_may_go(home):
    assert home.update([]) == "lost"
    assert home.update([LAPTOP]) is None
    assert home.update([LAPTOP, BEAMER]) == "back"


def test_where_the_user_puts_it_meanwhile_is_its_home(home):
    home.update([LAPTOP])
    home.record(LAPTOP, (0, 0, 640, 360), fullscreen=True, chosen=True)
    assert home.update(ALL) is None
    assert home.name == "eDP-1"


def test_of_two_projectors_of_one_name_it_is_the_one_that_went(home):
    left, right = (monitor(i, "EPSON", (1920 * i, 0, 1920, 1080), key=i) for i in (1, 2))
    home.record(right, (0, 0, 8, 8), fullscreen=True, chosen=True)
    home.update([LAPTOP, left, right])
    assert home.update([LAPTOP, left]) == "lost", "the other one is not it"
    assert home.update([LAPTOP, left]) is None
    again = monitor(2, "EPSON", right.area, key=50)
    assert home.update([LAPTOP, left, again]) == "back" and home.monitor is again


def test_before_it_is_anywhere_nothing_is_lost():
    assert HomeMonitor().update(ALL) is None
    assert HomeMonitor().name == ""


# --- the real one


def test_the_private_screen_is_one_monitor(screen):
    (found,) = list_monitors()
    assert (found.index, found.area, found.is_primary) == (0, (0, 0, screen.width, screen.height), True)
    assert found.name and found.scale == 1.0
