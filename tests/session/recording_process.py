"""Records a session, about in real time, until it is killed:
`python -m tests.session.recording_process FOLDER [MOST_BYTES]`.

Every 10 ms it hands over 10 ms of sound and an event, now and then a dream frame; a part of sound is a second long.
After each it writes the tick up to which it has handed over to stdout, 8 bytes. MOST_BYTES: no file may become larger;
when the recording has stopped, its reason is written, and the process ends.
"""

import os
import struct
import sys
import time
from pathlib import Path

import numpy as np

from tests.session.recorded import OPEN, counted
from visualizer.presets.dreams import DreamFrame
from visualizer.session import sound_writer
from visualizer.session.events import XrunEvent
from visualizer.session.writer import SessionWriter

N_BLOCK = 480


def main() -> None:
    if len(sys.argv) > 2:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    sound_writer.PART_S = 1.0
    writer = SessionWriter.open(Path(sys.argv[1]), **OPEN, keep_free_bytes=0)
    rng = np.random.default_rng(1)
    for block in range(6000):
        at = block * N_BLOCK
        writer.sound(counted(at, N_BLOCK), at, 48_000)
        writer.event(XrunEvent(at=at, n_xruns=block))
        if block % 20 == 0:
            writer.dream(at, 0, DreamFrame(0, block // 20, rng.integers(0, 256, (36, 64, 3), np.uint8), True))
        os.write(1, struct.pack("<q", at + N_BLOCK))
        if not writer.state.is_recording:
            os.write(2, writer.state.reason.encode())
            return
        time.sleep(0.01)  # never faster, even where the machine was busy before
        while writer._waits.n_bytes and writer.state.is_recording:
            time.sleep(0.001)  # the writer's thread had no turn for long: that is not its fault


if __name__ == "__main__":
    main()
