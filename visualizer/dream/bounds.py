"""How loud a picture is, measured; and a dream kept in bounds, so that its deepest frames do not become harsh.

Four measures: local contrast, saturation, fine detail and clipping. Each may grow over that of the image by as much as
the settings say. Contrast and saturation are bounded neighbourhood by neighbourhood: what is calm stays calm.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ..settings import DreamSettings
from .device import one_thread
from .toning import enlarged_rows

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

    grey, wide, chroma = _parts(picture)
    height, width = picture.shape[2:]
    # a window, or the jump between opposite borders counts as fine detail; its mean square is (3 / 8) ** 2
    windows = [torch.hann_window(n + 2, periodic=False, device=picture.device)[1:-1] for n in (height, width)]
    seen = (grey - grey.mean())[0, 0] * windows[0][:, None] * windows[1] / (3 / 8)
    power = torch.fft.fft2(seen).abs().square() / (height * width) ** 2
    down, across = (torch.fft.fftfreq(n, device=picture.device) for n in (height, width))
    fine = power[torch.hypot(down[:, None], across) > FINE].sum()
    contrast, saturation = ((part.square().sum(1).mean() / part.shape[1]) for part in (grey - wide, chroma))
    return Loudness(math.sqrt(contrast), math.sqrt(saturation), math.sqrt(fine), _clipped(picture))


class Bounds:
    """The bounds of one octave of a dream."""

    def __init__(self, image: Tensor, settings: DreamSettings) -> None:
        """image: the octave at depth 0, (1, 3, h, w), 0..1."""
        grey, wide, chroma = _parts(image)
        self._contrast = _rms_map(grey - wide).add_(settings.contrast_growth)
        self._saturation = _rms_map(chroma).add_(settings.saturation_growth)
        self._fine = _mean_rms(_fine_detail(grey)) + settings.fine_growth
        self._clipped = _clipped(image) + settings.clipped_growth

    def kept(self, state: Tensor) -> Tensor:
        """A state (1, 3, h, w) within the bounds; the state itself may be changed."""
        with one_thread():  # many short operations
            return self._kept(state)

    def _kept(self, state: Tensor) -> Tensor:
        height, width = state.shape[2:]
        grey, wide, chroma = _parts(state)
        detail = grey.sub_(wide)
        contrast = (self._contrast / _rms_map(detail).clamp_(min=1e-6)).clamp_(max=1)
        saturation = (self._saturation / _rms_map(chroma).clamp_(min=1e-6)).clamp_(max=1)
        if _clipped(state) > self._clipped:
            contrast.mul_(1 - PULL)
            saturation.mul_(1 - PULL)
        rows = slice(0, height)
        detail.mul_(enlarged_rows(contrast, height, width, rows))
        fine = _fine_detail(detail)
        excess = 1 - self._fine / max(_mean_rms(fine), 1e-6)
        if excess > 0:
            detail.sub_(fine.mul_(excess))
        chroma.mul_(enlarged_rows(saturation, height, width, rows))
        return chroma.add_(detail.add_(wide)).clamp_(0, 1)


def are_bounded(settings: DreamSettings) -> bool:
    """Whether any of the bounds can take effect: all at 1 are none."""
    bounds = (settings.contrast_growth, settings.saturation_growth, settings.fine_growth, settings.clipped_growth)
    return min(bounds) < 1


def _parts(picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The brightness of a picture (1, 1, h, w), its local means (1, 1, h, w), and red, green and blue around it."""
    height, width = picture.shape[2:]
    grey = picture.mean(dim=1, keepdim=True)
    return grey, enlarged_rows(_cells(grey), height, width, slice(0, height)), picture - grey


def _cells(x: Tensor) -> Tensor:
    """x (1, n, h, w) averaged over neighbourhoods of about CELL_PX."""
    from torch.nn.functional import interpolate

    return interpolate(x, [max(1, round(side / CELL_PX)) for side in x.shape[2:]], mode="area")


def _rms_map(x: Tensor) -> Tensor:
    """The rms of x (1, n, h, w) in each neighbourhood, over all channels: (1, 1, ..)."""
    return _cells(x.square()).mean(dim=1, keepdim=True).sqrt_()


def _mean_rms(x: Tensor) -> float:
    """The rms of x (1, 1, h, w), the same to the last bit for any number of threads."""
    return math.sqrt(float(x.square().sum(dim=3).cpu().double().mean()) / x.shape[3])


def _clipped(picture: Tensor) -> float:
    # by the distance to grey: one comparison, which takes longer than arithmetic
    return float(((picture - 0.5).abs_() > 0.5 - CLIPPED).sum()) / picture.numel()


def _fine_detail(grey: Tensor) -> Tensor:
    """What a narrow binomial blur removes from grey (1, 1, h, w): half of it at a quarter of the sampling rate, all of
    it at a half.
    """
    from torch.nn.functional import pad

    wide = pad(grey, (1, 1, 1, 1), mode="replicate")
    rows = wide[:, :, :-2].add(wide[:, :, 2:]).mul_(0.25).add_(wide[:, :, 1:-1], alpha=0.5)
    blurred = rows[..., :-2].add(rows[..., 2:]).mul_(0.25).add_(rows[..., 1:-1], alpha=0.5)
    return grey - blurred
