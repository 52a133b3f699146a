"""The soft edge of a station: whole in the middle, gone at the border, and going down all the way between."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.journey.edge import soft_edge
from visualizer.journey.geometry import FEATHER


@pytest.mark.parametrize("feather", [0.05, FEATHER])
def test_it_is_whole_inside_gone_at_the_border_and_goes_down_between(feather):
    across = np.linspace(0, 1, 101)
    out = np.linspace(0, feather / 2, 200)  # from the border inwards
    for seen in (soft_edge(out[:, None], across, feather), soft_edge(across, 1 - out[:, None], feather)):
        assert (seen[0] == 0).all() and seen.min() >= 0 and seen.max() <= 1
        inside = seen[:, (across >= feather / 2) & (across <= 1 - feather / 2)]
        assert inside[-1] == pytest.approx(1) and np.diff(inside, axis=0).min() >= -1e-4
    assert (soft_edge(np.array([-0.1, 1.1]), 0.5, feather) == 0).all()


def test_it_is_no_straight_line():
    across = np.linspace(0.2, 0.8, 101)
    half = [np.interp(0.5, soft_edge(np.linspace(0, 0.15, 300), y, 0.3), np.linspace(0, 0.15, 300)) for y in across]
    assert max(half) - min(half) > 0.02


def test_without_a_width_there_is_none():
    assert (soft_edge(np.array([-1.0, 0.0, 0.5]), np.array([0.0]), 0.0) == 1).all()
