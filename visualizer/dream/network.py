"""A network built for dreaming: forward to the layers asked for, and the gradient back to the image.

Weights never change here, so the gradient needs nothing but the activations: it is written by hand (operations.py).
Layers above the topmost one asked for are neither built nor run.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from ..networks import DEFAULT_NETWORK, NETWORKS, NetworkInfo, channel_indices
from ..settings import DreamSettings
from .device import Compute
from .objective import Goal, Similarity, Strength, guide_features
from .operations import Kept, Node

if TYPE_CHECKING:
    from torch import Tensor

#: a larger guide is reduced first: only some of its features are kept anyway
MAX_GUIDE_PX = 250_000


def open_network(
    settings: DreamSettings,
    weights: dict[str, Tensor],
    compute: Compute,
    *,
    picture: Tensor | None = None,
    guide: Tensor | None = None,
    info: NetworkInfo | None = None,
) -> Network:
    """The network of the settings, built up to the topmost of their layers, with its goals set.

    weights: the published ones, float32 on the CPU. picture: (1, 3, h, w) float32 in 0..1, a small version of the
    image, on any device: with several layers, each one's value is divided by its value there, so that their weights
    compare (without a picture they are used unchanged). guide: (1, 3, h, w) float32 in 0..1, of any size; None dreams
    without one.
    info: the network's facts; None for those of settings.network.
    """
    import torch

    info = info or NETWORKS[settings.network]
    network = Network(weights, settings.layers, compute, info)
    with torch.inference_mode():
        features = {} if guide is None else network.activations(_small(guide).to(compute.device))
        for layer in settings.layers:
            indices = channel_indices(settings.channels, info.layer(layer).n_channels, layer)
            channels = None if indices is None else tuple(indices)
            if guide is None:
                network.goals[layer] = Strength(channels)
            else:
                network.goals[layer] = Similarity(guide_features(features[layer], channels), channels)
        network.weigh(settings.layers, picture)
    return network


class Network:
    """A network up to and including the topmost of `layers`. The goal is the strength of each; set `goals` for others.

    For one thread at a time: its convolutions cache buffers for the sizes of picture they have seen. Another thread
    takes a `twin()`.
    """

    def __init__(
        self,
        weights: dict[str, Tensor],
        layers: str | Collection[str],
        compute: Compute,
        info: NetworkInfo = NETWORKS[DEFAULT_NETWORK],
    ) -> None:
        """weights: the published ones. Raises ValueError for a layer that the network does not have."""
        wanted = {layers} if isinstance(layers, str) else set(layers)
        self.info, self.compute = info, compute
        self.nodes: list[Node] = []
        #: pixels of the image per pixel of each layer
        self.strides: dict[str, int] = {}
        #: pixels of the image per pixel of the topmost layer: a shift by it moves the layers and changes nothing else
        self.stride = 1
        nodes: Iterator[Node] = info.build(weights, compute)
        while missing := wanted - self.strides.keys():
            node = next(nodes, None)
            if node is None:
                known = ", ".join(info.layer_names)
                raise ValueError(f"{info.name} has no layer {', '.join(sorted(missing))}; it has: {known}")
            if node.branch and node.layer not in wanted:
                continue
            self.nodes.append(node)
            self.stride *= node.operation.stride
            if node.layer in wanted:
                self.strides[node.layer] = self.stride
        self.goals: dict[str, Goal] = {layer: Strength() for layer in self.strides}
        self._weights = dict.fromkeys(self.strides, 1.0)  # of each goal's value
        self._factors = dict.fromkeys(self.strides, 1.0)  # of each goal's direction

    def twin(self) -> Network:
        """A copy for another size or thread: it shares weights and goals, and nothing that changes."""
        return copy.deepcopy(self)

    def weigh(self, weights: dict[str, float], picture: Tensor | None) -> None:
        """Weigh the layers against each other.

        weights: of each, > 0; picture: (1, 3, h, w) in 0..1, on which each layer's value is defined as 1; None uses the
        weights unchanged.
        """
        self._weights = {layer: weights[layer] for layer in self.strides}
        if len(weights) > 1 and picture is not None:
            for layer, activation in self.activations(picture.to(self.compute.device)).items():
                value = self.goals[layer].value(activation)
                self._weights[layer] /= value if value > 0 else 1.0  # a layer that is all 0 has no scale
        # a direction is the gradient of a sum, a value is a mean: over fewer positions, the larger the layer's stride
        factors = {}
        for layer, weight in self._weights.items():
            goal = self.goals[layer]
            n_chosen = len(goal.channels or range(self.info.layer(layer).n_channels))
            factors[layer] = weight * goal.slope * self.strides[layer] ** 2 / n_chosen
        # only their ratios count, so the topmost's becomes 1: one layer alone needs no multiplication
        top = list(self.strides)[-1]
        self._factors = {layer: factor / factors[top] for layer, factor in factors.items()}

    def activations(self, image: Tensor) -> dict[str, Tensor]:
        """Every wanted layer's activation after the ReLU, (1, n_channels, h, w), for an image (1, 3, h, w) in 0..1."""
        return self._forward(self.info.prepare(image, self.compute), _KeepsNothing())

    def features(self, image: Tensor, layer: str) -> Tensor:
        """The activation of one of the layers built. Raises KeyError for another."""
        return self.activations(image)[layer]

    def objective(self, image: Tensor) -> float:
        """What dreaming raises, for an image (1, 3, h, w) in 0..1: the weighted sum of the goals' values."""
        found = self.activations(image)
        return sum(weight * self.goals[layer].value(found[layer]) for layer, weight in self._weights.items())

    def gradient(self, image: Tensor) -> Tensor:
        """Direction in which the objective rises, for an image (1, 3, h, w) in 0..1: the same shape, float32.

        Its scale is arbitrary (the ascent divides by its mean), but the same for all tiles of one image.
        """
        kept: Kept = []
        activations = self._forward(self.info.prepare(image, self.compute), kept)
        gradient: Tensor | None = None
        for node in reversed(self.nodes):
            at_output = None if node.branch else gradient
            if node.layer in activations:
                direction = self.goals[node.layer].direction(activations.pop(node.layer))
                factor = self._factors[node.layer]
                if at_output is None:
                    at_output = direction if factor == 1 else direction * factor
                else:
                    at_output = at_output.add_(direction, alpha=factor)
            assert at_output is not None  # the last node is the topmost layer's
            at_input = node.operation.backward(at_output, kept)
            gradient = at_input.add_(gradient) if node.branch and gradient is not None else at_input
        assert gradient is not None
        return gradient.float()

    def _forward(self, x: Tensor, kept: Kept) -> dict[str, Tensor]:
        """A normalised x (1, 3, h, w) -> the activations of the layers asked for. Fills `kept`."""
        found = {}
        for node in self.nodes:
            y = node.operation.forward(x, kept)
            if node.layer in self.strides:
                found[node.layer] = y
            if not node.branch:
                x = y
        return found


class _KeepsNothing(list[Any]):
    """A list that stays empty: for a forward pass without a gradient."""

    def append(self, item: object) -> None:
        pass


def _small(guide: Tensor) -> Tensor:
    """The guide, or a smaller one of at most about MAX_GUIDE_PX."""
    from torch.nn.functional import interpolate

    height, width = guide.shape[2:]
    scale = (MAX_GUIDE_PX / (height * width)) ** 0.5
    if scale >= 1:
        return guide
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return interpolate(guide, size, mode="bilinear", antialias=True)
