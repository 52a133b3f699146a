"""From sound to kicks, level, bands, tempo and `Features`. Pure numpy: no file, no device, no clock, no thread.

`Analyzer` is the whole: push sound, ask for the features of any time. It holds a `KickFollower` (kicks and the level),
live a `BeatFollower` (that, and the tempo), for songs an `AheadFollower` (kicks and the level, known beforehand), and
where they are needed a `VariantFollower` (bands, place along the variants) and a `TempoFollower`.
"""

from .ahead import AheadFollower
from .analyzer import Analyzer
from .bands import BandFollower, Bands
from .beat_follower import BeatFollower
from .features import Features
from .follower import KickFollower
from .onset_follower import Hit, Onset
from .variants import VariantFollower

__all__ = [
    "AheadFollower",
    "Analyzer",
    "BandFollower",
    "Bands",
    "BeatFollower",
    "Features",
    "Hit",
    "KickFollower",
    "Onset",
    "VariantFollower",
]
