"""Check that a short video with H.264 and AAC can be written, and its sound read back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ...errors import VisualizerError
from ...oneline import reason_of
from .finding import FAULT, OK, Finding, of_error
from .machine import version_of

SIZE, FPS, RATE_HZ, N_PICTURES = (320, 180), 30, 48_000, 6


def video() -> Iterator[Finding]:
    """Encode pictures and sound as `export` does, and decode the sound as `play` does."""
    import numpy as np

    from ...audio.decode import Song
    from ...outputs.video_file import VideoFile

    try:
        folder = tempfile.TemporaryDirectory(prefix="visualizer-doctor-", ignore_cleanup_errors=True)
    except OSError as error:  # no usual folder for temporary files can be written to
        said = f"no folder for temporary files can be used ({reason_of(error)})"
        yield Finding("video", FAULT, said, "free some disk space, or set another folder with TMPDIR")
        return
    rng = np.random.default_rng(0)
    n_samples = RATE_HZ // FPS
    with folder as name:
        path = Path(name) / "test.mp4"
        try:
            with VideoFile(path, SIZE, Fraction(FPS), sound_rate_hz=RATE_HZ) as writer:
                for _ in range(N_PICTURES):
                    writer.write_sound(rng.uniform(-0.5, 0.5, (n_samples, 2)).astype(np.float32))
                    writer.write_picture(rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8))
            n_bytes = path.stat().st_size
            with Song(path) as song:
                sound = song.read(N_PICTURES * n_samples)
        except VisualizerError as error:
            yield of_error("video", error, way_out="reinstall PyAV with `pip install --force-reinstall av`")
            return
    facts = {"av": version_of("av"), "n_bytes": n_bytes}
    if len(sound) < n_samples or not sound.any():
        said = "a video was written, but its sound cannot be read back"
        yield Finding("video", FAULT, said, "reinstall PyAV with `pip install --force-reinstall av`", facts)
        return
    yield Finding("video", OK, f"H.264 and AAC can be written and read (PyAV {facts['av']})", facts=facts)
