"""The inception module, of which GoogLeNet and Inception 5h consist.

Szegedy et al. (2014), https://arxiv.org/abs/1409.4842.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .conv import Conv
from .operations import Kept, MaxPool, relu_backward, size_of

if TYPE_CHECKING:
    from torch import Tensor


class Channels(NamedTuple):
    """Channels of one module, as in the paper's table 1."""

    n_in: int
    straight: int
    reduced_middle: int
    middle: int
    reduced_wide: int
    wide: int
    pooled: int

    @property
    def n_out(self) -> int:
        return self.straight + self.middle + self.wide + self.pooled


@dataclass(frozen=True)
class Inception:
    """Four branches, joined: 1x1; 1x1 and 3x3; 1x1 and 5x5; 3x3 pool and 1x1. A ReLU after each convolution.

    first: the three 1x1 convolutions whose input is the module's, as one: it is faster in both directions, and its
    gradient is the sum of theirs.
    """

    channels: Channels
    first: Conv
    middle: Conv
    wide: Conv
    pool: MaxPool
    after_pool: Conv
    stride: int = 1

    def forward(self, x: Tensor, kept: Kept) -> Tensor:
        import torch

        n, cap = self.channels, math.inf
        first = self.first.forward(x, cap)
        straight, narrow, narrowest = first.split((n.straight, n.reduced_middle, n.reduced_wide), dim=1)
        pooled = self.after_pool.forward(self.pool.forward(x, kept), cap)
        y = torch.cat((straight, self.middle.forward(narrow, cap), self.wide.forward(narrowest, cap), pooled), dim=1)
        kept.append((first, y))
        return y

    def backward(self, gradient: Tensor, kept: Kept) -> Tensor:
        import torch

        n = self.channels
        first, y = kept.pop()
        size = size_of(y)
        gradient = relu_backward(gradient, y)
        straight, middle, wide, pooled = gradient.split((n.straight, n.middle, n.wide, n.pooled), dim=1)
        inside = torch.cat((straight, self.middle.backward(middle, size), self.wide.backward(wide, size)), dim=1)
        from_first = self.first.backward(relu_backward(inside, first), size)
        return from_first.add_(self.pool.backward(self.after_pool.backward(pooled, size), kept))
