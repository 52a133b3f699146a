"""The errors a user can meet.

A room raises one of these with a single line that says what is wrong, which value, and the way out. Only the command
line prints it, and turns `status` into the exit status: 1 (it failed) or 2 (wrong use or bad input).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VisualizerError(Exception):
    """Something failed although it was asked for rightly: a device, a disk, a driver."""

    status = 1


class BadInput(VisualizerError):
    """Wrong use, or a file, key or value that cannot be used."""

    status = 2


class DeviceError(VisualizerError):
    """A sound device that cannot be opened, or was lost."""


class SoundHangs(DeviceError):
    """The sound system does not answer within the time it is given."""


class UnknownDevice(DeviceError, BadInput):
    """No sound device answers to the name or number given."""

    status = 2


class GraphicsError(VisualizerError):
    """No window or GL context could be made, or a shader does not compile."""


class DreamError(VisualizerError):
    """The dream could not be computed: weights missing or damaged, out of memory."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint for a mistyped word: ` (did you mean 'x'?)`, or an empty string when nothing known is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {found[0]!r}?)" if found else ""
