"""What a bake costs, and what it reaches: `python -m benchmarks.bake [--quick]`.

Cold time of a bake at 1280x720, its ratio to the seed's way (see seed_way.py) at 384x216, both timed in the same run, and how
far both raise the objective on two images.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from benchmarks import seed_way
from visualizer.dream import bake, describe_device
from visualizer.resources import shipped
from visualizer.settings import DreamSettings

BIG, SMALL = (1280, 720), (384, 216)
IMAGES = ("clouds", "ridges")
TURN = 3  # of the seed's dreams between two bakes
# a fresh interpreter: the time includes loading torch and the weights, as a user meets it
COLD = """
import sys, numpy as np
from PIL import Image
from visualizer.dream import bake
from visualizer.settings import DreamSettings
image = np.asarray(Image.open(sys.argv[1]).convert("RGB").resize((int(sys.argv[2]), int(sys.argv[3])), Image.LANCZOS))
for depth_index, frame in bake(image, DreamSettings(n_depths=int(sys.argv[4]))): pass
"""


def preset_image(name: str, size: tuple[int, int]) -> np.ndarray:
    """A preset's image at size (width, height): (height, width, 3) uint8."""
    with Image.open(shipped("presets") / name / "image.jpg") as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def gain(network: seed_way.SeedNetwork, image: np.ndarray, frame: np.ndarray) -> float:
    """How many times the image's objective the frame has, in float32."""
    import torch

    with torch.inference_mode():
        objectives = [
            float(network.objective(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float().div_(255)))
            for pixels in (image, frame)
        ]
    return objectives[1] / objectives[0]


def cold_seconds(size: tuple[int, int], n_depths: int) -> float:
    """Seconds from starting Python to the last frame of a bake with the default settings."""
    file = shipped("presets") / IMAGES[0] / "image.jpg"
    command = [sys.executable, "-c", COLD, str(file), *map(str, size), str(n_depths)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def compare(size: tuple[int, int], n_depths: int, device: str) -> list[tuple[str, str]]:
    """Time of all depths and gain at half and full depth, ours against the seed's way, on both images."""
    settings = DreamSettings(n_depths=n_depths)
    network = seed_way.SeedNetwork(settings, device)
    judge = seed_way.SeedNetwork(settings)
    # two half-steps a depth are the default; one longer step reaches about what the seed's way reaches
    brief = settings.model_copy(update={"steps_per_depth": 1, "step_size": 0.014})
    marks = (max(1, n_depths // 2), n_depths)
    rows: list[tuple[str, str]] = []
    seconds = {"bake": 0.0, "bake, 1 step a depth": 0.0, "seed's way": 0.0}
    list(bake(preset_image(IMAGES[0], size), DreamSettings(n_depths=1), device=device))  # both ways start warm
    seed_way.dream(preset_image(IMAGES[0], size), 1, settings, network)
    for name in IMAGES:
        image = preset_image(name, size)
        frames: dict[str, list[np.ndarray]] = {"seed's way": [image]}
        taken: dict[str, list[float]] = {way: [] for way in seconds}
        for depth in range(1, n_depths + 1):
            start = time.perf_counter()
            frames["seed's way"].append(seed_way.dream(image, depth, settings, network))
            taken["seed's way"].append(time.perf_counter() - start)
            # in turns with the seed's dreams, since other work on the machine comes and goes within the minute
            if depth % TURN == 0 or depth == n_depths:
                for way, chosen in (("bake", settings), ("bake, 1 step a depth", brief)):
                    start = time.perf_counter()
                    frames[way] = [frame for _, frame in bake(image, chosen, device=device)]
                    taken[way].append(time.perf_counter() - start)
        seconds["seed's way"] += sum(taken["seed's way"])
        for way in ("bake", "bake, 1 step a depth"):
            seconds[way] += float(np.median(taken[way]))
        for way in seconds:
            figures = " / ".join(f"{gain(judge, image, frames[way][mark]):.2f}" for mark in marks)
            rows.append((f"objective gain, {way}, {name}, depth {marks[0]} / {marks[1]}", figures))
    where = f"{n_depths} depths at {size[0]}x{size[1]}, {describe_device(device)}"
    seed_s = seconds.pop("seed's way") / len(IMAGES)
    ratios = []
    for way, total_s in seconds.items():
        own_s = total_s / len(IMAGES)
        ratios.append((f"seed's way against {way}, {where}", f"{seed_s / own_s:.1f}x ({seed_s:.1f} s : {own_s:.2f} s)"))
    return ratios + rows


def run(quick: bool) -> list[tuple[str, str]]:
    """(what, figure) rows. quick: small pictures and few depths, only to see that it runs."""
    import torch

    size, n_depths = ((320, 180), 3) if quick else (BIG, 20)
    cold = cold_seconds(size, n_depths)
    rows = [(f"cold bake of {n_depths} depths at {size[0]}x{size[1]}, {describe_device()}", f"{cold:.1f} s")]
    small, n_small = ((96, 54), 2) if quick else (SMALL, 20)
    rows += compare(small, n_small, "cpu")
    if torch.cuda.is_available():
        rows += compare(size, n_depths, "cuda")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and short, only to see that it runs")
    for what, figure in run(parser.parse_args().quick):
        print(f"{what}: {figure}")


if __name__ == "__main__":
    main()
