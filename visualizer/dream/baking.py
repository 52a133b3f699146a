"""The bake: an image becomes dream frames, one depth after the other."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInput, DreamError
from ..settings import DreamSettings

if TYPE_CHECKING:
    from torch import Tensor

    from .device import Compute

log = logging.getLogger(__name__)


def bake(
    image: np.ndarray, settings: DreamSettings, *, device: str | None = None
) -> Generator[tuple[int, np.ndarray], None, None]:
    """Yield (depth_index, frame) for depth 0, the image itself, up to settings.n_depths.

    image and frames: (height, width, 3) uint8 sRGB, any size from 1x1. Depth 0 comes at once, before torch is loaded.
    Closing the generator stops the work. The same image and settings give the same frames, bit for bit on one machine.
    device: "cpu", "cuda" or "mps"; None takes the fastest, and falls back on the CPU if a GPU fails.
    Raises BadInput for an image of another kind, at once; DreamError if weights are missing or memory runs out.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise BadInput(f"an image to dream in must be (height, width, 3) uint8, not {found}")
    if image.size == 0:
        raise BadInput(f"an image to dream in needs at least one pixel, not {image.shape[1]}x{image.shape[0]}")
    # a copy: the caller may draw into its own while the dream goes on
    return _baked(image.copy(), settings, device)


def _baked(
    image: np.ndarray, settings: DreamSettings, device: str | None
) -> Generator[tuple[int, np.ndarray], None, None]:
    yield 0, image
    from .device import choose_device

    compute = choose_device(device)
    log.info("dreaming %dx%d on %s", image.shape[1], image.shape[0], compute)
    done = 0
    try:
        while done < settings.n_depths:
            try:
                with closing(_frames(image, settings, compute)) as frames:
                    for depth_index, frame in enumerate(frames, start=1):
                        if depth_index > done:
                            yield depth_index, frame
                            done = depth_index
            except (RuntimeError, NotImplementedError, MemoryError) as error:
                if device is not None or compute.device.type == "cpu":
                    raise
                # a GPU that broke down gives nothing back: from the beginning, without showing what was shown
                log.warning("%s failed, going on with the CPU: %s", compute, _reason(error))
                compute = choose_device("cpu")
    except (RuntimeError, NotImplementedError, MemoryError) as error:
        size = f"{image.shape[1]}x{image.shape[0]}"
        if _is_out_of_memory(error):
            raise DreamError(f"not enough memory to dream {size} on {compute}; ask for a smaller --size") from error
        raise DreamError(f"dreaming {size} on {compute} failed: {_reason(error)}") from error


def _frames(image: np.ndarray, settings: DreamSettings, compute: Compute) -> Generator[np.ndarray, None, None]:
    """The dream frames of depth 1 and on, (height, width, 3) uint8 each."""
    import torch

    from .ascent import deepened
    from .device import deterministic, lanes
    from .lanes import wavefront
    from .network import Network
    from .octaves import octave_sizes, pyramid
    from .weights import load_weights

    height, width = image.shape[:2]
    weights = load_weights()
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float().div_(255)
    states = pyramid(pixels, octave_sizes(height, width, settings.n_octaves, settings.octave_scale))
    states = [state.to(compute.device) for state in states]
    # one for each octave: what a network keeps between steps fits one size, and is never used by two lanes at once
    networks = [Network(weights, settings.layer, compute) for _ in states]

    def work(depth: int, octave: int, before: Tensor, coarser_before: Tensor | None, coarser: Tensor | None) -> Tensor:
        with torch.inference_mode(), deterministic(compute):
            change = None if coarser is None or coarser_before is None else coarser - coarser_before
            return deepened(before, change, depth, octave, len(states), networks[octave], settings)

    with lanes(compute) as n_lanes, closing(wavefront(states, settings.n_depths, work, n_lanes)) as finest:
        for state in finest:
            yield _as_frame(state)


def _reason(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _is_out_of_memory(error: Exception) -> bool:
    """Whether it is one of the ways in which torch and Python say so."""
    import torch

    said = str(error).lower()
    # the last is all that oneDNN, which computes the CPU's convolutions, has to say about it
    signs = ("can't allocate memory", "out of memory", "bad_alloc", "not enough memory", "could not create a primitive")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in said for sign in signs)


def _as_frame(state: Tensor) -> np.ndarray:
    """(1, 3, h, w) in 0..1 -> (h, w, 3) uint8, contiguous."""
    import torch

    return np.ascontiguousarray((state[0] * 255).round_().to(torch.uint8).permute(1, 2, 0).cpu().numpy())
