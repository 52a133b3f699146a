"""What the tests of the loop and of the projection put on a small stage: grey frames, and a sound that stands still."""

import numpy as np

SIZE = (16, 8)
N_DEPTHS = 4


def grey(level):
    return np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


class Frames:
    """Hands out, poll by poll, what a test has laid ready."""

    fault = None

    def __init__(self, *polls):
        self._polls = list(polls)

    def poll(self):
        return self._polls.pop(0) if self._polls else []

    def close(self):
        pass


class Steady:
    """Sound that holds one depth and one place along the variants."""

    def __init__(self, depth=float(N_DEPTHS), variant=1.0):
        self.depth, self.variant = depth, variant

    def pump(self, time_s):
        pass

    def level_at(self, time_s):
        return (self.depth - 1) / (N_DEPTHS - 1)

    def variant_at(self, time_s):
        return self.variant
