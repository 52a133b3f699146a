"""The committed weights come from tools/train_kick.py.

A full training takes minutes, and its last bits hang on torch's build and the processor (training carries a rounding
on). So three things are checked instead: the same songs come out; a tiny training repeats bit for bit here, with the
losses that the committed run wrote down; and the committed weights have, on songs held out and generated again, the loss
that was written down.
"""

import numpy as np
import pytest
import torch

from tools import train_kick
from tools.kick_lessons import N_HOPS, REPORT_S, Mixer, lesson, load, save, targets
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


def test_an_event_is_wanted_from_its_begin_for_a_moment():
    hits_s = {"kick": np.array([0.1, 2.0]), "snare": np.array([1.0]), "hat": np.zeros(0), "bass": np.array([3.0])}
    buried = {
        "kick": np.array([False, True]),
        "snare": np.zeros(1, bool),
        "hat": np.zeros(0, bool),
        "bass": np.ones(1, bool),
    }
    wanted, weight = targets(hits_s, buried)
    end_s = (np.arange(len(wanted)) + 1) / 150
    kick_s = end_s[wanted[:, 0] > 0]
    assert kick_s.min() > 0.1 and kick_s.max() <= 0.1 + REPORT_S, "nothing is wanted of the inaudible one"
    assert np.all(weight[end_s < 0.099, 0] == 1) and not weight[(end_s > 2.001) & (end_s < 2.08), 0].any()
    assert np.all(weight[(end_s > 0.19) & (end_s < 1.99), 0] == 1)
    assert end_s[wanted[:, 1] > 0].min() > 1.0 and not wanted[:, 2:].any()
    assert not weight[(end_s > 3.001) & (end_s < 3.08), 3].any()


@pytest.fixture(scope="module")
def taught():
    return [lesson((train_kick.SEED, index)) for index in range(train_kick.N_TINY_LESSONS)]


def test_lessons_come_back_from_a_folder_as_they_were(taught, tmp_path):
    save(tmp_path, 2, taught[:2])
    for one, other in zip(load(tmp_path), taught, strict=False):
        assert np.array_equal(one.parts, other.parts) and (one.kind, one.mastered) == (other.kind, other.mastered)
        assert all(np.array_equal(one.hits_s[event], other.hits_s[event]) for event in EVENTS)
        assert all(np.array_equal(one.buried[event], other.buried[event]) for event in EVENTS)


@pytest.mark.slow
def test_the_events_of_a_mix_can_be_heard_in_it(taught):
    mixer = Mixer(taught)
    n_kicks = n_heard = 0
    for index in range(len(taught)):
        power, hits_s, buried = mixer.mix(np.random.default_rng(index), index)
        assert power.shape == (N_HOPS, 22) and np.isfinite(power).all() and (power >= 0).all()
        assert all(len(buried[event]) == len(hits_s[event]) for event in EVENTS)
        low = np.concatenate([np.zeros((8, 22)), power])[:, :8].sum(axis=1)
        for kick_s in hits_s["kick"][~buried["kick"]]:
            hop = int(kick_s * 150) + 8
            n_kicks += 1
            n_heard += low[hop + 1 : hop + 9].max() > low[hop - 3 : hop].mean()
    assert n_kicks > 20 and n_heard > 0.9 * n_kicks, "the lows rise where a kick is noted"


@pytest.mark.long
def test_a_tiny_training_repeats_bit_for_bit_and_as_recorded(committed, taught):
    was = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    one, losses = train_kick.train(train_kick.TINY, taught)
    other, _ = train_kick.train(train_kick.TINY, taught)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert train_kick.tiny_losses() == pytest.approx(committed["tiny_losses"], rel=1e-3)
    assert losses == pytest.approx(committed["tiny_losses"][: len(losses)].tolist(), rel=1e-3)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == was


@pytest.mark.long
def test_the_committed_weights_have_the_recorded_losses_on_songs_held_out(committed):
    assert train_kick.held_out_losses(committed) == pytest.approx(committed["held_out_losses"], rel=1e-3)
