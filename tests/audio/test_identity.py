"""A device that comes back is known by its name, and never taken for another."""

from __future__ import annotations

from typing import Any

import pytest

from visualizer.audio.devices import Device
from visualizer.audio.identity import find_again, find_wanted, following_input, identity_of
from visualizer.errors import DeviceError, UnknownDevice


def device(index: int, name: str, host_api: str = "ALSA", n_inputs: int = 2, **more: Any) -> Device:
    return Device(index, name, host_api, n_inputs, 0, 48_000, **more)


A, B, C = device(0, "A"), device(1, "B"), device(2, "A", "JACK")


def test_found_again_under_another_number() -> None:
    moved = [device(0, "X"), device(1, "B"), device(2, "A")]
    assert find_again(identity_of(A, [A, B, C]), moved) is moved[2]


@pytest.mark.parametrize("others", [[], [B], [C], [device(0, "A (2)")], [device(0, "a")], [device(0, "A", n_inputs=0)]])
def test_nothing_else_is_taken_for_it(others: list[Device]) -> None:
    with pytest.raises(DeviceError, match="'A' is not there"):
        find_again(identity_of(A, [A, B, C]), others)


def test_of_two_with_one_name_none_is_taken_while_one_is_away() -> None:
    twins = [device(0, "Mic"), device(1, "Mic")]
    second = identity_of(twins[1], twins)
    with pytest.raises(DeviceError, match="1 of 2 inputs called 'Mic'"):
        find_again(second, twins[:1])
    assert find_again(second, [B, *twins]) is twins[1]


SERVER = [
    device(0, "pulse"),
    device(1, "default"),
    device(2, "hw:0"),
    device(3, "mic", "PulseAudio", source="mic", is_default_input=True),
    device(4, "line", "PulseAudio", source="line"),
]


@pytest.mark.parametrize("wanted", [None, "pulse", "default", 0, 3, "MIC"])
def test_what_follows_the_default_stands_for_the_default_itself(wanted: str | int | None) -> None:
    assert find_wanted(wanted, SERVER).name == "mic"


def test_without_a_server_the_go_between_is_all_there_is() -> None:
    assert find_wanted("default", SERVER[:2]).name == "default"
    assert find_wanted("line", SERVER).name == "line"
    with pytest.raises(UnknownDevice):
        find_wanted("guitar", SERVER)


def test_next_goes_round_all_real_inputs() -> None:
    here, names = identity_of(SERVER[3], SERVER), []
    for _ in range(4):
        following = following_input(here, SERVER)
        names.append(following.name)
        here = identity_of(following, SERVER)
    assert names == ["line", "hw:0", "mic", "line"]


def test_next_passes_over_and_says_when_there_is_no_other() -> None:
    here = identity_of(A, [A, B, C])
    assert following_input(here, [A, B, C], [identity_of(B, [A, B, C])]) is C
    assert following_input(None, [A, B]) is A
    assert following_input(here, [B, C]) is B  # itself gone
    for devices in ([A], [], [device(0, "out", n_inputs=0)]):
        with pytest.raises(UnknownDevice, match="no other input"):
            following_input(here, devices)
