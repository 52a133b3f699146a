"""The bake: an image becomes dream frames, one depth after the other.

The coarsest octaves are small and soon done: they run ahead through all depths, and enlarged they are a preview of
every depth while the first is still being computed. The finer octaves continue from these states, so nothing is
computed twice, and the finished frames are the same to the last bit with and without previews.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import BadInput, DreamError
from ..networks import NETWORKS, NetworkInfo
from ..settings import DreamSettings
from .checkpoint import Checkpoint
from .octaves import for_picture, octave_sizes, row_bands

if TYPE_CHECKING:
    from torch import Tensor

    from .device import Compute
    from .palette import Palette

log = logging.getLogger(__name__)

#: octaves up to this size run ahead
COARSE_PX = 70_000
#: the coarsest octave runs ahead even if it is larger, up to this size: a state of each depth is kept in memory
MOST_COARSE_PX = 1_000_000
#: several layers are weighed against each other on a version of the image of at most this size
PICTURE_PX = 100_000
#: a network keeps its buffers for an octave up to this size; for a larger one, memory matters more
KEPT_PX = 4_000_000
#: bytes of states that may be computed ahead of the depth asked for
AHEAD_BYTES = 600_000_000


class Cancelled(Exception):
    """The work was given up, since its result is wanted no more."""


class Dreamt(NamedTuple):
    """A dream frame. frame: (height, width, 3) uint8 sRGB; finished: False for a preview; checkpoint: where asked
    for.
    """

    depth_index: int
    frame: np.ndarray
    finished: bool
    checkpoint: Checkpoint | None


@dataclass
class _Task:
    """The arguments of `dream_on`, the settings for the size of the image, and how many depths have been yielded."""

    image: np.ndarray
    settings: DreamSettings
    guide: np.ndarray | None
    weights: Path | None
    preview: bool
    resume: Checkpoint | None
    checkpoints: bool
    beside_show: bool
    networks: Mapping[str, NetworkInfo]
    is_cancelled: Callable[[], bool]
    previewed: int = 0
    finished: int = 0

    @property
    def octaves(self) -> list[tuple[int, int]]:
        settings = self.settings
        return octave_sizes(self.image.shape[0], self.image.shape[1], settings.n_octaves, settings.octave_scale)

    def check(self) -> None:
        """Raise Cancelled once the work is wanted no more."""
        if self.is_cancelled():
            raise Cancelled


def bake(
    image: np.ndarray,
    settings: DreamSettings,
    *,
    guide: np.ndarray | None = None,
    weights: Path | None = None,
    device: str | None = None,
) -> Generator[tuple[int, np.ndarray], None, None]:
    """Yield (depth_index, frame) for depth 0, the image itself, up to settings.n_depths: the finished frames of
    dream_on.
    """
    dreamt = dream_on(image, settings, guide=guide, weights=weights, device=device)
    return _in_pairs(dreamt)


def _in_pairs(dreamt: Generator[Dreamt, None, None]) -> Generator[tuple[int, np.ndarray], None, None]:
    with closing(dreamt):
        for depth_index, frame, *_ in dreamt:
            yield depth_index, frame


def dream_on(
    image: np.ndarray,
    settings: DreamSettings,
    *,
    guide: np.ndarray | None = None,
    weights: Path | None = None,
    device: str | None = None,
    preview: bool = False,
    resume: Checkpoint | None = None,
    checkpoints: bool = False,
    beside_show: bool = False,
    networks: Mapping[str, NetworkInfo] = NETWORKS,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Generator[Dreamt, None, None]:
    """Yield depth 0, the image itself; with `preview` a coarse frame of every depth; then the finished frames in order.

    Depth 0 comes at once, before torch is loaded. Closing the generator stops the work. The same image and settings
    give the same frames, bit for bit on one machine.

    Parameters
    ----------
    image: (height, width, 3) uint8 sRGB, any size from 1x1, as are the frames.
    guide: another picture, (any height, any width, 3) uint8, whose features are dreamt of.
    weights: the network's file; None for the one that comes with pip.
    device: "cpu", "cuda" or "mps"; None takes the fastest, and falls back to the CPU if a GPU fails.
    preview: there is none for an image with a single octave, or with a coarsest octave above a megapixel.
    resume: continue after that checkpoint of the same image and settings, as if never interrupted. Depths up to the
        checkpoint's are not yielded again. The caller makes sure that it is the same image: only what `misfit` checks
        is checked.
    checkpoints: give every finished frame from depth 1 a checkpoint; see Checkpoint for how long to keep it.
    beside_show: leave cores to a show; the frames are the same.
    networks: those that settings.network may name.
    is_cancelled: asked before every step, by several threads; once it is True the work ends with Cancelled.

    Raises BadInput for another kind of image and ValueError for a checkpoint that does not fit, both at once;
    DreamError if weights are missing or memory runs out.
    """
    _check("an image to dream in", image)
    if guide is not None:
        _check("a guide", guide)
        guide = guide.copy()
    # copies: the caller may change its own arrays meanwhile
    sized = for_picture(settings, *image.shape[:2])
    task = _Task(image.copy(), sized, guide, weights, preview, resume, checkpoints, beside_show, networks, is_cancelled)
    if resume is not None:
        fault = misfit(resume, image, settings)
        if fault:
            raise ValueError(fault)
        task.previewed = task.finished = resume.depth_index
    return _dreamt(task, device)


def misfit(checkpoint: Checkpoint, image: np.ndarray, settings: DreamSettings) -> str:
    """Why a dream of `image` (height, width, 3) cannot continue from the checkpoint, "" if it can: its depth and sizes
    are checked.
    """
    n_octaves = for_picture(settings, *image.shape[:2]).n_octaves
    octaves = octave_sizes(image.shape[0], image.shape[1], n_octaves, settings.octave_scale)
    sizes = octaves[n_coarse(octaves) :]
    if checkpoint.sizes == sizes and 1 <= checkpoint.depth_index <= settings.n_depths:
        return ""
    return (
        f"a checkpoint of depth {checkpoint.depth_index} and octaves {checkpoint.sizes} is not one of this dream, "
        f"which has {settings.n_depths} depths and octaves {sizes}"
    )


def _check(what: str, image: np.ndarray) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise BadInput(f"{what} must be (height, width, 3) uint8, not {found}")
    if image.size == 0:
        raise BadInput(f"{what} needs at least one pixel, not {image.shape[1]}x{image.shape[0]}")


def n_coarse(sizes: list[tuple[int, int]]) -> int:
    """How many of the octaves (height, width), coarsest first, run ahead: never all."""
    n_small = sum(height * width <= COARSE_PX for height, width in sizes[:-1])
    if n_small == 0 and len(sizes) > 1 and sizes[0][0] * sizes[0][1] <= MOST_COARSE_PX:
        return 1
    return n_small


def _dreamt(task: _Task, device: str | None) -> Generator[Dreamt, None, None]:
    n_depths = task.settings.n_depths
    if task.resume is None:
        yield Dreamt(0, task.image, True, None)
    from .device import choose_device, is_out_of_memory

    compute = choose_device(device)
    height, width = task.image.shape[:2]
    log.info("dreaming %dx%d on %s", width, height, compute)
    try:
        while task.finished < n_depths:
            try:
                yield from _frames(task, compute)
            except (RuntimeError, NotImplementedError, MemoryError) as error:
                if device is not None or compute.device.type == "cpu":
                    raise
                # the states on a failed GPU are lost: start again, without yielding frames that were yielded before
                log.warning("%s failed, continuing on the CPU: %s", compute, _reason(error))
                compute = choose_device("cpu")
    except (RuntimeError, NotImplementedError, MemoryError) as error:
        size = f"{width}x{height}"
        if is_out_of_memory(error):
            raise DreamError(f"not enough memory to dream {size} on {compute}; ask for a smaller --size") from error
        raise DreamError(f"dreaming {size} on {compute} failed: {_reason(error)}") from error


def _frames(task: _Task, compute: Compute) -> Generator[Dreamt, None, None]:
    """The previews, if asked for, and the finished dream frames after depth 0, or after the checkpoint."""
    import torch

    from .ascent import deepened, picture_of
    from .bounds import Bounds, are_bounded
    from .device import deterministic, memory_kept, worker_plan
    from .network import Network, open_network
    from .octaves import pyramid
    from .palette import Palette
    from .tiles import TileLimit, default_limit_px
    from .wavefront import AHEAD, wavefront
    from .weights import kept_weights

    settings, sizes = task.settings, task.octaves
    n_first = n_coarse(sizes)
    begun = 0
    small = _scaled(sizes[0], PICTURE_PX)
    picture, *states = (state.to(compute.device) for state in pyramid(_as_tensor(task.image), [small, *sizes]))
    coarse = states[n_first - 1] if n_first else None  # at depth 0
    bounds = [Bounds(state, settings) if are_bounded(settings) else None for state in states]
    palette = Palette(picture, settings)
    guide = None if task.guide is None else _as_tensor(task.guide)
    info = task.networks[settings.network]
    task.check()
    weights = kept_weights(info, task.weights)
    opened = open_network(settings, weights, compute, picture=picture, guide=guide, info=info)
    del weights, picture, guide
    if task.resume is not None:
        begun = task.resume.depth_index
        states[n_first:] = [torch.as_tensor(state).to(compute.device) for state in task.resume.states]
        if compute.device.type == "cpu":
            task.resume = None  # nothing follows after the CPU: free its memory while the dream goes on
    n_octaves = len(sizes)
    # one for each octave: a network caches buffers of one size, and no two workers may use them at once
    networks: dict[int, Network] = {}
    limit = TileLimit(default_limit_px(compute, info.values_per_px, sizes[-1][0] * sizes[-1][1]))

    def work(depth: int, octave: int, before: Tensor, coarser_before: Tensor | None, coarser: Tensor | None) -> Tensor:
        # applies to the calling thread only
        torch.set_num_threads(plan.coarse_threads if octave < n_first else plan.finer_threads)
        with torch.inference_mode(), deterministic(compute):
            network = networks.get(octave) or opened.twin()
            if sizes[octave][0] * sizes[octave][1] <= KEPT_PX:
                networks[octave] = network
            change = None
            if coarser is not None and coarser_before is not None:
                change = picture_of(coarser) - picture_of(coarser_before)
            return deepened(
                before, change, depth, octave, n_octaves, network, settings, limit, bounds[octave], task.check
            )

    n_bytes = sum(12 * height * width for height, width in sizes)
    ahead = min(AHEAD, AHEAD_BYTES // n_bytes)
    with (
        memory_kept(sizes[-1]),
        worker_plan(compute, sizes[-1], beside_show=task.beside_show) as plan,
        closing(
            wavefront(
                states,
                settings.n_depths,
                work,
                plan.n_coarse,
                n_finer_workers=plan.n_finer,
                n_first=n_first,
                begun=begun,
                ahead=ahead,
            )
        ) as reached,
    ):
        for depth, finest, found in reached:
            # no reference to what is yielded remains here: its states can be freed while the next depth is computed
            new: list[Dreamt] = []
            if finest:
                if depth > task.finished:
                    checkpoint = Checkpoint(depth, found) if task.checkpoints else None
                    new.append(Dreamt(depth, _shown(found[-1], palette, depth), True, checkpoint))
                    del checkpoint
                    task.finished = depth
            elif task.preview and depth > task.previewed and coarse is not None:
                preview = _preview(task, picture_of(found[0]) - coarse)
                new.append(Dreamt(depth, _shown(preview, palette, depth), False, None))
                task.previewed = depth
            del found
            if new:
                yield new.pop()


def _preview(task: _Task, coarse_change: Tensor) -> Tensor:
    """The image with the change of a coarse octave added, as the next finer octave would add it."""
    import torch

    from .ascent import added
    from .device import one_thread

    with torch.inference_mode(), one_thread():  # the others dream on meanwhile
        return added(_as_tensor(task.image).to(coarse_change.device), coarse_change, 1 - task.settings.blend)


def _shown(picture: Tensor, palette: Palette, depth_index: int) -> np.ndarray:
    """A picture (1, 3, h, w) of that depth as a frame (h, w, 3) uint8."""
    import torch

    from .device import one_thread

    with torch.inference_mode(), one_thread():
        return _as_frame(palette.applied(picture, depth_index))


def _scaled(size: tuple[int, int], limit_px: int) -> tuple[int, int]:
    """(height, width) of the same shape with at most about limit_px."""
    factor = min(1.0, (limit_px / (size[0] * size[1])) ** 0.5)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _reason(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _as_tensor(image: np.ndarray) -> Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32 in 0..1."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float().div_(255)


def _as_frame(state: Tensor) -> np.ndarray:
    """(1, 3, h, w) in 0..1 -> (h, w, 3) uint8, contiguous."""
    import torch

    frame = np.empty((*state.shape[2:], 3), np.uint8)
    for rows in row_bands(*state.shape[2:]):
        planes = (state[0, :, rows] * 255).round_().to(torch.uint8).cpu().numpy()
        for colour, plane in enumerate(planes):  # half the time of all three at once
            frame[rows, :, colour] = plane
    return frame
