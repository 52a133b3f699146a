"""A sound device of the rehearsal's own, on the sound server of the user: taken away and given back like a cable.

Nothing of it reaches the loudspeakers: it is a null sink, and what is played into it stops before it goes.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
import threading
from typing import IO

import numpy as np

log = logging.getLogger(__name__)

RATE_HZ = 48_000
BLOCK_SAMPLES = 4096
WAIT_S = 10.0  # for a word of the sound server


class NoServer(Exception):
    """There is no sound server that can be asked for a device; the words say why."""


def _control(*words: str) -> str:
    """Have `pactl` do something -> what it printed. Raises NoServer."""
    try:
        done = subprocess.run(
            ["pactl", *words], capture_output=True, text=True, errors="replace", timeout=WAIT_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoServer(f"pactl cannot be run: {error}") from error
    if done.returncode:
        raise NoServer(" ".join(done.stderr.split()) or f"pactl ended with status {done.returncode}")
    return done.stdout.strip()


def unload(name: str) -> None:
    """Take away every sink of that name, if there is one; never raises for the server's sake."""
    with contextlib.suppress(NoServer):
        for line in _control("list", "short", "modules").splitlines():
            if f"sink_name={name} " in f"{line} ".replace("\t", " "):
                _control("unload-module", line.split()[0])


class Sink:
    """A null sink with a song played into it over and over. samples: (n, 2) int16 at RATE_HZ. Raises NoServer.

    name: of the sink; device: of the input that hears it.
    """

    def __init__(self, name: str, samples: np.ndarray) -> None:
        if shutil.which("pactl") is None or shutil.which("pacat") is None:
            raise NoServer("pactl and pacat are not installed (pulseaudio-utils)")
        self.name, self.device = name, f"{name}.monitor"
        self._sound = np.ascontiguousarray(samples, "<i2").tobytes()
        self._at = 0
        self._player: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        _control("info")
        self.plug()

    def plug(self) -> None:
        """The device is there, and plays from where it was."""
        words = (f"sink_name={self.name}", f"rate={RATE_HZ}", "channels=2")
        _control("load-module", "module-null-sink", *words, "sink_properties=device.description=Rehearsal")
        self._player = subprocess.Popen(
            ["pacat", "--playback", f"--device={self.name}", "--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=2",
             "--latency-msec=60", "--client-name=visualizer rehearsal"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._feed, args=(self._player.stdin,), name="song", daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """The device is gone. What plays stops first: a server may move it to the loudspeakers."""
        if self._player is not None:
            self._player.kill()
            self._player.wait(WAIT_S)
            self._player = None
        if self._thread is not None:
            self._thread.join(WAIT_S)
        unload(self.name)

    def close(self) -> None:
        """Leave nothing behind."""
        self.pull()

    def _feed(self, pipe: IO[bytes] | None) -> None:
        """The song, over and over, until its player is gone; it takes no more than it plays."""
        if pipe is None or not self._sound:
            return
        with contextlib.suppress(OSError, ValueError), pipe:
            while True:
                block = self._sound[self._at : self._at + BLOCK_SAMPLES * 4]
                self._at = (self._at + len(block)) % len(self._sound)
                pipe.write(block)
