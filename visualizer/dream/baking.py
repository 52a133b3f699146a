"""The bake: an image becomes dream frames, one depth after the other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInput, DreamError
from ..settings import DreamSettings
from .device import deterministic

if TYPE_CHECKING:
    import torch

    from .device import Compute
    from .network import Network

log = logging.getLogger(__name__)


def bake(image: np.ndarray, settings: DreamSettings, *, device: str | None = None) -> Iterator[tuple[int, np.ndarray]]:
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


def _baked(image: np.ndarray, settings: DreamSettings, device: str | None) -> Iterator[tuple[int, np.ndarray]]:
    yield 0, image
    from .device import choose_device

    compute = choose_device(device)
    log.info("dreaming %dx%d on %s", image.shape[1], image.shape[0], compute)
    try:
        dream = _Dream(image, settings, compute)
        for depth_index in range(1, settings.n_depths + 1):
            try:
                frame = dream.deepened(depth_index)
            except (RuntimeError, NotImplementedError, MemoryError) as error:
                if device is not None or compute.device.type == "cpu":
                    raise
                log.warning("%s failed, going on with the CPU: %s", compute, _reason(error))
                compute = choose_device("cpu")
                dream.move(compute)
                frame = dream.deepened(depth_index)
            yield depth_index, frame
    except (RuntimeError, NotImplementedError, MemoryError) as error:
        size = f"{image.shape[1]}x{image.shape[0]}"
        if _is_out_of_memory(error):
            raise DreamError(f"not enough memory to dream {size} on {compute}; ask for a smaller --size") from error
        raise DreamError(f"dreaming {size} on {compute} failed: {_reason(error)}") from error


class _Dream:
    """The octaves' states, and the network that looks at them.

    Between depths the states rest on the CPU: a GPU that broke down gives nothing back.
    """

    def __init__(self, image: np.ndarray, settings: DreamSettings, compute: Compute) -> None:
        import torch

        from .octaves import octave_sizes, pyramid
        from .weights import load_weights

        self._settings = settings
        self._weights = load_weights()
        height, width = image.shape[:2]
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float().div_(255)
        self._states = pyramid(pixels, octave_sizes(height, width, settings.n_octaves, settings.octave_scale))
        self.move(compute)

    def move(self, compute: Compute) -> None:
        """Go on with another device, from the last depth that was reached."""
        self._compute = compute
        self._network: Network | None = None

    def deepened(self, depth_index: int) -> np.ndarray:
        """Go one depth further and show it: (height, width, 3) uint8. If it fails, nothing has changed."""
        import torch

        from .ascent import deepened
        from .network import Network

        with torch.inference_mode(), deterministic(self._compute):
            if self._network is None:
                self._network = Network(self._weights, self._settings.layer, self._compute)
            states = [state.to(self._compute.device) for state in self._states]
            states = deepened(states, depth_index, self._network, self._settings)
            self._states = [state.cpu() for state in states]
        return _as_frame(self._states[-1])


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


def _as_frame(state: torch.Tensor) -> np.ndarray:
    """(1, 3, h, w) in 0..1 -> (h, w, 3) uint8, contiguous."""
    import torch

    return np.ascontiguousarray((state[0] * 255).round_().to(torch.uint8).permute(1, 2, 0).numpy())
