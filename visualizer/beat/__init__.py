"""Following the kick drum and the bands above it: pure numpy, no file, no device, no clock, no thread.

Push sound into a `KickFollower`, read onsets, and ask for the depth at any time. Push the same sound into a `RowFollower`,
and ask for the place along the rows of a picture.
"""

from .bands import BandFollower, Bands
from .follower import KickFollower, Onset
from .rows import RowFollower

__all__ = ["BandFollower", "Bands", "KickFollower", "Onset", "RowFollower"]
