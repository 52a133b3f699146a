"""Files with several sound streams: one is chosen by its number, and a silent choice is reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visualizer.audio.decode import Song
from visualizer.audio.streams import silence_note
from visualizer.errors import BadInput

from .sounds import write_named, write_streams

RATE_HZ = 48_000


def pitch_hz(path: Path, stream: int | None) -> float:
    with Song(path, stream=stream) as song:
        song.seek(RATE_HZ // 2)
        sound = song.read(RATE_HZ)[:, 0]
    return float(np.argmax(np.abs(np.fft.rfft(sound))))


@pytest.mark.parametrize("name", ["film.mkv", "film.m4a"])
def test_a_stream_is_chosen_by_its_number(tmp_path: Path, name: str) -> None:
    path = write_streams(tmp_path / name, [0.5, 0.5, 0.5])
    assert [pitch_hz(path, number) for number in (1, 2, 3)] == [200, 400, 600]
    assert pitch_hz(path, None) in (200, 400, 600)


def test_the_error_names_the_streams_there_are(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "film.mkv", [0.5, 0.5])
    with pytest.raises(BadInput) as caught:
        Song(path, stream=3)
    message = str(caught.value)
    assert 'no sound stream 3; it has 1 (eng, aac, "Mix 1"); 2 (deu, aac, "Mix 2")' in message
    with pytest.raises(BadInput, match=r"no sound stream 2; it has 1 \(flac\)"):
        Song(write_named(tmp_path, "a.flac", 0.2), stream=2)


def test_a_silent_choice_is_reported_when_another_stream_is_not(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "film.mkv", [0.0, 0.5, 0.0], seconds=30.0, from_s=12.0)
    note = silence_note(path, 1)
    assert note == (
        'film.mkv: sound stream 1 (eng, aac, "Mix 1") is silent, but 2 (deu, aac, "Mix 2") is not; choose it with --stream 2'
    )
    assert "stream 3" in (silence_note(path, 3) or "")
    assert silence_note(path, 2) is None, "a quiet beginning is not a silent stream"


def test_nothing_is_reported_without_a_louder_stream(tmp_path: Path) -> None:
    assert silence_note(write_streams(tmp_path / "a.mkv", [0.0, 0.0])) is None
    assert silence_note(write_streams(tmp_path / "b.mkv", [0.0])) is None
    assert silence_note(write_named(tmp_path, "a.wav", 0.1)) is None
    assert silence_note(tmp_path / "missing.mkv") is None
