"""The committed weights come from tools/train_kick.py.

A full training takes minutes, and its last bits hang on torch's build and the processor (training carries a rounding on). So
three things are checked instead: the same songs come out; a tiny training repeats bit for bit here, with the losses that the
committed run wrote down; and the committed weights have, on songs held out and made anew, the loss that was written down.
"""

import numpy as np
import pytest
import torch

from tools import train_kick
from tools.kick_lessons import TELL_S, Mixer, lesson, targets
from tools.kick_masters import song
from tools.kick_songs import EVENTS, WITH_KICKS, WITHOUT_KICKS
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
    assert all(np.all((one.hits_s[event] >= 0) & (one.hits_s[event] < 3.0)) for event in EVENTS)
    assert all(len(one.inaudible[event]) == len(one.hits_s[event]) for event in EVENTS)
    if kind in WITHOUT_KICKS:
        assert not len(one.kicks_s)
    else:  # some begin without
        assert len(one.kicks_s) or len(song(1, 2, 12.0, kind).kicks_s)


def test_what_is_to_be_said_begins_with_the_kick_and_ends_soon():
    told_s = {"kick": np.array([0.1, 2.0]), "snare": np.array([1.0]), "hat": np.zeros(0)}
    wanted, weight = targets(told_s, np.array([False, True]), soft=False)
    end_s = (np.arange(len(wanted)) + 1) / 150
    asked_s = end_s[wanted[:, 0] > 0]
    assert asked_s.min() > 0.1 and asked_s.max() <= 0.1 + TELL_S, "nothing is asked of the buried one"
    assert np.all(weight[end_s < 0.099, 0] == 1) and not weight[(end_s > 2.001) & (end_s < 2.08), 0].any()
    assert np.all(weight[(end_s > 0.19) & (end_s < 1.99), 0] == 1)
    assert end_s[wanted[:, 1] > 0].min() > 1.0 and not wanted[:, 2].any()


@pytest.fixture(scope="module")
def taught():
    return [lesson((train_kick.SEED, index)) for index in range(train_kick.TINY.n_songs)]


@pytest.mark.slow
def test_a_mix_holds_what_it_says_it_holds(taught):
    mixer = Mixer(taught)
    n_kicks = n_heard = 0
    for index in range(len(taught)):
        power, told_s, buried, _ = mixer.mix(np.random.default_rng(index), index)
        assert power.shape == (900, 22) and np.isfinite(power).all() and (power >= 0).all()
        assert len(buried) == len(told_s["kick"])
        low = np.concatenate([np.zeros((8, 22)), power])[:, :8].sum(axis=1)
        for kick_s in told_s["kick"][~buried]:
            hop = int(kick_s * 150) + 8
            n_kicks += 1
            n_heard += low[hop + 1 : hop + 9].max() > low[hop - 3 : hop].mean()
    assert n_kicks > 20 and n_heard > 0.9 * n_kicks, "the lows rise where a kick is noted"


@pytest.mark.slow
def test_a_tiny_training_repeats_bit_for_bit_and_as_written_down(committed, taught):
    was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    one, losses = train_kick.train(train_kick.TINY, taught)
    other, _ = train_kick.train(train_kick.TINY, taught)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert losses == pytest.approx(committed["tiny_losses"].tolist(), rel=1e-3)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == was


@pytest.mark.slow
def test_the_committed_weights_do_on_songs_held_out_what_training_wrote_down(committed):
    assert train_kick.held_out_loss(committed) == pytest.approx(float(committed["held_out_loss"]), rel=1e-3)
