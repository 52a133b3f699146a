"""The judge of the beat: which of the related beats it likes."""

import numpy as np
import pytest

from visualizer.beat.tempo_metre import FASTEST_S, SLOWEST_S, MetreJudge, related

# strokes of lows, body, snare, cymbals at the sixteenths of a bar
HOUSE = {0: (1, 0.5, 0.5, 0.3), 2: (0, 0, 0, 0.8), 4: (1, 0.8, 0.9, 0.5), 6: (0, 0, 0, 0.8)}
ROCK = {0: (1, 0.5, 0.3, 0.6), 2: (0, 0, 0, 0.6), 4: (0, 0.8, 1, 0.6), 6: (0, 0, 0, 0.6)}


def heard(bar, period_s, seconds=8.0, first_s=0.5):
    judge = MetreJudge()
    place = 0
    while (time_s := first_s + place * period_s / 4) < seconds:
        if place % 8 in bar:
            judge.add(time_s, list(bar[place % 8]))
        place += 1
    return judge


@pytest.mark.parametrize("bar", [HOUSE, ROCK], ids=["house", "rock"])
@pytest.mark.parametrize("bpm", [110, 125])
def test_the_beat_is_liked_better_than_half_double_and_off_beat(bar, bpm):
    judge = heard(bar, 60 / bpm)
    beats = related(60 / bpm, 0.5)
    assert int(judge.judge(beats, 8.0).argmax()) == 0


def test_related_beats_keep_to_the_range():
    for period_s in (0.3, 0.4, 0.5, 0.7, 1.0):
        beats = related(period_s, 2.0)
        assert beats[0] == (period_s, 2.0)
        assert all(FASTEST_S - 2e-3 < length_s < SLOWEST_S + 2e-3 for length_s, _ in beats)


def test_a_beat_is_moved_to_where_the_strokes_lie():
    period_s, beat_s = heard(HOUSE, 0.5).fit(0.503, 7.02, 8.0)
    assert period_s == pytest.approx(0.5, abs=0.001)
    assert abs((beat_s - 0.5 + 0.25) % 0.5 - 0.25) < 0.01


def test_nothing_heard_is_judged_without_complaint():
    scores = MetreJudge().judge(related(0.5, 0.0), 1.0)
    assert np.isfinite(scores).all()
