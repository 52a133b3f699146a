"""Tests of the helpers that tests wait with."""

from __future__ import annotations

import pytest

from tests.fixtures.watching import takes


def test_a_test_is_taken_again_with_a_warning_until_it_holds():
    n_taken = 0

    @takes(3)
    def test():
        nonlocal n_taken
        n_taken += 1
        assert n_taken > 1, f"take {n_taken}"
        return n_taken

    with pytest.warns(UserWarning, match="^test is taken again: take 1"):
        assert test() == 2


@pytest.mark.parametrize(
    ("fault", "n_expected"),
    [
        (AssertionError("wrong"), 3),
        (pytest.fail.Exception("Timeout (>900.0s) from pytest-timeout."), 1),
        (ValueError("an error of the program"), 1),
    ],
)
@pytest.mark.filterwarnings("ignore:test is taken again")
def test_what_another_take_does_not_help_is_raised(fault, n_expected):
    taken = []

    @takes(3)
    def test():
        taken.append(1)
        raise fault

    with pytest.raises(type(fault)):
        test()
    assert len(taken) == n_expected
