"""The committed weights come from tools/train_ahead.py, and the program computes with them what torch trained.

A full training takes the better part of an hour, so its parts are checked, as in test_training.py.
"""

from dataclasses import fields

import numpy as np
import pytest
import torch

from tools import train_ahead
from tools.kick_lessons import N_HOPS, lesson
from visualizer.beat.ahead_network import (
    AHEAD_HOPS,
    CHUNK_HOPS,
    WEIGHTS_FILE,
    AheadNetwork,
    AheadWeights,
    as_ahead_weights,
    shipped_ahead_weights,
)
from visualizer.beat.kick_inputs import N_INPUTS
from visualizer.beat.network import EVENTS


@pytest.fixture(scope="module")
def committed():
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        return dict(file)


def test_what_is_wanted_is_where_it_begins_and_inaudible_ones_do_not_count():
    nothing = np.zeros(0)
    hits_s = {"kick": np.array([0.1, 2.0]), "snare": np.array([1.0]), "hat": nothing, "bass": nothing}
    buried = {"kick": np.array([False, True]), **{name: np.zeros(len(hits_s[name]), bool) for name in EVENTS[1:]}}
    wanted, weight = train_ahead.begins(hits_s, buried)
    assert wanted.shape == weight.shape == (N_HOPS, len(EVENTS))
    ends_s = (np.arange(N_HOPS) + 1) / 150
    assert ends_s[wanted[:, 0] > 0] == pytest.approx(0.1 + np.array([-1, 0, 1]) / 150)
    assert ends_s[weight[:, 0] == 0] == pytest.approx([*(0.1 + np.array([-2, 2]) / 150), *(2 + np.arange(-2, 3) / 150)])
    assert ends_s[wanted[:, 1] > 0] == pytest.approx(1 + np.array([-1, 0, 1]) / 150) and not wanted[:, 2:].any()


def test_it_computes_what_torch_trained():
    torch.manual_seed(1)
    net = train_ahead.network(train_ahead.TINY)
    rng = np.random.default_rng(1)
    mean, deviation = rng.normal(size=N_INPUTS), rng.uniform(0.5, 2, N_INPUTS)
    inputs = rng.normal(mean, deviation, (4 * CHUNK_HOPS + AHEAD_HOPS, N_INPUTS))
    weights = as_ahead_weights(train_ahead.arrays(net, mean, deviation))
    mine = np.concatenate(list(AheadNetwork(weights).push(inputs)))
    with torch.no_grad():
        odds, _ = net(torch.from_numpy(((inputs - mean) / deviation).astype(np.float32))[None], None)
    assert mine.shape == (4 * CHUNK_HOPS, len(EVENTS))
    assert mine == pytest.approx(torch.sigmoid(odds)[0].numpy(), abs=1e-5)


def test_the_shipped_weights_compute_in_torch_the_same():
    shipped = shipped_ahead_weights()
    net = train_ahead.network(
        train_ahead.Plan(
            n_projected=shipped.project.shape[1], n_back=len(shipped.back_again), n_units=len(shipped.again)
        )
    )
    layers = {"project": "project", "back_": "back", "": "forth", "out": "head"}
    with torch.no_grad():
        for name, layer in layers.items():
            module = getattr(net, layer)
            if name in ("project", "out"):
                module.weight.copy_(torch.from_numpy(getattr(shipped, name).T))
                module.bias.copy_(torch.from_numpy(getattr(shipped, f"{name}_bias")))
                continue
            module.weight_ih_l0.copy_(torch.from_numpy(getattr(shipped, f"{name}inner").T))
            module.bias_ih_l0.copy_(torch.from_numpy(getattr(shipped, f"{name}bias")))
            module.weight_hh_l0.copy_(torch.from_numpy(getattr(shipped, f"{name}again").T))
            module.bias_hh_l0.copy_(torch.from_numpy(getattr(shipped, f"{name}again_bias")))
        inputs = np.abs(np.random.default_rng(1).normal(size=(4 * CHUNK_HOPS + AHEAD_HOPS, N_INPUTS)))
        odds, _ = net(torch.from_numpy(inputs.astype(np.float32))[None], None)
    mine = np.concatenate(list(AheadNetwork(shipped).push(inputs)))
    assert mine == pytest.approx(torch.sigmoid(odds)[0].numpy(), abs=1e-5)
    unpacked = train_ahead.arrays(net, np.zeros(N_INPUTS), np.ones(N_INPUTS))
    assert all(np.array_equal(unpacked[one.name], getattr(shipped, one.name)) for one in fields(AheadWeights))


@pytest.mark.long
def test_a_tiny_training_repeats_bit_for_bit_and_as_written_down(committed):
    taught = [lesson((train_ahead.SEED, index)) for index in range(train_ahead.N_TINY_LESSONS)]
    one, losses = train_ahead.train(train_ahead.TINY, taught)
    other, _ = train_ahead.train(train_ahead.TINY, taught)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert losses == pytest.approx(committed["tiny_losses"].tolist(), rel=1e-3)


@pytest.mark.long
def test_the_committed_weights_do_on_songs_held_out_what_training_wrote_down(committed):
    assert train_ahead.held_out_loss(committed) == pytest.approx(float(committed["held_out_loss"]), rel=1e-3)
