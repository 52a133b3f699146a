"""What a source can do besides delivering sound. An action declares which of these it needs."""

from __future__ import annotations

from enum import Enum, auto


class Capability(Enum):
    """SEEK: go to another position. PAUSE: be paused. TEMPO: its tempo can be tapped, scaled and led from
    elsewhere. DEVICES: there are other inputs to change to. VOLUME: it is played, at a volume. SONGS: it is a list
    of several songs. WAKES: `Source.wait_for_kick` returns as soon as a kick is heard.
    """

    SEEK = auto()
    PAUSE = auto()
    TEMPO = auto()
    DEVICES = auto()
    VOLUME = auto()
    SONGS = auto()
    WAKES = auto()
