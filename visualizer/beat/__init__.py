"""Following the kick drum: pure numpy, no file, no device, no clock, no thread.

Push sound into a `KickFollower`, read onsets, and ask for the depth at any time.
"""

from .follower import KickFollower, Onset

__all__ = ["KickFollower", "Onset"]
