"""Ableton Link: tempo and beat of a session, while somebody else is in it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

from ..errors import VisualizerError
from .commands import SetTempo

log = logging.getLogger(__name__)

MISSING = "Ableton Link needs aalink: pip install 'kickdream[link]'"
# So often the session is asked; a beat that is off by more than this, or another tempo, is told.
ASK_S, DRIFT_S, OTHER_BPM = 0.05, 0.002, 0.005
# Alone, the session gets the tempo heard when it is off by more than this.
SUGGEST_BPM = 0.5
# A session without peers leads nobody; the tempo with which one that nobody else has begun would go.
USUAL_BPM = 120.0


def is_news(tempo: SetTempo, told: SetTempo) -> bool:
    """Whether a tempo says something else than the one told before: another tempo, or beats elsewhere."""
    if tempo.bpm == 0 or told.bpm == 0:
        return tempo.bpm != told.bpm
    beats = (tempo.beat_s - told.beat_s) * tempo.bpm / 60
    return abs(tempo.bpm - told.bpm) > OTHER_BPM or abs(beats - round(beats)) * 60 / tempo.bpm > DRIFT_S


class LinkSession:
    """A guest of the Link session on the local network: follows, and changes no tempo of others. Its own thread; `close` leaves.

    on_tempo: called on that thread with the tempo when it is another or its beats are elsewhere; SetTempo(0, 0) when the
    last peer has gone. n_peers: others in the session. bpm: its tempo.
    """

    def __init__(self, on_tempo: Callable[[SetTempo], None], *, now: Callable[[], float]) -> None:
        """now: `time.monotonic`. Raises VisualizerError if aalink is missing or the network cannot be used."""
        try:
            from aalink import Link
        except ImportError as fault:
            raise VisualizerError(f"{MISSING} ({fault})") from fault
        self._make, self._on_tempo, self._now = Link, on_tempo, now
        self.n_peers, self.bpm = 0, USUAL_BPM
        self.fault = ""
        self._heard_bpm = 0.0
        self._told = SetTempo(0.0, 0.0)
        self._ending = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()
        self._ready.wait(5.0)
        if self.fault:
            raise VisualizerError(f"Ableton Link cannot be used: {self.fault}")

    def suggest(self, bpm: float) -> None:
        """What is heard here. While nobody else is there the session has this tempo: whoever joins takes over what it has."""
        self._heard_bpm = bpm

    def close(self) -> None:
        """Leave the session; waits for that 2 s at most."""
        self._ending.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            asyncio.run(self._follow())
        except Exception as fault:  # a library in C++ and the network: the show goes on without
            self.fault = " ".join(str(fault).split()) or type(fault).__name__
            log.exception("Ableton Link has stopped")
            self.n_peers = 0
            if self._told.bpm:
                self._tell(SetTempo(0.0, 0.0))
        finally:
            self._ready.set()

    async def _follow(self) -> None:
        link = self._make(USUAL_BPM)
        link.enabled = True
        self._ready.set()
        try:
            while not self._ending.is_set():
                self._ask(link)
                await asyncio.sleep(ASK_S)
        finally:
            link.enabled = False

    def _ask(self, link: Any) -> None:
        self.n_peers = int(link.num_peers)
        if self.n_peers == 0:
            if self._told.bpm:
                self._tell(SetTempo(0.0, 0.0))
            self.bpm = float(link.tempo)
            if self._heard_bpm > 0 and abs(self._heard_bpm - self.bpm) > SUGGEST_BPM:
                link.tempo = self._heard_bpm
            return
        before_s = self._now()
        beat = float(link.beat)
        after_s = self._now()
        if after_s - before_s > DRIFT_S / 2:
            return  # held up in between: asked again in a moment
        self.bpm = float(link.tempo)
        tempo = SetTempo(self.bpm, (before_s + after_s) / 2 - beat % 1.0 * 60 / self.bpm)
        if is_news(tempo, self._told):
            self._tell(tempo)

    def _tell(self, tempo: SetTempo) -> None:
        self._told = tempo
        self._on_tempo(tempo)
