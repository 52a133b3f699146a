"""Ableton Link: tempo and beat of a session, while it has other participants."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import VisualizerError

log = logging.getLogger(__name__)

MISSING = "Ableton Link needs aalink: pip install 'kickdream[link]'"
# How often the session is polled, seconds; a beat that has moved by more than this, or a tempo that differs by more,
# is reported.
POLL_S, DRIFT_S, TEMPO_STEP_BPM = 0.05, 0.002, 0.005
# Without peers the session gets the detected tempo when it differs by more than this.
SUGGEST_BPM = 0.5
# The tempo of a session that has no peers and was given none yet.
DEFAULT_BPM = 120.0


class LinkTempo(NamedTuple):
    """The tempo of a session. bpm: beats a minute, 0 if there are no peers; beat_s: when one of the beats is,
    `clock.monotonic` seconds.
    """

    bpm: float
    beat_s: float


def is_new(tempo: LinkTempo, reported: LinkTempo) -> bool:
    """Whether a tempo or the place of its beats differs from what was reported before."""
    if tempo.bpm == 0 or reported.bpm == 0:
        return tempo.bpm != reported.bpm
    beats = (tempo.beat_s - reported.beat_s) * tempo.bpm / 60
    return abs(tempo.bpm - reported.bpm) > TEMPO_STEP_BPM or abs(beats - round(beats)) * 60 / tempo.bpm > DRIFT_S


class LinkSession:
    """A member of the Link session on the local network that follows, and never changes the tempo of others. It has a
    thread of its own; `close` leaves the session.

    on_tempo: called in that thread when the tempo or the place of its beats changes; LinkTempo(0, 0) when the last
    peer has left. n_peers: other members of the session. bpm: its tempo.
    """

    def __init__(self, on_tempo: Callable[[LinkTempo], None], *, now: Callable[[], float]) -> None:
        """now: `time.monotonic`. Raises VisualizerError if aalink is missing or the network cannot be used."""
        try:
            from aalink import Link
        except ImportError as fault:
            raise VisualizerError(f"{MISSING} ({fault})") from fault
        self._make, self._on_tempo, self._now = Link, on_tempo, now
        self.n_peers, self.bpm = 0, DEFAULT_BPM
        self.fault = ""
        self._own_bpm = 0.0
        self._reported = LinkTempo(0.0, 0.0)
        self._ending = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()
        self._ready.wait(5.0)
        if self.fault:
            raise VisualizerError(f"Ableton Link cannot be used: {self.fault}")

    def suggest(self, bpm: float) -> None:
        """Set the tempo that the session has while there are no peers; a peer that joins takes it over."""
        self._own_bpm = bpm

    def close(self) -> None:
        """Leave the session; waits at most 2 s."""
        self._ending.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            asyncio.run(self._follow())
        except Exception as fault:  # whatever fails in the library or the network, the show goes on
            self.fault = " ".join(str(fault).split()) or type(fault).__name__
            log.exception("Ableton Link has stopped")
            self.n_peers = 0
            if self._reported.bpm:
                self._report(LinkTempo(0.0, 0.0))
        finally:
            self._ready.set()

    async def _follow(self) -> None:
        link = self._make(DEFAULT_BPM)
        link.enabled = True
        self._ready.set()
        try:
            while not self._ending.is_set():
                self._poll(link)
                await asyncio.sleep(POLL_S)
        finally:
            link.enabled = False

    def _poll(self, link: Any) -> None:
        self.n_peers = int(link.num_peers)
        if self.n_peers == 0:
            if self._reported.bpm:
                self._report(LinkTempo(0.0, 0.0))
            self.bpm = float(link.tempo)
            if self._own_bpm > 0 and abs(self._own_bpm - self.bpm) > SUGGEST_BPM:
                link.tempo = self._own_bpm
            return
        before_s = self._now()
        beat = float(link.beat)
        after_s = self._now()
        if after_s - before_s > DRIFT_S / 2:
            return  # the thread was delayed in between, so the time is uncertain: poll again
        self.bpm = float(link.tempo)
        tempo = LinkTempo(self.bpm, (before_s + after_s) / 2 - beat % 1.0 * 60 / self.bpm)
        if is_new(tempo, self._reported):
            self._report(tempo)

    def _report(self, tempo: LinkTempo) -> None:
        self._reported = tempo
        self._on_tempo(tempo)
