"""A network open for dreaming: forward to the layers asked for, and back to the image.

Weights never change here, so going back needs nothing but the activations: it is written out by hand (nets/parts.py). Layers
above the topmost one asked for are neither built nor run.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..networks import NETWORKS, STAND_IN
from ..settings import DreamSettings, channel_indices
from .device import Compute
from .nets import NETS
from .nets.parts import Kept, Preparation, Stage
from .objective import Goal, Likeness, Strength, guide_features

if TYPE_CHECKING:
    from torch import Tensor

#: a larger guide is made smaller first: its features are thinned anyway
MAX_GUIDE_PX = 250_000


def open_network(
    settings: DreamSettings,
    weights: dict[str, Tensor],
    compute: Compute,
    *,
    picture: Tensor | None = None,
    guide: Tensor | None = None,
) -> Network:
    """The network of the settings, built as far as their layers need it.

    weights: the published ones, float32 on the CPU. picture: (1, 3, h, w) float32 in 0..1, a small version of the image, on
    any device: with several layers, each one's value is divided by its value there, so that their weights compare (without
    a picture they are taken as they are). guide: (1, 3, h, w) float32 in 0..1, of any size; None dreams without one.
    """
    import torch

    network = Network(weights, settings.layers, compute, settings.network)
    with torch.inference_mode():
        features = {} if guide is None else network.activations(_small(guide).to(compute.device))
        for layer in settings.layers:
            info = NETWORKS[settings.network].layer(layer)
            indices = channel_indices(settings.channels, info.n_channels, layer)
            channels = None if indices is None else tuple(indices)
            if guide is None:
                network.goals[layer] = Strength(channels)
            else:
                network.goals[layer] = Likeness(guide_features(features[layer], channels), channels)
        network.weigh(settings.layers, picture)
    return network


class Network:
    """A network up to and including the topmost of `layers`; raises the strength of each, until told of other goals.

    Used by one thread at a time: its convolutions keep what they laid out for the sizes they have seen. `twin()` is for
    another.
    """

    def __init__(
        self, weights: dict[str, Tensor], layers: str | Collection[str], compute: Compute, network: str = STAND_IN
    ) -> None:
        """weights: the published ones. Raises ValueError for a layer that the network does not have."""
        wanted = {layers} if isinstance(layers, str) else set(layers)
        self.name, self.compute = network, compute
        self.prepare: Preparation = NETS[network].PREPARATION
        self.stages: list[Stage] = []
        #: pixels of the image per pixel of each layer
        self.strides: dict[str, int] = {}
        #: pixels of the image per pixel of the topmost layer: a shift by it moves the layers and changes nothing else
        self.stride = 1
        stages = NETS[network].grow(weights, compute)
        while missing := wanted - self.strides.keys():
            stage = next(stages, None)
            if stage is None:
                known = ", ".join(NETWORKS[network].layer_names)
                raise ValueError(f"{network} has no layer {', '.join(sorted(missing))}; it has: {known}")
            if stage.aside and stage.layer not in wanted:
                continue
            self.stages.append(stage)
            self.stride *= stage.part.stride
            if stage.layer in wanted:
                self.strides[stage.layer] = self.stride
        self.goals: dict[str, Goal] = {layer: Strength() for layer in self.strides}
        self._weights = dict.fromkeys(self.strides, 1.0)  # of each goal's value
        self._pulls = dict.fromkeys(self.strides, 1.0)  # of each goal's direction

    def twin(self) -> Network:
        """Another one, for another size or thread: it shares weights and goals, and nothing that changes."""
        return copy.deepcopy(self)

    def weigh(self, weights: dict[str, float], picture: Tensor | None) -> None:
        """Weigh the layers against each other. weights: of each, > 0; picture: (1, 3, h, w) in 0..1, where each counts
        as 1; None takes them as they are."""
        self._weights = {layer: weights[layer] for layer in self.strides}
        if len(weights) > 1 and picture is not None:
            for layer, activation in self.activations(picture.to(self.compute.device)).items():
                value = self.goals[layer].value(activation)
                self._weights[layer] /= value if value > 0 else 1.0  # a layer that does not answer has no measure
        # a direction is a sum's, a value a mean's: of fewer positions, the larger the layer's stride
        pulls = {}
        for layer, weight in self._weights.items():
            goal = self.goals[layer]
            n_chosen = len(goal.channels or range(NETWORKS[self.name].layer(layer).n_channels))
            pulls[layer] = weight * goal.slope * self.strides[layer] ** 2 / n_chosen
        # only their ratios count, so the topmost's is left as it is: one layer alone takes no multiplication
        top = list(self.strides)[-1]
        self._pulls = {layer: pull / pulls[top] for layer, pull in pulls.items()}

    def activations(self, image: Tensor) -> dict[str, Tensor]:
        """Every wanted layer's activation after the ReLU, (1, n_channels, h, w), for an image (1, 3, h, w) in 0..1."""
        return self._forward(self.prepare(image, self.compute), _Forgotten())

    def features(self, image: Tensor, layer: str) -> Tensor:
        """The activation of one of the wanted layers. Raises KeyError for another."""
        return self.activations(image)[layer]

    def objective(self, image: Tensor) -> float:
        """What dreaming raises, for an image (1, 3, h, w) in 0..1: the weighed sum of the goals' values."""
        found = self.activations(image)
        return sum(weight * self.goals[layer].value(found[layer]) for layer, weight in self._weights.items())

    def gradient(self, image: Tensor) -> Tensor:
        """Direction in which the objective rises, for an image (1, 3, h, w) in 0..1: the same shape, float32.

        Its length means nothing (the ascent measures it against its own mean), but tiles of one image agree on it.
        """
        kept: Kept = []
        activations = self._forward(self.prepare(image, self.compute), kept)
        gradient: Tensor | None = None
        for stage in reversed(self.stages):
            begun = None if stage.aside else gradient
            if stage.layer in activations:
                layer = stage.layer
                direction = self.goals[layer].direction(activations.pop(layer))
                pull = self._pulls[layer]
                if begun is None:
                    begun = direction if pull == 1 else direction * pull
                else:
                    begun = begun.add_(direction, alpha=pull)
            assert begun is not None  # the last stage is the topmost layer's
            found = stage.part.backward(begun, kept)
            gradient = found.add_(gradient) if stage.aside and gradient is not None else found
        assert gradient is not None
        return gradient.float()

    def _forward(self, x: Tensor, kept: Kept) -> dict[str, Tensor]:
        """A prepared x (1, 3, h, w) -> the wanted layers' activations. Fills `kept`."""
        found = {}
        for stage in self.stages:
            y = stage.part.forward(x, kept)
            if stage.layer in self.strides:
                found[stage.layer] = y
            if not stage.aside:
                x = y
        return found


class _Forgotten(list[Any]):
    """Keeps nothing: for going forward only."""

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
