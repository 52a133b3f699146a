"""Notices and reports that the sound system hangs for good in this process, and asks the supervisor for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audio.portaudio import THREAD

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

HANGS = "the sound system hangs"


class SoundWatch:
    """Asks the supervisor for another process when PortAudio does not return: no device can be opened in this one any more."""

    def __init__(self, lifeline: Lifeline | None) -> None:
        self._lifeline = lifeline

    def news(self) -> str | None:
        """A line for the user for as long as sound hangs, None while it does not. Costs nothing: asked for every display frame."""
        if not THREAD.hangs():
            return None
        if self._lifeline is not None and self._lifeline.ask_restart(HANGS):
            return f"{HANGS}; another process goes on with the show"
        return f"{HANGS}; the picture goes on without sound until the program or the sound server is started again"
