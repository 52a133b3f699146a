"""How loud a dream is, depth by depth: python tools/dream_loudness.py [PRESET ...], the plain preset if none is
named.

For each depth: local contrast, saturation, fine detail and clipping as in visualizer/dream/bounds.py, how much each has
grown over the image's, and by how many levels of 255 the frame differs from the one before. At 640x360, the first
variant of each preset.
"""

from __future__ import annotations

import sys

import numpy as np

from visualizer.dream.baking import bake
from visualizer.dream.bounds import Loudness, loudness
from visualizer.presets.loaded import open_preset
from visualizer.settings import PLAIN_PRESET

SIZE = (640, 360)


def measured(frame: np.ndarray) -> Loudness:
    """The loudness of a frame (height, width, 3) uint8."""
    import torch

    return loudness(torch.from_numpy(frame.transpose(2, 0, 1).copy())[None].float().div_(255))


def main() -> None:
    """Bake, and print a table for each preset."""
    for name in sys.argv[1:] or [PLAIN_PRESET]:
        loaded = open_preset(name, size=SIZE)
        variant = loaded.variants[0]
        print(f"{name}: {' + '.join(variant.settings.layers)}")
        print("depth  " + "".join(f"{what:>11}{'grown':>7}" for what in Loudness._fields) + "  change")
        image = measured(loaded.image)
        before = loaded.image
        for depth, frame in bake(loaded.image, variant.settings, guide=variant.guide, weights=variant.weights):
            values = "".join(
                f"{now:>11.4f}{now - then:>+7.3f}" for now, then in zip(measured(frame), image, strict=True)
            )
            print(f"{depth:>5}  {values}{np.abs(frame.astype(int) - before).mean():>8.2f}", flush=True)
            before = frame


if __name__ == "__main__":
    main()
