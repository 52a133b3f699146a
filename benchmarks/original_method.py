"""The original method of dreaming, that of the notebook this program began with, as a reference for measurements.

Twenty separate dreams in float32: the dream of depth k starts again from the image and takes k steps at every octave;
each finer octave starts from 0.2 x the image + 0.8 x the enlarged result. Network, layer, octaves, smoothing and colour
are those of the settings, so that only the method differs. The network is the published one, batch norm not folded,
with autograd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from visualizer.dream.octaves import octave_sizes, pyramid
from visualizer.dream.smoothing import gaussian
from visualizer.dream.weights import load_weights
from visualizer.settings import DreamSettings

if TYPE_CHECKING:
    from torch import Tensor

STEP = 3 / 255  # times gradient / std(gradient)
BLEND = 0.2


class OriginalNetwork:
    """The published network in float32, up to the layer of the settings."""

    def __init__(self, settings: DreamSettings, device: str = "cpu") -> None:
        from efficientnet_lite_pytorch import EfficientNet  # comes with the "dev" extra

        network = EfficientNet.from_name("efficientnet-lite0", image_size=None)
        network.load_state_dict(load_weights())
        self.device = device
        self._network = network.eval().requires_grad_(False).to(device)
        self._top = int(settings.layer.removeprefix("block").removesuffix(".expand"))

    def objective(self, image: Tensor) -> Tensor:
        """Mean squared activation of the layer for an image (1, 3, h, w) in 0..1."""
        network = self._network
        x = network._swish(network._bn0(network._conv_stem(image * (255 / 128) - 127 / 128)))
        for block in network._blocks[: self._top]:
            x = block(x)
        top = network._blocks[self._top]
        return top._bn0(top._expand_conv(x)).relu().square().mean()


def dream(image: np.ndarray, depth_index: int, settings: DreamSettings, network: OriginalNetwork) -> np.ndarray:
    """One dream of `depth_index` steps at every octave. image -> frame, (height, width, 3) uint8."""
    import torch
    from torch.nn.functional import interpolate

    rng = np.random.default_rng(settings.seed)
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float().div_(255)
    sizes = octave_sizes(image.shape[0], image.shape[1], settings.n_octaves, settings.octave_scale)
    state: Tensor | None = None
    for plain in pyramid(pixels, sizes):
        plain = plain.to(network.device)
        if state is None:
            state = plain
        else:
            state = BLEND * plain + (1 - BLEND) * interpolate(state, plain.shape[2:], mode="bilinear")
        for step_index in range(depth_index):
            state = _step(state, step_index / depth_index, settings, network, rng)
    assert state is not None
    return (state[0] * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()


def _blurred(gradient: Tensor, sigma_px: float) -> Tensor:
    """A gaussian blur, rows first, then columns, the border mirrored."""
    import torch
    from torch.nn.functional import conv2d, pad

    line = torch.from_numpy(gaussian(sigma_px)).to(gradient)
    radius = len(line) // 2
    rows = conv2d(pad(gradient, (radius, radius, 0, 0), "reflect"), line.expand(3, 1, 1, -1), groups=3)
    return conv2d(pad(rows, (0, 0, radius, radius), "reflect"), line[:, None].expand(3, 1, -1, 1), groups=3)


def _step(
    state: Tensor, progress: float, settings: DreamSettings, network: OriginalNetwork, rng: np.random.Generator
) -> Tensor:
    import torch

    roll = rng.integers(-settings.jitter_px, settings.jitter_px, size=2, endpoint=True).tolist()
    rolled = state.roll(roll, (2, 3)).requires_grad_()
    (gradient,) = torch.autograd.grad(network.objective(rolled), rolled)
    sigma_px = settings.smoothing_px + settings.smoothing_growth_px * progress
    gradient = sum(_blurred(gradient, factor * sigma_px) for factor in (1.0, 2.0, 0.5))
    gradient = settings.colour * gradient + (1 - settings.colour) * gradient.mean(1, keepdim=True)
    moved = rolled.detach() + STEP * gradient / (gradient.std() + 1e-12)
    return moved.clamp(0, 1).roll([-roll[0], -roll[1]], (2, 3))
