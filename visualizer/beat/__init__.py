"""Following the kick drum and the bands above it: pure numpy, no file, no device, no clock, no thread.

Push sound into a `KickFollower`, read onsets, and ask for the level at any time. Push the same sound into a `VariantFollower`,
and ask for the place along the variants of a picture. A `BeatFollower` is a `KickFollower` that knows the tempo as well.
An `Analyzer` holds those that are needed, and answers with `Features`.
"""

from .analyzer import Analyzer
from .bands import BandFollower, Bands
from .features import Features
from .follower import KickFollower, Onset, Stroke
from .lead import BeatFollower
from .variants import VariantFollower

__all__ = [
    "Analyzer",
    "BandFollower",
    "Bands",
    "BeatFollower",
    "Features",
    "KickFollower",
    "Onset",
    "Stroke",
    "VariantFollower",
]
