"""A kick is expected where the song repeats itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.beat.hindsight import JUDGED_HOPS
from visualizer.beat.repeats import SONG_HOPS, repeats

NOW = 5000


def found_at(hop, starts, kicks=None):
    """`repeats` at a hop, of those of the candidates that are remembered then."""
    kicks = np.ones(len(starts)) if kicks is None else kicks
    is_known = (starts > hop - SONG_HOPS) & (starts <= hop - JUDGED_HOPS)
    return repeats(hop, starts[is_known], kicks[is_known])


def test_a_kick_on_the_beat_is_expected_and_one_beside_it_is_not():
    beats = np.arange(NOW - 40 * 75, NOW, 75)
    on, off = found_at(NOW, beats), found_at(NOW + 30, beats)
    assert on[0] > 0.9 and on[1] > 0.9 and on[2] > 0.8
    assert off[0] > 0.9 and off[1] < 0.1 and off[2] < 0.1


def test_a_pattern_is_repeated_by_bars_and_not_by_beats():
    bar = 300
    pattern = np.array([0, 75, 210])  # the third is off the beat
    hits = np.sort((np.arange(NOW - 12 * bar, NOW, bar)[:, None] + pattern).ravel())
    of = [found_at(NOW + at, hits)[1] for at in (0, 75, 150, 210, 225)]
    assert min(of[0], of[1], of[3]) > 0.9 and max(of[2], of[4]) < 0.1


def test_what_was_no_kick_is_not_expected_again():
    beats = np.arange(NOW - 40 * 75, NOW, 75)
    kicks = (np.arange(len(beats)) % 2 == 0).astype(float)
    on, off = (found_at(beats[at] + 40 * 75, beats + 20 * 75, kicks)[1] for at in (0, 1))
    assert on > 0.9 and off < 0.1


def test_irregular_kicks_expect_less():
    rng = np.random.default_rng(3)
    hits = np.sort(rng.choice(np.arange(NOW - SONG_HOPS, NOW), 40, replace=False))
    assert found_at(NOW, hits)[0] < 0.6


@pytest.mark.parametrize("n", [0, 1, 2])
def test_with_too_few_nothing_is_expected(n):
    assert not repeats(NOW, np.arange(n) * 75 + NOW - 500, np.ones(n)).any()


@given(st.lists(st.tuples(st.integers(NOW - SONG_HOPS + 1, NOW - JUDGED_HOPS), st.floats(0, 1)), max_size=80))
def test_every_song_gives_shares(song):
    song.sort()
    found = repeats(NOW, np.array([at for at, _ in song], np.int64), np.array([kick for _, kick in song]))
    assert np.isfinite(found).all() and (found >= 0).all() and (found <= 1 + 1e-6).all()
