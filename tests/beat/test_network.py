"""The network: a projection and a GRU as the literature defines it, for any split; weights of the right shape and
size.
"""

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from visualizer.beat.kick_inputs import N_INPUTS
from visualizer.beat.network import EVENTS, WEIGHTS_FILE, KickNetwork, Weights, as_weights, shipped_weights


def some_arrays(n_units=5, n_projected=6, seed=8):
    """Arrays as a file holds them."""
    rng = np.random.default_rng(seed)
    shapes = [(N_INPUTS, n_projected), (n_projected,), (3, n_projected, n_units), (3, n_units)]
    shapes += [(3, n_units, n_units), (3, n_units, 1), (len(EVENTS), n_units), (len(EVENTS),)]
    names = (part.name for part in fields(Weights))
    return {name: rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in zip(names, shapes, strict=True)}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def as_defined(arrays, rows):
    """Cho et al. 2014, in torch's form: the reset gate acts on what the state adds to the candidate."""
    w = SimpleNamespace(**arrays)
    state = np.zeros(w.out.shape[1])
    for row in rows:
        given = np.maximum(row @ w.project + w.project_bias, 0)
        inner = [given @ w.inner[gate] + w.inner_bias[gate] for gate in range(3)]
        again = [w.again[gate] @ state + w.again_bias[gate][:, 0] for gate in range(3)]
        reset, update = sigmoid(inner[0] + again[0]), sigmoid(inner[1] + again[1])
        candidate = np.tanh(inner[2] + reset * again[2])
        state = (1 - update) * candidate + update * state
        yield w.out @ state + w.out_bias


def test_it_is_a_gru_after_a_projection():
    arrays, rows = some_arrays(), np.random.default_rng(9).normal(0, 1, (40, N_INPUTS))
    assert np.allclose(KickNetwork(as_weights(arrays)).push(rows), list(as_defined(arrays, rows)), atol=1e-4)


def test_it_is_torchs_gru():
    import torch

    arrays, rows = some_arrays(), np.random.default_rng(9).normal(0, 1, (40, N_INPUTS)).astype(np.float32)
    w = SimpleNamespace(**arrays)
    gru = torch.nn.GRU(6, 5)
    with torch.no_grad():
        gru.weight_ih_l0.copy_(torch.from_numpy(w.inner.transpose(0, 2, 1).reshape(15, 6)))
        gru.weight_hh_l0.copy_(torch.from_numpy(w.again.reshape(15, 5)))
        gru.bias_ih_l0.copy_(torch.from_numpy(w.inner_bias.ravel()))
        gru.bias_hh_l0.copy_(torch.from_numpy(w.again_bias.ravel()))
        states = gru(torch.relu(torch.from_numpy(rows @ w.project + w.project_bias)))[0].numpy()
    assert np.allclose(KickNetwork(as_weights(arrays)).push(rows), states @ w.out.T + w.out_bias, atol=1e-4)


@pytest.mark.parametrize("cuts", [range(1, 60), [7, 8, 30], [0, 60]])
def test_any_split_is_bit_identical(cuts):
    rows = np.random.default_rng(10).normal(0, 1, (60, N_INPUTS))
    whole, split = KickNetwork(shipped_weights()), KickNetwork(shipped_weights())
    parts = [split.push(part) for part in np.split(rows, list(cuts))]
    assert np.array_equal(np.concatenate(parts), whole.push(rows))


def test_absurd_inputs_give_finite_log_odds():
    rows = np.full((3, N_INPUTS), 1e6)
    rows[1] *= -1
    log_odds = KickNetwork(shipped_weights()).push(rows)
    assert log_odds.shape == (3, len(EVENTS)) and np.isfinite(log_odds).all()


def test_the_shipped_weights_are_small_and_plain():
    assert WEIGHTS_FILE.stat().st_size < 1_500_000
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        assert {file[name].dtype for name in file.files} == {np.dtype(np.float32)}
        assert all(np.isfinite(file[name]).all() for name in file.files)


def test_weights_for_other_inputs_are_refused():
    with pytest.raises(ValueError, match=r"weights for \(7, 4\) inputs and events"):
        as_weights({"project": np.zeros((7, 5)), "out": np.zeros((4, 5))})
