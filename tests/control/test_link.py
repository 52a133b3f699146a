"""Ableton Link: a real session with another process on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.fixtures.pulse import wait_until
from visualizer.control.link import LinkSession, LinkTempo, is_new
from visualizer.errors import VisualizerError

pytest.importorskip("aalink")

# begins a session at 100 BPM; answers each line with its beat and time.monotonic; "150": goes at 150 BPM
_PEER = """
import asyncio, sys, time
from aalink import Link
async def main():
    link = Link(100)
    link.enabled = True
    loop = asyncio.get_running_loop()
    print("here", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if line != "?": link.tempo = float(line); await asyncio.sleep(0.1)
        print(link.beat, time.monotonic(), link.num_peers, flush=True)
    link.enabled = False
asyncio.run(main())
"""


class Peer:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "here\n"

    def ask(self, line: str = "?") -> tuple[float, float]:
        """(beat, when that was)"""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        beat, time_s, _ = self.process.stdout.readline().split()
        return float(beat), float(time_s)

    def leave(self) -> None:
        self.process.kill()
        self.process.wait(60)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def peer(alone_in_link: None) -> Iterator[Peer]:
    one = Peer()
    yield one
    one.leave()


def off_s(tempo: LinkTempo, peer: Peer) -> float:
    """How far the reported beats are from the peer's, seconds."""
    beat, time_s = peer.ask()
    off = (time_s - tempo.beat_s) * tempo.bpm / 60 - beat
    return abs(off - round(off)) * 60 / tempo.bpm


def test_tempo_and_beat_of_a_session_are_followed_until_the_last_has_gone(peer: Peer) -> None:
    reported: list[LinkTempo] = []
    session = LinkSession(reported.append, now=time.monotonic)
    try:
        deadline = time.monotonic() + 60
        while not reported and time.monotonic() < deadline:
            session._ending.wait(0.01)
        if not reported:
            pytest.skip("no multicast on this machine: two Link sessions do not find each other")
        if session.n_peers > 1:
            pytest.skip("somebody else on this network is in a Link session")
        peer.ask("100")  # of two sessions as old as each other either may win
        wait_until(lambda: reported[-1].bpm == pytest.approx(100, abs=0.01), "a guest has another tempo")
        wait_until(lambda: off_s(reported[-1], peer) < 0.005, "the beats are not the peer's")
        peer.ask("150")
        wait_until(lambda: reported[-1].bpm == pytest.approx(150, abs=0.01))
        wait_until(lambda: off_s(reported[-1], peer) < 0.005, "the beats are not the peer's")
        peer.process.stdin.close()
        wait_until(lambda: reported[-1] == LinkTempo(0.0, 0.0), "the peer has gone")
        assert session.n_peers == 0
    finally:
        session.close()


def test_without_peers_nothing_is_reported(alone_in_link: None) -> None:
    reported: list[LinkTempo] = []
    session = LinkSession(reported.append, now=time.monotonic)
    session.suggest(133.0)
    try:
        wait_until(lambda: session.n_peers or session.bpm == pytest.approx(133.0), "it has not the tempo heard")
    finally:
        session.close()
    if session.n_peers:
        pytest.skip("somebody else is in a Link session on this network")
    assert reported == [] and session.n_peers == 0


@pytest.mark.parametrize(
    ("tempo", "news"),
    [
        (LinkTempo(120, 10.0), False),
        (LinkTempo(120, 12.5), False),
        (LinkTempo(120, 12.501), False),
        (LinkTempo(120, 12.51), True),
        (LinkTempo(120.1, 10.0), True),
        (LinkTempo(0, 0), True),
    ],
)
def test_which_tempos_are_reported(tempo: LinkTempo, news: bool) -> None:
    assert is_new(tempo, LinkTempo(120, 10.0)) is news
    assert not is_new(tempo, tempo)


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aalink", None)
    with pytest.raises(VisualizerError, match=r"pip install 'kickdream\[link\]'"):
        LinkSession(lambda _: None, now=time.monotonic)
