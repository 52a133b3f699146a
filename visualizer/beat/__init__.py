"""Following the kick drum and the bands above it: pure numpy, no file, no device, no clock, no thread.

Push sound into a `KickFollower`, read onsets, and ask for the level at any time. Push the same sound into a `VariantFollower`,
and ask for the place along the variants of a picture. A `BeatFollower` is a `KickFollower` that knows the tempo as well.
"""

from .bands import BandFollower, Bands
from .follower import KickFollower, Onset, Stroke
from .lead import BeatFollower
from .variants import VariantFollower

__all__ = ["BandFollower", "Bands", "BeatFollower", "KickFollower", "Onset", "Stroke", "VariantFollower"]
