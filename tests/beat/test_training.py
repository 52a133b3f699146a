"""The committed weights come from tools/train_kick.py.

A full training takes minutes, and its last bits hang on torch's build and the processor (training carries a rounding on). So
three things are checked instead: the same songs come out; a tiny training repeats bit for bit here, with the losses that the
committed run wrote down; and the committed weights have, on songs held out and made anew, the loss that was written down.
"""

import numpy as np
import pytest

from tools import train_kick
from tools.kick_songs import WITH_KICKS, WITHOUT_KICKS, song
from visualizer.beat.network import WEIGHTS_FILE


@pytest.fixture(scope="module")
def committed():
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("kind", [*WITH_KICKS, *WITHOUT_KICKS])
def test_songs_of_every_kind_repeat_and_are_sound(kind):
    one, other = song(1, 2, 3.0, kind), song(1, 2, 3.0, kind)
    assert np.array_equal(one.sound, other.sound) and np.array_equal(one.kicks_s, other.kicks_s)
    assert one.sound.dtype == np.float32 and len(one.sound) == 3 * 44100
    assert np.isfinite(one.sound).all() and 0 < np.abs(one.sound).max() < 2
    assert bool(len(one.kicks_s)) == (kind in WITH_KICKS)
    assert np.all((one.kicks_s >= 0) & (one.kicks_s < 3.0))


def test_what_is_to_be_said_begins_with_the_kick_and_ends_soon():
    wanted, weight = train_kick.targets(np.array([0.1]), np.zeros(1, bool), 60, 0.01)
    end_s = (np.arange(60) + 1) * 0.01
    assert end_s[wanted > 0].min() > 0.1 and end_s[wanted > 0].max() <= 0.1 + train_kick.TELL_S
    assert np.all(weight[end_s < 0.099] == 1) and np.all(weight[end_s > 0.19] == 1)
    assert not weight[(wanted == 0) & (end_s > 0.101) & (end_s < 0.184)].any()


@pytest.mark.slow
def test_a_tiny_training_repeats_bit_for_bit_and_as_written_down(committed):
    taught = [
        np.stack(part)
        for part in zip(
            *(train_kick.lesson((train_kick.SEED, index)) for index in range(train_kick.TINY.n_songs)), strict=True
        )
    ]
    one, losses = train_kick.train(train_kick.TINY, *taught)
    other, _ = train_kick.train(train_kick.TINY, *taught)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert losses == pytest.approx(committed["tiny_losses"].tolist(), rel=1e-3)


@pytest.mark.slow
def test_the_committed_weights_do_on_songs_held_out_what_training_wrote_down(committed):
    assert train_kick.held_out_loss(committed) == pytest.approx(float(committed["held_out_loss"]), rel=1e-3)
