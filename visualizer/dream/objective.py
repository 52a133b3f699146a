"""What dreaming raises: the strength of a layer, or its similarity to a guide.

One goal for each layer. A goal's value is a mean over positions and chosen channels; its direction is the gradient of
the sum, up to a factor that does not depend on the picture's size. So the tiles of one image agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

#: at most so many of a guide's features are kept, evenly over its rows and columns
MAX_GUIDE_POSITIONS = 1024
#: positions of the picture compared with the guide's at once: a bound for memory
POSITIONS_AT_ONCE = 8192


class Goal(Protocol):
    """What is raised in one layer. Activations are (1, n_channels, h, w) after the ReLU."""

    @property
    def channels(self) -> tuple[int, ...] | None:
        """Those chosen; None for all."""

    @property
    def slope(self) -> float:
        """d(sum over positions and channels) = slope * direction."""

    def value(self, activation: Tensor) -> float:
        """Mean over positions and chosen channels."""

    def direction(self, activation: Tensor) -> Tensor:
        """The direction in which the value rises: (1, n_channels, h, w), 0 wherever the activation is. May be the
        activation itself.
        """


@dataclass(frozen=True)
class Strength:
    """The mean of the squared activation, over all channels (None) or those chosen."""

    channels: tuple[int, ...] | None = None
    slope: float = 2.0

    def value(self, activation: Tensor) -> float:
        return float(chosen(activation, self.channels).float().square().mean())

    def direction(self, activation: Tensor) -> Tensor:
        import torch

        # d a^2 / da is 2 a, and 0 where the ReLU is closed: there a is 0
        if self.channels is None:
            return activation
        mask = activation.new_zeros((1, activation.shape[1], 1, 1))
        mask[:, torch.tensor(self.channels, device=mask.device)] = 1
        return activation * mask


@dataclass(frozen=True)
class Similarity:
    """Google's guided dream: at each position, the scalar product with the guide's feature for which it is largest.

    features: (n, n_chosen), the guide's, in the device's own precision.
    """

    features: Tensor
    channels: tuple[int, ...] | None = None
    slope: float = 1.0

    def __deepcopy__(self, memo: dict[int, object]) -> Similarity:
        return self  # it never changes

    def value(self, activation: Tensor) -> float:
        activation = chosen(activation, self.channels)
        return float((activation.float() * self._nearest(activation).float()).mean())

    def direction(self, activation: Tensor) -> Tensor:
        import torch

        nearest = self._nearest(chosen(activation, self.channels))
        if self.channels is not None:
            found = torch.zeros_like(activation)
            found[:, torch.tensor(self.channels, device=found.device)] = nearest
            nearest = found
        return nearest.mul_(activation > 0)  # through the layer's own ReLU

    def _nearest(self, activation: Tensor) -> Tensor:
        """(1, n_chosen, h, w) -> the same, a new tensor: at each position the guide's feature of the largest
        product.
        """
        import torch

        _, n_channels, height, width = activation.shape
        rows = activation.permute(0, 2, 3, 1).reshape(-1, n_channels)
        found = torch.empty_like(rows)
        for start in range(0, len(rows), POSITIONS_AT_ONCE):
            products = rows[start : start + POSITIONS_AT_ONCE] @ self.features.T
            torch.index_select(self.features, 0, products.argmax(dim=1), out=found[start : start + POSITIONS_AT_ONCE])
        return found.view(1, height, width, n_channels).permute(0, 3, 1, 2)


def guide_features(activation: Tensor, channels: tuple[int, ...] | None) -> Tensor:
    """A guide's activation (1, n_channels, h, w) -> (n, n_chosen), n <= MAX_GUIDE_POSITIONS, evenly from all over
    it.
    """
    height, width = activation.shape[2:]
    step = 1
    while math.ceil(height / step) * math.ceil(width / step) > MAX_GUIDE_POSITIONS:
        step += 1
    thinned = chosen(activation, channels)[:, :, ::step, ::step]
    return thinned.permute(0, 2, 3, 1).reshape(-1, thinned.shape[1]).contiguous()


def chosen(activation: Tensor, channels: tuple[int, ...] | None) -> Tensor:
    """(1, n_channels, h, w) -> (1, n_chosen, h, w)."""
    import torch

    if channels is None:
        return activation
    return activation.index_select(1, torch.tensor(channels, device=activation.device))
