"""Measures the bake: `python -m benchmarks.bake [--quick] [--whole]`.

Times from a cold start at 1280x720 (all depths, and all previews); the speed relative to the original method
(original_method.py), both timed in one run; and how far both raise the objective on two images.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from unittest import mock

import numpy as np
from PIL import Image

from benchmarks import original_method
from visualizer.dream import device as device_room
from visualizer.dream.baking import bake
from visualizer.dream.device import describe_device
from visualizer.dream.octaves import REFERENCE_PX
from visualizer.resources import shipped
from visualizer.settings import DreamSettings

BIG, SMALL = (1280, 720), (384, 216)
#: bakes are compared with these settings, whatever the defaults are now: figures of all versions mean the same
SETTINGS = DreamSettings(
    layer="block10.expand",
    n_octaves=7,
    octave_scale=1.4,
    blend=0.1,
    steps_per_depth=2,
    step_size=0.012,
    smoothing_px=0.9,
    smoothing_growth_px=1.0,
    colour=0.25,
    jitter_px=32,
)
IMAGES = ("clouds", "ridges")
# a fresh interpreter: the time includes loading torch and the weights, as a user meets it
COLD = """
import sys, time
start = time.perf_counter()
import numpy as np
from PIL import Image
from visualizer.dream.baking import dream_on
from visualizer.settings import DreamSettings
image = np.asarray(Image.open(sys.argv[1]).convert("RGB").resize((int(sys.argv[2]), int(sys.argv[3])), Image.LANCZOS))
settings = DreamSettings.model_validate_json(sys.argv[4])
for depth_index, _, finished, _ in dream_on(image, settings, preview=True):
    if depth_index == settings.n_depths:
        print(time.perf_counter() - start)
"""


def preset_image(name: str, size: tuple[int, int]) -> np.ndarray:
    """A preset's image at size (width, height): (height, width, 3) uint8."""
    with Image.open(shipped("presets") / name / "image.jpg") as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def settings_for(size: tuple[int, int], n_depths: int) -> DreamSettings:
    """SETTINGS for a bake at size (width, height): lengths are the same px at every size, as they once were."""
    scale = REFERENCE_PX / min(size)
    lengths = {
        "smoothing_px": SETTINGS.smoothing_px * scale,
        "smoothing_growth_px": SETTINGS.smoothing_growth_px * scale,
        "jitter_px": round(SETTINGS.jitter_px * scale),
    }
    return SETTINGS.model_copy(update={**lengths, "n_depths": n_depths})


def gain(network: original_method.OriginalNetwork, image: np.ndarray, frame: np.ndarray) -> float:
    """The objective of the frame divided by that of the image, in float32."""
    import torch

    with torch.inference_mode():
        objectives = [
            float(network.objective(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float().div_(255)))
            for pixels in (image, frame)
        ]
    return objectives[1] / objectives[0]


def cold_rows(size: tuple[int, int], n_depths: int) -> list[tuple[str, str]]:
    """The time from starting Python to the last preview, and to the last frame."""
    file = shipped("presets") / IMAGES[0] / "image.jpg"
    command = [sys.executable, "-c", COLD, str(file), *map(str, size), settings_for(size, n_depths).model_dump_json()]
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        whole = time.perf_counter() - start
        within = [float(line) for line in done.stdout.split()]
        runs.append((whole - within[-1] + within[0], whole))
    previews, whole = np.median(runs, axis=0)
    where = f"{n_depths} depths at {size[0]}x{size[1]}, {describe_device()}"
    return [
        (f"cold bake of {where}", f"{whole:.1f} s"),
        (f"previews of all {where}, from the start of the process", f"{previews:.1f} s"),
    ]


def timed(image: np.ndarray, settings: DreamSettings, device: str, native: bool) -> tuple[float, list[np.ndarray]]:
    """Seconds and frames of one bake. native: in the precision that is fastest on the device; otherwise in float32."""
    with mock.patch.object(device_room, "_cpu_computes_bf16", lambda: native):
        start = time.perf_counter()
        frames = [frame for _, frame in bake(image, settings, device=device)]
        return time.perf_counter() - start, frames


def compare(size: tuple[int, int], n_depths: int, device: str, whole: bool) -> list[tuple[str, str]]:
    """Compare the bake with the original method on both images: time of all depths, gain at half and full depth.

    whole: run every dream of the original method. Otherwise only those of half and full depth, and the time is scaled
    to its 1 + 2 + .. + n_depths steps at every octave.
    """
    settings = settings_for(size, n_depths)
    network = original_method.OriginalNetwork(SETTINGS, device)
    judge = original_method.OriginalNetwork(SETTINGS)
    marks = (max(1, n_depths // 2), n_depths)
    native = device != "cpu" or device_room._cpu_computes_bf16()
    ways = {"bake": native, "bake in float32": False} if native and device == "cpu" else {"bake": native}
    dreams = list(range(1, n_depths + 1)) if whole else sorted(set(marks))
    n_steps = n_depths * (n_depths + 1) // 2
    rows: list[tuple[str, str]] = []
    ratios: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    warm = preset_image(IMAGES[0], size)
    for is_native in ways.values():  # warm up both
        timed(warm, settings_for(size, 1), device, is_native)
    original_method.dream(warm, 1, SETTINGS, network)
    for name in IMAGES:
        image = preset_image(name, size)
        frames: dict[str, list[np.ndarray]] = {}
        original_frames: dict[int, np.ndarray] = {}
        taken: dict[str, list[float]] = {way: [] for way in ways}
        original_s = 0.0
        for place, depth in enumerate(dreams):
            start = time.perf_counter()
            original_frames[depth] = original_method.dream(image, depth, SETTINGS, network)
            original_s += time.perf_counter() - start
            # in turns with the original method, because the load of the machine changes within a minute
            if place % max(1, len(dreams) // 5) == 0 or depth == n_depths:
                for way, is_native in ways.items():
                    seconds, frames[way] = timed(image, settings, device, is_native)
                    taken[way].append(seconds)
        original_s *= n_steps / sum(dreams)
        for way in ways:
            ratios[way].append((original_s, float(np.median(taken[way]))))
            gains = [
                (gain(judge, image, frames[way][mark]), gain(judge, image, original_frames[mark])) for mark in marks
            ]
            figures = ", ".join(f"{own:.2f} : {original:.2f} = {own / original:.2f}" for own, original in gains)
            place_name = f"{name} {size[0]}x{size[1]}, depths {marks[0]} and {marks[1]}"
            rows.append((f"objective gain, {way} : original method, {place_name}", figures))
    where = f"{n_depths} depths at {size[0]}x{size[1]}, {describe_device(device)}"
    timing = "" if whole else f" ({sum(dreams)} of its {n_steps} steps timed)"
    head = []
    for way, pairs in ratios.items():
        original_s, own_s = np.mean(pairs, axis=0)
        head.append(
            (
                f"original method{timing} against {way}, {where}",
                f"{original_s / own_s:.1f}x ({original_s:.1f} s : {own_s:.2f} s)",
            )
        )
    return head + rows


def run(quick: bool, whole: bool = False) -> list[tuple[str, str]]:
    """Rows of (what, figure). quick: small pictures and few depths, only to check that it runs. whole: see
    `compare`.
    """
    import torch

    size, n_depths = ((320, 180), 3) if quick else (BIG, 20)
    rows = cold_rows(size, n_depths)
    if torch.cuda.is_available():  # the bake uses it, so rows of the CPU would not be comparable
        return rows + compare(size, n_depths, "cuda", whole=True)
    rows += compare(size, n_depths, "cpu", whole)
    small, n_small = ((96, 54), 2) if quick else (SMALL, 20)
    return rows + compare(small, n_small, "cpu", whole=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and short, only to check that it runs")
    parser.add_argument(
        "--whole", action="store_true", help="time every step of the original method at 1280x720 (15 min)"
    )
    arguments = parser.parse_args()
    for what, figure in run(arguments.quick, arguments.whole):
        print(f"{what}: {figure}", flush=True)


if __name__ == "__main__":
    main()
