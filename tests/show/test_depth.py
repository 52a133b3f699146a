"""From level to depth."""

from visualizer.settings import BeatSettings
from visualizer.show.depth import depth_of


def test_the_level_is_spread_over_the_depths():
    assert [depth_of(level, 20, BeatSettings()) for level in (0.0, 0.5, 1.0)] == [1.0, 10.5, 20.0]
    assert depth_of(1.0, 1, BeatSettings()) == 1.0


def test_steps_shows_whole_depths_only():
    assert [depth_of(level, 5, BeatSettings(motion="steps")) for level in (0.0, 0.3, 0.45, 1.0)] == [1.0, 2.0, 3.0, 5.0]
