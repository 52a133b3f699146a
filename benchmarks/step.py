"""What an ascent step gets out of the machine: `python -m benchmarks step [--quick]`.

GFLOP/s of a whole step at 1280x720, of the network forward and backward in it, of the network's convolutions run bare
(the same calls on the same sizes, one after another, nothing in between), and of a large matrix product: what the
processor can do. A step's operations are those of its convolutions there (2 a weight and place) and as many back; zeros
that a way of computing puts in between are not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from visualizer.dream.ascent import ascended
from visualizer.dream.conv import Conv
from visualizer.dream.device import choose_device, memory_kept
from visualizer.dream.network import Network
from visualizer.dream.tiles import shifted_gradient
from visualizer.dream.weights import load_weights
from visualizer.settings import DreamSettings

SIZE = (1280, 720)
SIDE = 4096
#: the usual smoothing at half of the depths, at half the size; and one that is not
SIGMAS_PX = (4.5, 1.5)
TURNS = 7
#: kinds of convolution, told by their weights' shape
KINDS = ("1x1", "depthwise", "dense")


def kind_of(conv: Conv) -> str:
    """Which of KINDS a convolution is."""
    return "depthwise" if conv.groups > 1 else "1x1" if conv.kernel == 1 else "dense"


def run(quick: bool) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: a smaller picture."""
    import torch

    width, height = (320, 180) if quick else SIZE
    compute = choose_device()
    settings = DreamSettings()
    network = Network(load_weights(), settings.layers, compute)
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand((1, 3, height, width), generator=generator).to(compute.device)
    side = 512 if quick else SIDE
    left, right = (torch.rand((side, side), generator=generator).to(compute.device, compute.dtype) for _ in range(2))
    with torch.inference_mode(), memory_kept((height, width)):  # as in a bake
        calls, n_operations = noted(network, lambda: shifted_gradient(picture, network, (3, 5)))
        bare = {kind: [call for call, conv, _ in calls if kind_of(conv) == kind] for kind in KINDS}
        ways: dict[str, Callable[[], Any]] = {
            "matrix product": lambda: left @ right,
            **{
                f"step {sigma_px}": lambda sigma_px=sigma_px: ascended(
                    picture, network, settings, sigma_px, (3, 5), 0.006
                )
                for sigma_px in SIGMAS_PX
            },
            "network": lambda: shifted_gradient(picture, network, (3, 5)),
            **{kind: lambda kind=kind: [call() for call in bare[kind]] for kind in KINDS},
        }
        seconds = in_turns(ways, compute.device.type)
    by_kind = {kind: sum(n for _, conv, n in calls if kind_of(conv) == kind) for kind in KINDS}
    bare_s = sum(seconds[kind] for kind in KINDS)

    def figure(n: float, taken_s: float) -> str:
        return f"{n / taken_s / 1e9:.0f} GFLOP/s ({taken_s * 1e3:.1f} ms)"

    where = f"{width}x{height}, {compute}"
    return [
        (f"matrix product of {side}x{side}, {compute}", figure(2 * side**3, seconds["matrix product"])),
        *(
            (f"ascent step at {where}, smoothed by {sigma_px:g} px", figure(n_operations, seconds[f"step {sigma_px}"]))
            for sigma_px in SIGMAS_PX
        ),
        ("of it the network, forward and backward", figure(n_operations, seconds["network"])),
        ("its convolutions alone", figure(n_operations, bare_s)),
        *((f"of these: {kind}", figure(by_kind[kind], seconds[kind])) for kind in KINDS),
    ]


def noted(network: Network, step: Callable[[], Any]) -> tuple[list[tuple[Callable[[], Any], Conv, float]], float]:
    """Every convolution of a step: what does it again on what it was given, whose it is, its operations; and their
    sum.
    """
    calls: list[tuple[Callable[[], Any], Conv, float]] = []
    plain = Conv._convolved
    there = Conv.forward
    operations: dict[int, float] = {}

    def forward(conv: Conv, x: Any, cap: float | None = None) -> Any:
        y = there(conv, x, cap)
        operations[id(conv)] = 2.0 * y.shape[2] * y.shape[3] * conv.weight.numel()
        return y

    def convolved(conv: Conv, x: Any, *rest: Any) -> Any:
        x = x.clone()
        calls.append((lambda: plain(conv, x, *rest), conv, 0.0))
        return plain(conv, x, *rest)

    step()  # weights laid out, zeros put in place
    with mock.patch.object(Conv, "_convolved", convolved), mock.patch.object(Conv, "forward", forward):
        step()
    # each convolution is called twice, forward and backward, and does the same number of operations
    calls = [(call, conv, operations[id(conv)]) for call, conv, _ in calls]
    return calls, sum(n for _, _, n in calls)


def in_turns(ways: dict[str, Callable[[], Any]], device: str) -> dict[str, float]:
    """Seconds of each, the median of several turns, since other work on the machine comes and goes."""
    import torch

    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:  # the first warms up
                taken[name].append(time.perf_counter() - start)
    return {name: float(np.median(seconds)) for name, seconds in taken.items()}
