"""The size drawn, for machines made of arithmetic: how long a display frame takes at each scale is given."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.show.adaptive_size import LONGEST_HOLD_S, PAUSE_S, STEPS, AdaptiveSize

PERIOD_S = 1 / 60


def run(scale, seconds, work_of, *, waits=False, rng=None):
    """[(time, scale)] of each change. work_of(scale, time): seconds to draw; waits: the swap waits for the next
    refresh.
    """
    time_s, changes = 0.0, []
    while time_s < seconds:
        work_s = work_of(scale.scale, time_s)
        if rng is not None:
            work_s *= rng.uniform(0.95, 1.05)
        if waits:
            work_s = max(1, np.ceil(work_s / PERIOD_S)) * PERIOD_S
        time_s += max(work_s, PERIOD_S)
        if scale.note(work_s):
            changes.append((time_s, scale.scale))
    return changes


def by_area(full_ms):
    """A machine whose time goes with the pixels drawn."""
    return lambda scale, _time_s: full_ms / 1000 * scale**2


@pytest.mark.parametrize("waits", [False, True])
def test_a_machine_that_holds_the_pace_draws_at_full_size(waits):
    rng = np.random.default_rng(1)
    assert run(AdaptiveSize(PERIOD_S), 600, by_area(14), waits=waits, rng=rng) == []


@pytest.mark.parametrize("waits", [False, True])
def test_one_that_cannot_draws_smaller_within_a_few_seconds(waits):
    changes = run(AdaptiveSize(PERIOD_S), 7, by_area(25), waits=waits)
    assert [scale for _, scale in changes] == [0.75]
    assert changes[0][0] < 2.2
    changes = run(AdaptiveSize(PERIOD_S), 7, by_area(50), waits=waits)
    assert [scale for _, scale in changes] == [0.75, 0.5]


def test_a_few_late_frames_change_nothing_and_many_do():
    def late(share):
        return lambda _scale, time_s: 0.05 if (time_s * 7.3) % 1 < share else 0.01

    assert run(AdaptiveSize(PERIOD_S), 60, late(0.01)) == []
    assert run(AdaptiveSize(PERIOD_S), 10, late(0.3))[0][1] == 0.75


@pytest.mark.parametrize("waits", [False, True])
def test_it_goes_back_up_when_there_is_room(waits):
    """A burst of other work for ten seconds."""

    def busy(scale, time_s):
        return (0.04 if time_s < 10 else 0.012) * scale**2

    scale = AdaptiveSize(PERIOD_S)
    changes = run(scale, 60, busy, waits=waits)
    assert scale.scale == 1.0
    assert [step for _, step in changes][-1] == 1.0
    assert len(changes) <= 6


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("full_ms", [21, 29, 60])
@pytest.mark.slow
def test_it_does_not_flap(waits, full_ms):
    """For an hour and a half on a machine that will never hold more: the trials become rare, and late frames with
    them.
    """
    rng = np.random.default_rng(full_ms)
    changes = run(AdaptiveSize(PERIOD_S), 5400, by_area(full_ms), waits=waits, rng=rng)
    ups = [time_s for time_s, scale in changes if scale == 1.0]
    assert len(ups) < 40
    later = np.diff([time_s for time_s in ups if time_s > 1800])
    assert np.all(later > LONGEST_HOLD_S * 0.9)


def test_a_trial_that_fails_is_short():
    scale = AdaptiveSize(PERIOD_S)
    changes = run(scale, 60, by_area(25))
    (up_s, _), (down_s, _) = changes[1:3]
    assert changes[1][1] == 1.0 and changes[2][1] == 0.75
    assert down_s - up_s < 0.6


def test_where_smaller_is_no_quicker_full_size_it_is():
    """Something else than drawing is slow."""
    scale = AdaptiveSize(PERIOD_S)
    changes = run(scale, 30, lambda _scale, _time_s: 0.05)
    assert [step for _, step in changes] == [0.75, 0.5, 1.0]
    changes = run(scale, 600, lambda _scale, _time_s: 0.05)
    fulls = [time_s for time_s, step in changes if step == 1.0]
    assert np.all(np.diff(fulls) > PAUSE_S)


def test_another_pace_or_window_resets_it():
    scale = AdaptiveSize(PERIOD_S)
    assert run(scale, 7, by_area(25)) != []
    scale.reset(1 / 30)
    assert scale.scale == 1.0
    assert run(scale, 60, by_area(25)) == []


def test_only_its_steps_are_taken():
    scale = AdaptiveSize(PERIOD_S)
    seen = {step for _, step in run(scale, 600, by_area(500))}
    assert seen <= set(STEPS)
