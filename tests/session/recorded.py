"""Reads a session plainly, with nothing of the program's reader, and makes sound whose samples say where they
belong.
"""

import json
from pathlib import Path

import numpy as np

from visualizer.errors import BadInput
from visualizer.session.events import SoundEvent, decode
from visualizer.session.sound import GRID
from visualizer.session.writer import SessionWriter

#: a session of a small dream
OPEN = {"kind": "live", "width": 64, "height": 36}


def recorded(folder, *steps, **options):
    """What a session's folder is after these steps, each a function of its writer."""
    writer = SessionWriter.open(folder, **{**OPEN, "keep_free_bytes": 0, **options})
    for step in steps:
        step(writer)
    writer.close()
    assert writer.state.reason == ""
    return writer


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def info_of(folder: Path):
    return json.loads((folder / "session.json").read_text())


def events_of(folder: Path):
    """The events up to the first line that cannot be read."""
    events = []
    for number, line in enumerate((folder / "events.jsonl").read_bytes().split(b"\n")):
        try:
            n, event = decode(line)
        except BadInput:
            break
        assert n == number
        events.append(event)
    return events


def sound_files(folder: Path):
    """The parts of its sound, in order."""
    return sorted(folder.glob("sound-*.flac"))


def decoded(path: Path):
    """The samples of a part of sound up to its last whole frame, (n, channels), as whole numbers of 24 bits; and its
    sample rate.
    """
    import av

    blocks, rate_hz, n_channels = [], 0, 1
    try:
        with av.open(str(path), format="flac") as file:
            stream = file.streams.audio[0]
            rate_hz, n_channels = stream.rate, stream.channels
            try:
                for frame in file.decode(stream):
                    blocks.append(frame.to_ndarray().reshape(-1, n_channels) >> 8)
            except av.error.FFmpegError:
                pass
    except av.error.FFmpegError:
        pass
    return np.concatenate(blocks) if blocks else np.zeros((0, n_channels), np.int32), rate_hz


def sound_of(folder: Path):
    """All samples of a session by the part: [(anchors, samples of float32)]."""
    parts = []
    for path in sound_files(folder):
        anchors = [one for one in events_of(folder) if isinstance(one, SoundEvent) and one.file == path.name]
        whole, _ = decoded(path)
        scale = anchors[0].full_scale if anchors else 1
        parts.append((anchors, (whole / 2**23 * scale).astype(np.float32)))
    return parts


def counted(first: int, n: int):
    """n samples that count from `first` on: `count_of` finds out which one it is."""
    numbers = (np.arange(first, first + n) * 12_289) % (GRID - 1)
    return (numbers / GRID).astype(np.float32) * np.where(np.arange(first, first + n) % 2, -1, 1).astype(np.float32)


def count_of(samples) -> int:
    """How many of the samples from the first on are `counted(0, ...)`; all of them, or the test fails."""
    samples = samples.reshape(-1)
    assert np.array_equal(samples, counted(0, len(samples)))
    return len(samples)
