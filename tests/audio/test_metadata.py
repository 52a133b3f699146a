"""Titles, artists and covers of songs, as their files have them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visualizer.audio.metadata import Metadata, read_metadata

from .sounds import FORMATS, chirp, write, write_named, write_streams

TAGS = {"title": 'A "night" 🎵 \\ one', "artist": "Björk & Ко", "album": "First", "date": "1999-12-31", "comment": "no"}
COVER = Image.fromarray(np.full((30, 40, 3), (200, 30, 60), np.uint8))


def tagged(path: Path, name: str, **options) -> Path:
    codec, container, rate_hz, bit_rate = FORMATS[name]
    sound = chirp(rate_hz // 2, rate_hz)
    return write(path, sound, codec=codec, container=container, rate_hz=rate_hz, bit_rate=bit_rate, **options)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ogg", "a.opus", "a.m4a", "a.mka", "a.wma"])
def test_tags_are_read_from_every_format(tmp_path: Path, name: str) -> None:
    found = read_metadata(tagged(tmp_path / name, name, tags=TAGS))
    assert found.tags == {key: text for key, text in TAGS.items() if key != "comment"}
    assert found.cover is None


@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_the_cover_picture_is_read(tmp_path: Path, name: str) -> None:
    cover = read_metadata(tagged(tmp_path / name, name, tags=TAGS, cover=COVER)).cover
    assert cover is not None
    with Image.open(BytesIO(cover)) as picture:
        assert picture.size == COVER.size


def test_the_title_of_a_stream_is_not_that_of_the_file(tmp_path: Path) -> None:
    """A video names its languages."""
    assert read_metadata(write_streams(tmp_path / "film.mkv", [0.3, 0.3]), 2).tags == {}


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    assert len(read_metadata(tagged(tmp_path / "a.flac", "a.flac", tags={"title": "x" * 5000})).tags["title"]) == 1000


@pytest.mark.parametrize("name", ["a.wav", "a.aac", "nothing.flac"])
def test_a_file_that_says_nothing(tmp_path: Path, name: str) -> None:
    path = write_named(tmp_path, name, 0.5) if name in FORMATS else tmp_path / name
    assert read_metadata(path) == Metadata()


def test_a_file_that_is_no_sound_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(bytes(range(256)) * 20)
    assert read_metadata(tmp_path / "a.mp3") == Metadata()
