"""Check torch, the device it computes on and the network's weights, and compute a small dream."""

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
    """Check that torch loads, the weights are complete and a small dream can be computed."""
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
    said = f"{version}, computes on {facts['described']}"
    if compute.device.type == "cpu" and _has_nvidia():
        yield Finding(
            "torch",
            WARNING,
            f"{said}, although there is an NVIDIA card",
            "install NVIDIA's driver and the CUDA build of torch (pytorch.org, Get started)",
            facts,
        )
    elif compute.device.type == "cpu" and precision == "float32":
        yield Finding("torch", OK, f"{said} (without bfloat16: a bake takes longer)", facts=facts)
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
    said = f"{DEFAULT_NETWORK}: {n_tensors} tensors, complete and as published"
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
        yield Finding(
            "dream", FAULT, "a small dream was computed, but it does not differ from its image", "reinstall torch"
        )
        return
    yield Finding(
        "dream",
        OK,
        f"a dream of {SIDE_PX}x{SIDE_PX} took {took_s:.1f} s",
        facts={"took_s": round(took_s, 3)},
    )


def _networks() -> Iterator[Finding]:
    """List the networks that are installed, and check that the plain preset's is."""
    from ...presets.network_files import list_networks
    from ...presets.preset import load_preset
    from ...settings import PLAIN_PRESET

    installed = [found.info.name for found in list_networks() if found.file is not None]
    facts = {"here": installed}
    try:
        preset = load_preset(PLAIN_PRESET).preset
        missing = [one.network for one in (preset.dream, *preset.variants) if one.network not in installed]
    except VisualizerError:  # reported by another check
        missing = []
    if missing:
        yield Finding(
            "networks",
            WARNING,
            f"preset {PLAIN_PRESET!r} uses {missing[0]}, which is not installed; another network is used instead",
            f"to install it: `visualizer networks get {missing[0]}`",
            facts,
        )
    else:
        yield Finding("networks", OK, f"installed: {', '.join(installed)}", facts=facts)


def _has_nvidia() -> bool:
    if sys.platform == "darwin":
        return False
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
