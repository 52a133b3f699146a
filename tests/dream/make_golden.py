"""The golden dream frame: what RECIPE makes of a small picture. Run as `python -m tests.dream.make_golden` to make
it again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image, PngImagePlugin

from visualizer.dream.baking import bake
from visualizer.dream.identity import RECIPE
from visualizer.settings import DreamSettings

GOLDEN = Path(__file__).parent / "golden" / "frame.png"
COMMAND = "python -m tests.dream.make_golden"
#: every setting that counts: a default that changes is in the cache's key by itself, and asks for no new recipe
SETTINGS = DreamSettings(
    network="efficientnet-lite0",
    layer="block3.expand",  # deeper ones answer to rounding (docs/decisions/0018)
    channels="all",
    n_depths=1,
    n_octaves=3,
    octave_scale=1.4,
    blend=0.1,
    steps_per_depth=1,  # so the coarsest octave takes half a step
    step_size=0.012,
    smoothing_px=7.0,  # px of a picture 720 px high: about half a px here
    smoothing_growth_px=7.0,
    colour=0.25,
    jitter_px=120,
    seed=1,
)


def picture() -> np.ndarray:
    """(48, 64, 3) uint8: seeded noise on a slope, in integers alone; far from black and white, where a step is cut
    off.
    """
    noise = np.random.default_rng(2).integers(0, 80, (48, 64, 3))
    rows, columns = np.mgrid[0:48, 0:64]
    slope = np.stack([columns, rows, 64 - columns], axis=2)
    return (60 + noise + slope).astype(np.uint8)


def dreamt() -> np.ndarray:
    """The dream frame of depth 1, in float32 on the CPU, whatever else this machine has."""
    with patch("visualizer.dream.device._cpu_computes_bf16", return_value=False):
        *_, (_, frame) = bake(picture(), SETTINGS, device="cpu")
    return frame


def read_golden() -> tuple[int, np.ndarray]:
    """The recipe it was made with, and the frame."""
    with Image.open(GOLDEN) as image:
        return int(image.info["recipe"]), np.asarray(image.convert("RGB"))


def main() -> None:
    """Make the golden frame again, by the recipe of now."""
    told = PngImagePlugin.PngInfo()
    told.add_text("recipe", str(RECIPE))
    GOLDEN.parent.mkdir(exist_ok=True)
    Image.fromarray(dreamt()).save(GOLDEN, pnginfo=told, optimize=True)
    sys.stdout.write(f"{GOLDEN}: made with recipe {RECIPE}\n")


if __name__ == "__main__":
    main()
