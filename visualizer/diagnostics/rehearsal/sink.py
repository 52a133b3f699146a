"""A sound device for the rehearsal on the user's sound server, which can be removed and added again like a cable.

It is a null sink, so nothing reaches the loudspeakers; its player is stopped before it is removed.
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
WAIT_S = 10.0  # for an answer of the sound server


class NoSoundServer(Exception):
    """There is no sound server that can add a device; the message says why."""


def _pactl(*arguments: str) -> str:
    """Run `pactl`; returns its output. Raises NoSoundServer."""
    try:
        done = subprocess.run(
            ["pactl", *arguments], capture_output=True, text=True, errors="replace", timeout=WAIT_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoSoundServer(f"pactl cannot be run: {error}") from error
    if done.returncode:
        raise NoSoundServer(" ".join(done.stderr.split()) or f"pactl ended with status {done.returncode}")
    return done.stdout.strip()


def unload(name: str) -> None:
    """Remove every sink with this name; errors of the server are ignored."""
    with contextlib.suppress(NoSoundServer):
        for line in _pactl("list", "short", "modules").splitlines():
            if f"sink_name={name} " in f"{line} ".replace("\t", " "):
                _pactl("unload-module", line.split()[0])


class RehearsalSink:
    """A null sink with a song that is played into it in a loop. samples: (n, 2) int16 at RATE_HZ. Raises NoSoundServer.

    name: of the sink; device: name of the input that records it.
    """

    def __init__(self, name: str, samples: np.ndarray) -> None:
        if shutil.which("pactl") is None or shutil.which("pacat") is None:
            raise NoSoundServer("pactl and pacat are not installed (pulseaudio-utils)")
        self.name, self.device = name, f"{name}.monitor"
        self._sound = np.ascontiguousarray(samples, "<i2").tobytes()
        self._at = 0
        self._player: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        _pactl("info")
        self.plug()

    def plug(self) -> None:
        """Add the device; the song continues where it was."""
        arguments = (f"sink_name={self.name}", f"rate={RATE_HZ}", "channels=2")
        _pactl("load-module", "module-null-sink", *arguments, "sink_properties=device.description=Rehearsal")
        self._player = subprocess.Popen(
            ["pacat", "--playback", f"--device={self.name}", "--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=2",
             "--latency-msec=60", "--client-name=visualizer rehearsal"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._feed, args=(self._player.stdin,), name="song", daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Remove the device. The player is stopped first, because the server may move it to the loudspeakers."""
        if self._player is not None:
            self._player.kill()
            self._player.wait(WAIT_S)
            self._player = None
        if self._thread is not None:
            self._thread.join(WAIT_S)
        unload(self.name)

    def close(self) -> None:
        """Remove the device."""
        self.pull()

    def _feed(self, pipe: IO[bytes] | None) -> None:
        """Write the song to the player in a loop until that has ended; the pipe blocks while it plays."""
        if pipe is None or not self._sound:
            return
        with contextlib.suppress(OSError, ValueError), pipe:
            while True:
                block = self._sound[self._at : self._at + BLOCK_SAMPLES * 4]
                self._at = (self._at + len(block)) % len(self._sound)
                pipe.write(block)
