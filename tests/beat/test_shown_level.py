"""What is shown of kick, music without kicks and energy."""

import numpy as np
import pytest

from tests.beat.test_without_kicks import RATE_HZ, pad
from tests.sounds import kicks
from visualizer.beat import Analyzer
from visualizer.beat.features import LOW_ENERGY
from visualizer.beat.shown_level import KEPT_S
from visualizer.settings import BeatSettings

FRAME_S = 1 / 60
BREAK = (6.0, 16.0)
KICKS_S = [*np.arange(0.5, BREAK[0], 0.5), *np.arange(BREAK[1], 20.0, 0.5)]


@pytest.fixture(scope="module")
def track():
    """A club track with a break of ten seconds, in which there is a pad only."""
    return (kicks(RATE_HZ, KICKS_S, 20.0) + np.tile(pad(), 2)[: 20 * RATE_HZ]).astype(np.float32)


def analyzed(sound, is_live=False, **beat):
    analyzer = Analyzer(RATE_HZ, BeatSettings(**beat), is_live=is_live)
    for block in np.array_split(sound, len(sound) // 4096):
        analyzer.push(block)
    return analyzer


def levels(analyzer, from_s, to_s):
    return np.array([analyzer.level_at(t) for t in np.arange(from_s, to_s, FRAME_S)])


@pytest.mark.parametrize("is_live", [False, True])
def test_in_a_break_the_picture_moves_with_the_music_and_the_first_kick_has_it_at_once(track, is_live):
    breathing, resting = (analyzed(track, is_live, without_kicks=name) for name in ("breathe", "rest"))
    assert breathing.n_kicks == resting.n_kicks == pytest.approx(len(KICKS_S), abs=1)
    within = levels(breathing, BREAK[0] + 5, BREAK[1])
    assert np.ptp(within) > 0.2 and levels(resting, BREAK[0] + 5, BREAK[1]).max() < 0.01
    # nothing else than before while there are kicks
    assert np.array_equal(levels(breathing, 0, BREAK[0] + 2), levels(resting, 0, BREAK[0] + 2))
    at_s = next(t for t in breathing._onsets["kick"]._times_s if t > BREAK[1])
    assert at_s < BREAK[1] + 0.03
    for t in np.arange(at_s, at_s + 0.1, 0.005):
        assert breathing.level_at(t) >= resting.level_at(t)
    assert breathing.level_at(at_s) == resting.level_at(at_s) > 0.8, "the kick's full level at once"
    assert np.array_equal(levels(breathing, at_s + 0.1, 20), levels(resting, at_s + 0.1, 20))
    assert np.diff(levels(breathing, BREAK[0] + 0.5, at_s)).max() < 0.065


def test_the_features_say_the_same(track):
    analyzer = analyzed(track)
    assert analyzer.features_at(12.0).level == analyzer.level_at(12.0) > analyzer.kicks.level_at(12.0)


def test_silence_is_the_image_itself():
    assert not levels(analyzed(np.zeros(10 * RATE_HZ, np.float32)), 0, 10).any()


@pytest.mark.parametrize("is_live", [False, True])
def test_the_motion_energy_shows_the_energy_whatever_there_is_without_kicks(track, is_live):
    one, other = (analyzed(track, is_live, motion="energy", without_kicks=name) for name in ("breathe", "rest"))
    found = levels(one, 0, 20)
    assert np.array_equal(found, levels(other, 0, 20))
    assert max(found[(np.arange(len(found)) * FRAME_S) % 0.5 < 0.1]) > 0.95
    one.set_needs({LOW_ENERGY})
    assert one.features_at(3.1).low_energy == one.level_at(3.1)


def test_the_energy_is_a_feature_beside_the_kick(track):
    analyzer = Analyzer(RATE_HZ, BeatSettings(), {LOW_ENERGY})
    analyzer.push(track)
    assert analyzer.features_at(3.1).low_energy == analyzed(track, motion="energy").level_at(3.1) > 0.3
    assert analyzer.features_at(3.1).level == analyzed(track).level_at(3.1)
    assert analyzed(track).features_at(3.1).low_energy == 0.0


@pytest.mark.parametrize(
    ("before", "after", "most"),
    [
        ({"without_kicks": "breathe"}, {"without_kicks": "rest"}, 0.07),
        ({"without_kicks": "rest"}, {"without_kicks": "breathe"}, 0.07),
        # the energy itself rises at once
        ({"motion": "energy"}, {"motion": "decay"}, 0.25),
        ({"motion": "decay"}, {"motion": "energy"}, 0.25),
    ],
)
def test_other_settings_do_not_make_the_level_jump(track, before, after, most):
    quiet = track[: round(13 * RATE_HZ)]  # in the break
    analyzer = analyzed(quiet[: 12 * RATE_HZ], **before)
    level = analyzer.level_at(11.99)
    analyzer.set_beat(BeatSettings(**after))
    assert analyzer.level_at(11.99) == level
    for block in np.array_split(quiet[12 * RATE_HZ :], 20):
        analyzer.push(block)
    assert np.abs(np.diff(levels(analyzer, 11.9, 12.9))).max() < most


def test_what_is_not_needed_is_not_followed(track):
    analyzer = analyzed(track[:RATE_HZ], motion="energy", without_kicks="rest")
    assert set(analyzer._shown._parts) == {"energy"}
    analyzer.set_beat(BeatSettings())
    analyzer.push(track[RATE_HZ : 2 * RATE_HZ])
    assert set(analyzer._shown._parts) == {"energy", "breath"}, "until the energy is faded out"
    analyzer.push(track[: round(KEPT_S * RATE_HZ)])
    assert set(analyzer._shown._parts) == {"breath"}
