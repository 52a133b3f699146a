"""The network: a GRU as the books write it, whatever the split; weights that are there, small and of the right shape."""

import numpy as np
import pytest

from visualizer.beat.kick_inputs import N_INPUTS
from visualizer.beat.network import WEIGHTS_FILE, KickNetwork, Weights, as_weights, shipped_weights


def some_weights(n_units=5, seed=8):
    rng = np.random.default_rng(seed)
    shapes = [(3, N_INPUTS, n_units), (3, n_units), (3, n_units, n_units), (3, n_units, 1), (3, n_units), (3,)]
    return Weights(*(rng.normal(0, 0.4, shape) for shape in shapes))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_the_book(w, rows):
    """Cho et al. 2014, in torch's form: the reset gate acts on what the state says to the candidate."""
    state = np.zeros(w.out.shape[1])
    for row in rows:
        inner = [row @ w.inner[gate] + w.inner_bias[gate] for gate in range(3)]
        again = [w.again[gate] @ state + w.again_bias[gate][:, 0] for gate in range(3)]
        reset, update = sigmoid(inner[0] + again[0]), sigmoid(inner[1] + again[1])
        candidate = np.tanh(inner[2] + reset * again[2])
        state = (1 - update) * candidate + update * state
        yield sigmoid(w.out @ state + w.out_bias)


def test_it_is_the_gru_of_the_books():
    weights, rows = some_weights(), np.random.default_rng(9).normal(0, 1, (40, N_INPUTS))
    assert np.allclose(KickNetwork(weights).push(rows), list(by_the_book(weights, rows)), atol=1e-12)


def test_it_is_torchs_gru():
    import torch

    w, rows = some_weights(), np.random.default_rng(9).normal(0, 1, (40, N_INPUTS))
    gru = torch.nn.GRU(N_INPUTS, 5).double()
    with torch.no_grad():
        gru.weight_ih_l0.copy_(torch.from_numpy(w.inner.transpose(0, 2, 1).reshape(15, N_INPUTS)))
        gru.weight_hh_l0.copy_(torch.from_numpy(w.again.reshape(15, 5)))
        gru.bias_ih_l0.copy_(torch.from_numpy(w.inner_bias.ravel()))
        gru.bias_hh_l0.copy_(torch.from_numpy(w.again_bias.ravel()))
        states = gru(torch.from_numpy(rows))[0].numpy()
    assert np.allclose(KickNetwork(w).push(rows), sigmoid(states @ w.out.T + w.out_bias), atol=1e-9)


@pytest.mark.parametrize("cuts", [range(1, 60), [7, 8, 30], [0, 60]])
def test_any_split_is_bit_identical(cuts):
    rows = np.random.default_rng(10).normal(0, 1, (60, N_INPUTS))
    whole, split = KickNetwork(shipped_weights()), KickNetwork(shipped_weights())
    assert np.array_equal(np.concatenate([split.push(part) for part in np.split(rows, list(cuts))]), whole.push(rows))


def test_absurd_features_give_a_probability():
    rows = np.full((3, N_INPUTS), 1e6)
    rows[1] *= -1
    with np.errstate(over="ignore"):
        told = KickNetwork(shipped_weights()).push(rows)
    assert told.shape == (3, 3) and np.all((told >= 0) & (told <= 1))


def test_the_shipped_weights_are_small_and_plain():
    assert WEIGHTS_FILE.stat().st_size < 500_000
    with np.load(WEIGHTS_FILE, allow_pickle=False) as file:
        assert {file[name].dtype for name in file.files} == {np.dtype(np.float32)}
    assert all(np.isfinite(part).all() for part in (shipped_weights().inner, shipped_weights().again))


def test_weights_for_other_ears_are_refused():
    with pytest.raises(ValueError, match=r"weights for inputs \(3, 7, 5\)"):
        as_weights({"inner": np.zeros((3, 7, 5)), "out": np.zeros((3, 5))})
