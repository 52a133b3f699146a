"""The errors that users see.

Every message is one line: what is wrong, which value, and what to do about it. Only `cli` prints it, and exits with
`status`: 1 (it failed) or 2 (wrong use or bad input).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VisualizerError(Exception):
    """A valid request failed because of a device, a disk or a driver."""

    status = 1


class BadInput(VisualizerError):
    """Wrong use, or a file, key or value that is not valid."""

    status = 2


class DeviceError(VisualizerError):
    """A sound device cannot be opened, or was lost."""


class SoundHangs(DeviceError):
    """The sound system did not answer in time."""


class UnknownDevice(DeviceError, BadInput):
    """No sound device, or more than one, matches the name or number given."""

    status = 2


class GraphicsError(VisualizerError):
    """A window or GL context could not be created, or a shader does not compile."""


class DreamError(VisualizerError):
    """The dream could not be computed: weights missing or damaged, out of memory."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for a mistyped word, ` (did you mean 'x'?)`; empty when no known word is similar.
    Capital letters are the same as small ones.
    """
    small = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.lower(), small, n=1, cutoff=0.6)
    return f" (did you mean {small[found[0]]!r}?)" if found else ""
