"""What the tests of the frame loop and of the stage draw: a preset whose dream frames are a ramp of greys, and a
sound of a constant level.
"""

import numpy as np

from visualizer.beat.features import Features
from visualizer.presets.loaded import LoadedPreset, Variant
from visualizer.settings import DreamSettings, Preset
from visualizer.show.source import Source

SIZE = (16, 8)
N_DEPTHS = 4


def grey(level, size=SIZE):
    return np.full((size[1], size[0], 3), level, np.uint8)


def preset(n_depths=N_DEPTHS, n_variants=1, base=0, size=SIZE):
    """A loaded preset whose image is one grey; nothing is dreamt of it."""
    dream = DreamSettings(n_depths=n_depths)
    settings = Preset(title="Grey", dream=dream, variants=[dream] * (n_variants - 1))
    return LoadedPreset("grey", settings, grey(base, size), (Variant(dream),) * n_variants, "grey")


class Frames:
    """Hands out, poll by poll, what a test has laid ready."""

    fault = None

    def __init__(self, *polls):
        self._polls = list(polls)

    def poll(self):
        return self._polls.pop(0) if self._polls else []

    def close(self):
        pass


class Steady(Source):
    """Holds one depth of N_DEPTHS, and one place along the variants."""

    def __init__(self, depth=float(N_DEPTHS), variant=1.0):
        self.depth, self.variant = depth, variant

    def features_at(self, time_s):
        return Features(time_s, level=(self.depth - 1) / (N_DEPTHS - 1), variant=self.variant)
