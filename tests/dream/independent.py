"""Comparing a network of ours with an independent implementation of it: the same random weights, the same answers.

`Answers` is what an independent implementation is to these tests: an image (1, 3, h, w) in 0..1 -> layer's name ->
activation after the ReLU, in a graph that autograd can go back through. All of it is float64: in float32 its own
rounding would now and then open a ReLU that is shut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from visualizer.dream.device import Compute, one_thread
from visualizer.dream.network import Network, open_network
from visualizer.networks import NETWORKS, channel_indices
from visualizer.settings import DreamSettings

Answers = Callable[[Tensor], dict[str, Tensor]]

TOLERANCE = 1e-4
CPU = Compute(torch.device("cpu"), torch.float32)
EXACT = Compute(torch.device("cpu"), torch.float64)
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).view(3, 1, 1)
IMAGENET_SPREAD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).view(3, 1, 1)


def random_weights(network: str, seed: int, but: str | tuple[str, ...] = ()) -> dict[str, Tensor]:
    """Weights under which every layer answers: He's spread for convolutions, batch norms that do something.

    Tensors whose names begin with one of `but` are left out.
    """
    rng = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in NETWORKS[network].tensor_shapes().items():
        if name.startswith(but):
            continue
        if len(shape) > 1:
            weights[name] = torch.randn(shape, generator=rng) * (2 / torch.Size(shape[1:]).numel()) ** 0.5
        elif name.endswith(("running_var", ".weight")):
            weights[name] = 0.5 + torch.rand(shape, generator=rng)
        else:
            weights[name] = torch.randn(shape, generator=rng) * 0.1
    return weights


def noise(height: int, width: int, seed: int = 7) -> Tensor:
    """An image (1, 3, height, width) in 0..1."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@contextmanager
def listening(modules: dict[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """While inside, a dictionary that fills with what each module answered first."""
    heard: dict[str, Tensor] = {}

    def listen(name: str, module: nn.Module) -> RemovableHandle:
        def hear(_: nn.Module, __: object, y: Tensor) -> None:
            heard.setdefault(name, y)

        return module.register_forward_hook(hear)

    handles = [listen(name, module) for name, module in modules.items()]
    yield heard
    for handle in handles:
        handle.remove()


@one_thread()
def assert_same_activations(network: str, weights: dict[str, Tensor], answers: Answers, image: Tensor) -> None:
    """Every layer that settings may name answers like the independent implementation's, in float32 as it is dreamt."""
    with torch.no_grad():
        expected = answers(image.double())
        found = Network(weights, expected.keys(), CPU, NETWORKS[network]).activations(image)
    assert found.keys() == set(NETWORKS[network].layer_names)
    for layer, activation in found.items():
        assert activation.shape == expected[layer].shape, layer
        assert activation.shape[1] == NETWORKS[network].layer(layer).n_channels, layer
        assert activation.min() == 0, layer
        assert activation.max() > 0, layer
        assert relative(activation, expected[layer]) < TOLERANCE, layer


@one_thread()
def assert_same_gradient(
    settings: DreamSettings, weights: dict[str, Tensor], answers: Answers, image: Tensor, guide: Tensor | None = None
) -> None:
    """The objective is what it says, and the way back is what autograd finds for the independent implementation.

    Their lengths may differ. With several layers, `image` must be a multiple of the topmost one's stride.
    """
    picture = noise(64, 96, seed=11)
    with torch.no_grad():
        guiding = None if guide is None else answers(guide.double())
        measures = values(answers(picture.double()), settings, guiding)
    x = image.double().requires_grad_()
    several = len(settings.layers) > 1
    expected = torch.zeros((), dtype=torch.float64)
    for layer, value in values(answers(x), settings, guiding).items():
        expected = expected + settings.layers[layer] * value / (measures[layer] if several else 1)
    expected.backward()
    assert x.grad is not None

    for compute, largest, overall in ((EXACT, TOLERANCE, TOLERANCE), (CPU, 1, 0.1)):
        network = open_network(settings, weights, compute, picture=picture, guide=guide)
        with torch.no_grad():
            found = network.gradient(image)
            objective = network.objective(image)
        assert found.shape == image.shape
        assert found.dtype == torch.float32
        assert abs(objective / float(expected.detach()) - 1) < TOLERANCE
        difference = found / found.norm() - x.grad / x.grad.norm()
        # in float32 rounding may open or shut a ReLU here and there, which changes the gradient at once and all around
        assert difference.abs().max() < largest * (x.grad / x.grad.norm()).abs().max()
        assert difference.norm() < overall


def values(answers: dict[str, Tensor], settings: DreamSettings, guiding: dict[str, Tensor] | None) -> dict[str, Tensor]:
    """What dreaming raises in each layer, written down anew: a mean over positions and chosen channels."""
    found = {}
    for layer in settings.layers:
        a = answers[layer].flatten(2)[0].T  # (positions, channels)
        channels = channel_indices(settings.channels, a.shape[1], layer) or list(range(a.shape[1]))
        a = a[:, channels]
        if guiding is None:
            found[layer] = a.square().mean()
        else:
            products = a @ guiding[layer].flatten(2)[0][channels]
            found[layer] = products.max(dim=1).values.mean() / len(channels)
    return found


def relative(found: Tensor, expected: Tensor) -> float:
    """Largest difference, relative to the largest there should be."""
    return float((found - expected).abs().max() / expected.abs().max())
