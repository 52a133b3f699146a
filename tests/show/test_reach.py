"""How far the beat acts on what is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.show.reach import Reach


@given(st.floats(0, 20), st.integers(0, 20))
def test_reach_never_asks_for_what_is_not_there(depth, deepest):
    reach = Reach(20)
    for step in range(5):
        assert 0 <= reach.scale(depth, deepest, step * 0.1) <= deepest


def test_reach_is_the_depth_itself_once_all_is_baked():
    reach = Reach(20)
    assert reach.scale(13.7, 20, 0.0) == pytest.approx(13.7)


def test_reach_eases_when_a_depth_lands():
    reach = Reach(20)
    assert reach.scale(20.0, 5, 0.0) == pytest.approx(5.0)
    shown = [reach.scale(20.0, 6, n / 60) for n in range(1, 61)]
    assert max(abs(b - a) for a, b in zip([5.0, *shown], shown, strict=False)) < 0.2
    assert shown[-1] == pytest.approx(6.0, abs=0.01)


def test_reach_does_not_depend_on_the_frame_rate():
    slow, fast = Reach(20), Reach(20)
    slow.scale(20, 0, 0.0), fast.scale(20, 0, 0.0)
    for n in range(1, 7):
        at_30 = slow.scale(20, 10, n / 30)
    for n in range(1, 25):
        at_120 = fast.scale(20, 10, n / 120)
    assert at_30 == pytest.approx(at_120, rel=1e-6)
