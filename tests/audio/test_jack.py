"""A real JACK server that dies while PortAudio uses it."""

from __future__ import annotations

import subprocess
import sys

from tests.fixtures.midi import Midi

_PROGRAM = """
import logging, sys
from visualizer.audio.devices import close_portaudio, list_devices, open_portaudio

logging.basicConfig(level=logging.INFO)

def look():
    portaudio = open_portaudio()
    print("system" in [device.name for device in list_devices(portaudio)], flush=True)
    sys.stdin.readline()
    close_portaudio(portaudio, timeout_s=60)

for _ in range(3):
    look()
"""


def test_a_jack_server_that_dies_does_not_end_the_process(own_jack: Midi) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=own_jack.env,
    )
    assert program.stdin is not None and program.stdout is not None
    assert program.stdout.readline() == "True\n"
    program.stdin.write("\n")  # closed while the server runs, and opened again
    assert program.stdout.readline() == "True\n"
    own_jack.kill()
    _, errors = program.communicate("\n\n", timeout=120)
    assert program.returncode == 0 and "Assertion" not in errors
    assert errors.count("the JACK server does not answer") == 2 and "closing a sound device" not in errors
