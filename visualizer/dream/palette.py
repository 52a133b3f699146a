"""A palette of its own for a dream: the deeper, the more of its colours are replaced. Brightness is kept.

Brightness is luma, the weighted sum of red, green and blue (ITU-R BT.601); a colour is what is left of a value without
its luma. A ramp has a colour for every luma. Between two colours in range whose luma fits, every mixture is in range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..settings import DreamSettings

if TYPE_CHECKING:
    from torch import Tensor

#: luma of red, green and blue
WEIGHTS = np.array([0.299, 0.587, 0.114])
#: the axis of two opposite hues for an image without colours: orange and blue
DEFAULT_AXIS = np.array([0.7, 0.0, -0.7])
#: colours nearly on the axis become as strong as they were, others weaker
AXIS_GAIN = 1.5
#: how many colours are taken from a picture
N_COLOURS = 8


def colours_of(picture: np.ndarray) -> list[str]:
    """The palette of a picture (height, width, 3) uint8: up to N_COLOURS mean colours "#rrggbb", from dark to light."""
    pixels = picture.reshape(-1, 3) / 255
    luma = pixels @ WEIGHTS
    parts = np.array_split(pixels[np.argsort(luma, kind="stable")], N_COLOURS)
    found: list[str] = []
    for part in parts:
        if len(part):
            colour = "#" + "".join(f"{round(value * 255):02x}" for value in part.mean(axis=0))
            if not found or _luma(colour) - _luma(found[-1]) >= 0.01:
                found.append(colour)
    return found


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def _luma(colour: str) -> float:
    return float(_rgb(colour) @ WEIGHTS)


def ramp(colours: list[str]) -> np.ndarray:
    """The colour without its luma for each luma 0..255, (256, 3) float32: those given at their own luma, black and
    white at the ends, mixtures between.
    """
    stops = sorted((_luma(colour), *_rgb(colour)) for colour in ["#000000", *colours, "#ffffff"])
    at, *channels = np.array(stops).T
    luma = np.arange(256) / 255
    return np.stack([np.interp(luma, at, channel) - luma for channel in channels], axis=1).astype(np.float32)


def axis_of(image: np.ndarray) -> np.ndarray:
    """The hue that an image (n, 3), 0..1, has most of, as a unit vector (3,) of no luma; DEFAULT_AXIS if it has none."""
    colour = image - (image @ WEIGHTS)[:, None]
    strengths, axes = np.linalg.eigh(colour.T @ colour / len(colour))
    axis = axes[:, -1] if strengths[-1] > 1e-4 else DEFAULT_AXIS
    axis = axis - axis @ WEIGHTS
    # the sign is free: fixed, so that every machine finds the same
    return np.asarray(axis * np.sign(axis[0] - axis[2] or 1) / np.linalg.norm(axis))


class Palette:
    """The palette of a dream, applied to its finished frames."""

    def __init__(self, image: Tensor, settings: DreamSettings) -> None:
        """image: of the dream, (1, 3, h, w), 0..1, at any size."""
        import torch

        self._strength = 0.0 if settings.tone == "image" else settings.tone_strength / settings.n_depths
        pixels = image[0].flatten(1).t().double().cpu().numpy()
        table = axis_of(pixels) if settings.tone == "complementary" else ramp(settings.tone_colours)
        self._is_ramp = table.ndim == 2
        self._table = torch.from_numpy(table.astype(np.float32)).to(image.device)

    def applied(self, picture: Tensor, depth_index: int) -> Tensor:
        """A picture (1, 3, h, w), 0..1, not changed, with as much of the palette as it has at that depth."""
        import torch

        fraction = self._strength * depth_index
        if fraction == 0:
            return picture
        luma = torch.tensordot(picture, torch.tensor(WEIGHTS, dtype=picture.dtype, device=picture.device), ([1], [0]))
        own = picture - luma[:, None]
        if self._is_ramp:
            wanted = self._table[(luma * 255).round_().long()].permute(0, 3, 1, 2)
        else:
            along = torch.tensordot(own, self._table, ([1], [0])).mul_(AXIS_GAIN)
            most = own.square().sum(dim=1).sqrt_()
            wanted = along.minimum(most).maximum(-most)[:, None] * self._table[None, :, None, None]
        return own.lerp_(wanted, fraction).add_(luma[:, None]).clamp_(0, 1)
