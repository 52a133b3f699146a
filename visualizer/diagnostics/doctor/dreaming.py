"""The dream: torch, the device it computes on, the network's weights, and one dream small enough to wait for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ...errors import VisualizerError
from .finding import FAULT, OK, WARNING, Finding, of_error
from .machine import version_of

SIDE_PX = 64


def dreaming() -> Iterator[Finding]:
    """torch loads and names a device, the weights are whole, and a small picture can be dreamt in."""
    from ...dream.device import choose_device, load_torch

    try:
        load_torch()
        compute = choose_device()
    except VisualizerError as error:
        yield of_error("torch", error)
        return
    version = version_of("torch")
    precision = str(compute.dtype).removeprefix("torch.")
    facts = {
        "torch": version,
        "device": compute.device.type,
        "device_name": compute.name,
        "precision": precision,
        "described": str(compute),
    }
    said = f"{version} dreams on {facts['described']}"
    if compute.device.type == "cpu" and _has_nvidia():
        yield Finding(
            "torch",
            WARNING,
            f"{said}, although there is an NVIDIA card",
            "install the driver that nvidia-smi asks for, and the CUDA build of torch (pytorch.org, Get started)",
            facts,
        )
    elif compute.device.type == "cpu" and precision == "float32":
        yield Finding("torch", OK, f"{said} (no bfloat16 here: a bake takes longer)", facts=facts)
    else:
        yield Finding("torch", OK, said, facts=facts)
    yield from _weights()
    yield from _networks()


def _weights() -> Iterator[Finding]:
    import numpy as np

    from ...clock import Stopwatch
    from ...dream.baking import bake
    from ...dream.weights import load_weights, weights_file
    from ...networks import DEFAULT_NETWORK, NETWORKS
    from ...settings import DreamSettings

    try:
        n_tensors = len(load_weights())
    except VisualizerError as error:
        yield of_error("weights", error)
        return
    said = f"{DEFAULT_NETWORK}'s {n_tensors} tensors are whole and as published"
    yield Finding("weights", OK, said, facts={"file": str(weights_file()), "sha256": NETWORKS[DEFAULT_NETWORK].sha256})
    image = np.random.default_rng(0).integers(0, 256, (SIDE_PX, SIDE_PX, 3), np.uint8)
    settings = DreamSettings(network=DEFAULT_NETWORK, layer="block2.expand", n_depths=1, n_octaves=1, steps_per_depth=1)
    watch = Stopwatch()
    try:
        frames = [frame for _, frame in bake(image, settings)]
    except VisualizerError as error:
        yield of_error("dream", error, way_out="update the driver of the graphics card, or reinstall torch")
        return
    took_s = watch.elapsed_s()
    if len(frames) != 2 or np.array_equal(frames[0], frames[1]):
        yield Finding("dream", FAULT, "a small picture was dreamt in, and nothing changed", "reinstall torch")
        return
    yield Finding(
        "dream",
        OK,
        f"a picture of {SIDE_PX}x{SIDE_PX} was dreamt in within {took_s:.1f} s",
        facts={"took_s": round(took_s, 3)},
    )


def _networks() -> Iterator[Finding]:
    """Which networks besides are here, and whether the default preset's is."""
    from ...presets.networks import list_networks
    from ...presets.preset import load_preset
    from ...settings import DEFAULT_PRESET

    here = [found.info.name for found in list_networks() if found.file is not None]
    facts = {"here": here}
    try:
        preset = load_preset(DEFAULT_PRESET).preset
        missing = [one.network for one in (preset.dream, *preset.variants) if one.network not in here]
    except VisualizerError:  # told elsewhere
        missing = []
    if missing:
        yield Finding(
            "networks",
            WARNING,
            f"{DEFAULT_PRESET!r} is dreamt with {missing[0]}, which is not here; another stands in",
            f"`visualizer networks get {missing[0]}` fetches it",
            facts,
        )
    else:
        yield Finding("networks", OK, f"here: {', '.join(here)}", facts=facts)


def _has_nvidia() -> bool:
    if sys.platform == "darwin":
        return False
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
