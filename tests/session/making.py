"""Small sessions with real sound, for tests of what reads them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import av
import numpy as np
from PIL import Image

from visualizer.session.events import (
    CLOCK_HZ,
    AnalysisEvent,
    DreamEvent,
    EndEvent,
    Event,
    PresetEvent,
    SceneEvent,
    SizeEvent,
    SoundEvent,
    encode,
)
from visualizer.session.layout import SessionFolder, SessionInfo

RATE_HZ = 48_000
#: of the FLAC frames
FRAME_SAMPLES = 1152


def noise(n_samples: int, seed: int = 1) -> np.ndarray:
    """Sound of 24 bits, (n, 1) float32."""
    steps = np.random.default_rng(seed).integers(-(2**20), 2**20, (n_samples, 1))
    return (steps / 2**23).astype(np.float32)


def write_flac(path: Path, samples: np.ndarray, rate_hz: int = RATE_HZ, *, is_torn: bool = False) -> None:
    """Write sound as a recording does. is_torn: end as a killed one, without the last incomplete frame and the
    length.
    """
    with path.open("wb", buffering=0) as file:
        container = av.open(file, "w", format="flac", container_options={"flush_packets": "1"})
        layout = "mono" if samples.shape[1] == 1 else "stereo"
        stream = container.add_stream("flac", rate=rate_hz, layout=layout, format="s32")
        stream.codec_context.options = {"frame_size": str(FRAME_SAMPLES)}
        for start in range(0, len(samples), 512):
            block = (samples[start : start + 512].astype(np.float64) * 2**23).astype(np.int32) << 8
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s32", layout=layout)
            frame.sample_rate, frame.pts = rate_hz, start
            container.mux(stream.encode(frame))
        if is_torn:
            written = path.read_bytes()
        else:
            container.mux(stream.encode(None))
        container.close()
    if is_torn:
        path.write_bytes(written)


def picture(width: int = 16, height: int = 9, seed: int = 3) -> np.ndarray:
    """A dream frame."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def example_events(seconds: float = 0.5) -> list[Event]:
    """What a short session with two parts of sound, a preset and a dream frame holds."""
    frame = picture()
    events: list[Event] = [
        PresetEvent(at=0, folder="clouds-01", scene=0, reference="clouds", name="clouds", width=16, height=9),
        DreamEvent(
            at=0,
            scene=0,
            variant=0,
            depth_index=0,
            sha256=hashlib.sha256(frame.data).hexdigest(),
            width=16,
            height=9,
            finished=True,
        ),
        SceneEvent(at=1, scene=0),
        AnalysisEvent(at=0, step="start", rate_hz=RATE_HZ),
    ]
    n_samples = round(seconds * RATE_HZ)
    for part in (1, 2):
        begin = (part - 1) * n_samples
        events.append(SoundEvent(at=begin, file=f"sound-{part:04d}.flac", rate_hz=RATE_HZ, channels=1))
        for at in range(begin, begin + n_samples, 4800):
            events.append(AnalysisEvent(at=at, step="sound", n_samples=min(4800, begin + n_samples - at)))
            events.append(SizeEvent(at=at, width=16, height=9))
    return events


def make_session(root: Path, *, seconds: float = 0.5, state: str = "closed") -> SessionFolder:
    """A session of `example_events` in a new folder. state: "open": as if the program had been killed, with a line and
    a frame of sound torn.
    """
    folder = SessionFolder(root)
    root.mkdir(parents=True)
    events = example_events(seconds)
    end_at = round(2 * seconds * CLOCK_HZ)
    if state == "closed":
        events.append(EndEvent(at=end_at))
    text = b"".join(encode(n, event) for n, event in enumerate(events))
    for number in (1, 2):
        is_torn = state == "open" and number == 2
        write_flac(folder.sound(number), noise(round(seconds * RATE_HZ), number), is_torn=is_torn)
    if state == "open":
        text = text[:-20]
        with folder.sound(2).open("r+b") as file:
            file.truncate(file.seek(0, os.SEEK_END) - 100)
    folder.events.write_bytes(text)
    frame = picture()
    folder.dreams.mkdir()
    Image.fromarray(frame).save(folder.dream(hashlib.sha256(frame.data).hexdigest()))
    preset = folder.presets / "clouds-01"
    preset.mkdir(parents=True)
    Image.fromarray(frame).save(preset / "image.png")
    (preset / "preset.yaml").write_text("title: Clouds\nimage: image.png\n")
    info = SessionInfo(
        program="0.1.0", kind="live", started="2026-11-28T21:30:05+01:00", width=16, height=9, state=state
    )
    if state == "closed":
        info = info.model_copy(update={"end_at": end_at, "n_events": len(events)})
    folder.info.write_bytes(info.to_json())
    return folder


def write_events(folder: SessionFolder, events: list[Event]) -> None:
    """Replace the events of a session by others, numbered from 0."""
    folder.events.write_bytes(b"".join(encode(n, event) for n, event in enumerate(events)))
