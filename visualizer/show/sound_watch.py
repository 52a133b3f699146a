"""Detects that the sound system hangs in this process for good, and asks the supervisor for another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audio.portaudio import THREAD

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

HANGS = "the sound system hangs"


class SoundWatch:
    """Asks the supervisor for another process when a call of PortAudio does not return: this one can open no device any
    more.
    """

    def __init__(self, lifeline: Lifeline | None) -> None:
        self._lifeline = lifeline

    def news(self) -> str | None:
        """A line for the user as long as the sound system hangs, else None. Cheap enough for every display frame."""
        if not THREAD.hangs():
            return None
        if self._lifeline is not None and self._lifeline.ask_restart(HANGS):
            return f"{HANGS}; another process continues the show"
        return f"{HANGS}; the show continues without sound until the program or the sound server is restarted"
