"""How loud a picture is, measured; and a dream kept in bounds, so that its deepest frames do not become harsh.

Four measures: local contrast, saturation, fine detail and clipping. Each may grow over that of the image by as much as
the settings say. Contrast and saturation are bounded neighbourhood by neighbourhood: what is calm stays calm.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ..settings import DreamSettings
from .device import by_threads, one_thread
from .octaves import cache_bands
from .toning import columns_enlarged, rows_enlarged

if TYPE_CHECKING:
    from torch import Tensor

#: side of the neighbourhoods in which contrast and saturation are measured and bounded, px of the octave
CELL_PX = 32
#: frequencies above this fraction of the sampling rate are fine detail
FINE = 1 / 3
#: values this near to black or white are clipped in a frame of 8 bits
CLIPPED = 0.5 / 255
#: how far a picture with too many clipped values is moved towards its local means, at each depth
PULL = 0.03


class Loudness(NamedTuple):
    """How loud a picture is; its values are 0..1.

    contrast: rms of the brightness around its local means; saturation: rms of red, green and blue around the
    brightness; fine: rms of the brightness above FINE of the sampling rate; clipped: fraction of values at black or
    white.
    """

    contrast: float
    saturation: float
    fine: float
    clipped: float


def loudness(picture: Tensor) -> Loudness:
    """Measure a picture (1, 3, h, w), 0..1, on any device."""
    import torch

    height, width = picture.shape[2:]
    contrast, saturation = _Parts(picture).squares.mean(dim=(2, 3))[0].tolist()
    grey = picture.mean(dim=1)[0]
    # a window, or the jump between opposite borders counts as fine detail; its mean square is (3 / 8) ** 2
    windows = [torch.hann_window(n + 2, periodic=False, device=picture.device)[1:-1] for n in (height, width)]
    seen = (grey - grey.mean()) * windows[0][:, None] * windows[1] / (3 / 8)
    power = torch.fft.fft2(seen).abs().square() / (height * width) ** 2
    down, across = (torch.fft.fftfreq(n, device=picture.device) for n in (height, width))
    fine = power[torch.hypot(down[:, None], across) > FINE].sum()
    return Loudness(math.sqrt(contrast), math.sqrt(saturation), math.sqrt(fine), _clipped(picture))


class _Parts:
    """A picture (1, 3, h, w) taken apart: its brightness is that of wide neighbourhoods and the detail around it.

    grey: the brightness, (1, 1, h, w); squares: of the detail and, the mean of the three, of red, green and blue around
    the brightness, (1, 2, h, w).
    """

    def __init__(self, picture: Tensor) -> None:
        height, width = picture.shape[2:]
        self.grey = picture.mean(dim=1, keepdim=True)
        self.squares = picture.new_empty((1, 2, height, width))
        self._height = height
        with one_thread():
            self._means = columns_enlarged(_cells(self.grey), width)

        def square(rows: slice) -> None:
            grey = self.grey[:, 0, rows]
            self.squares[:, 0, rows] = (grey - self.wide(rows)[:, 0]).square_()
            self.squares[:, 1, rows] = picture[:, :, rows].square().mean(dim=1).sub_(grey.square()).clamp_(min=0)

        by_threads(square, cache_bands(picture))

    def wide(self, rows: slice) -> Tensor:
        """Some rows of the brightness of wide neighbourhoods: (1, 1, rows, w)."""
        return rows_enlarged(self._means, self._height, rows)

    def detail(self) -> Tensor:
        """The brightness around that of wide neighbourhoods: (1, 1, h, w)."""
        return self.grey - self.wide(slice(0, self._height))

    def rms(self) -> Tensor:
        """Contrast and saturation, the rms of each neighbourhood: (1, 2, n, m)."""
        return _cells(self.squares).sqrt_()


class Bounds:
    """The bounds of one octave of a dream."""

    def __init__(self, image: Tensor, settings: DreamSettings) -> None:
        """image: the octave at depth 0, (1, 3, h, w), 0..1."""
        growth = image.new_tensor([settings.contrast_growth, settings.saturation_growth])
        parts = _Parts(image)
        self._most = parts.rms().add_(growth[:, None, None])
        self._fine = _mean_rms(_fine_detail(parts.detail())) + settings.fine_growth
        self._clipped = _clipped(image) + settings.clipped_growth

    def kept(self, state: Tensor) -> Tensor:
        """A state (1, 3, h, w) within the bounds, changed in place."""
        height, width = state.shape[2:]
        parts = _Parts(state)
        gains = (self._most / parts.rms().clamp_(min=1e-6)).clamp_(max=1)
        if _clipped(state) > self._clipped:
            gains.mul_(1 - PULL)
        with one_thread():
            gains = columns_enlarged(gains, width)
        grey, detail = parts.grey, parts.squares[:, :1]

        def bound(rows: slice) -> None:
            """Colours around the brightness times their gain are the colours times it, and less brightness."""
            contrast, saturation = rows_enlarged(gains, height, rows).split(1, dim=1)
            wide, own = parts.wide(rows), grey[:, :, rows]
            detail[:, :, rows] = (own - wide).mul_(contrast)
            own.mul_(saturation).sub_(wide)
            state[:, :, rows].mul_(saturation)

        by_threads(bound, cache_bands(state))
        fine = _fine_detail(detail)
        excess = 1 - self._fine / max(_mean_rms(fine), 1e-6)
        if excess > 0:
            detail.sub_(fine, alpha=excess)
        return state.add_(detail.sub_(grey)).clamp_(0, 1)


def are_bounded(settings: DreamSettings) -> bool:
    """Whether any of the bounds can take effect: all at 1 are none."""
    bounds = (settings.contrast_growth, settings.saturation_growth, settings.fine_growth, settings.clipped_growth)
    return min(bounds) < 1


def _cells(x: Tensor) -> Tensor:
    """x (1, n, h, w) averaged over neighbourhoods of about CELL_PX."""
    from torch.nn.functional import interpolate

    return interpolate(x, [max(1, round(side / CELL_PX)) for side in x.shape[2:]], mode="area")


def _mean_rms(x: Tensor) -> float:
    """The rms of x (1, 1, h, w), the same to the last bit for any number of threads."""
    return math.sqrt(float(x.square().sum(dim=3).cpu().double().mean()) / x.shape[3])


def _clipped(picture: Tensor) -> float:
    """The fraction of black or white values; every fourth row stands for all."""
    import torch

    # by the distance to grey, and what is left of it: comparisons take longer than arithmetic
    seen = picture[:, :, ::4]
    beyond = (seen - 0.5).abs_().sub_(0.5 - CLIPPED).clamp_(min=0)
    return int(torch.count_nonzero(beyond)) / beyond.numel()


def _fine_detail(grey: Tensor) -> Tensor:
    """What a narrow binomial blur removes from grey (1, 1, h, w): half of it at a quarter of the sampling rate, all of
    it at a half.
    """
    from torch.nn.functional import pad

    wide = pad(grey, (1, 1, 1, 1), mode="replicate")
    rows = wide[:, :, :-2].add(wide[:, :, 2:]).mul_(0.25).add_(wide[:, :, 1:-1], alpha=0.5)
    blurred = rows[..., :-2].add(rows[..., 2:]).mul_(0.25).add_(rows[..., 1:-1], alpha=0.5)
    return grey - blurred
