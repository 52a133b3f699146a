"""ReplayGain tags, in real files, change what is heard and not what is analysed."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.fixtures.pulse import wait_until
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.replaygain import Mode, replay_gain
from visualizer.audio.songlist import SongList

from .sounds import chirp, write

HALF_DB = "-6.0206 dB"


def tagged(path: Path, source: Path, **tags: str) -> Path:
    """The sound of source, as it is, in a file with tags."""
    options = {"movflags": "use_metadata_tags"} if path.suffix == ".m4a" else {}
    with av.open(str(source)) as before, av.open(str(path), "w", options=options) as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        after.metadata.update(tags)
        for packet in before.demux(before.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                after.mux(packet)
    return path


def encoded(folder: Path, name: str) -> Path:
    codec, container, bit_rate = {
        "flac": ("flac", "flac", None),
        "mp3": ("libmp3lame", "mp3", 128_000),
        "m4a": ("aac", "ipod", 128_000),
        "mka": ("flac", "matroska", None),
        "opus": ("libopus", "ogg", 96_000),
        "ogg": ("vorbis", "ogg", 128_000),
    }[name]
    return write(
        folder / f"plain.{name}", chirp(24_000, 48_000), codec=codec, container=container, rate_hz=48_000, bit_rate=bit_rate
    )  # fmt: skip


@pytest.mark.parametrize("name", ["flac", "mp3", "m4a", "mka", "opus", "ogg"])
def test_tags_of_every_kind_of_file_are_read(tmp_path: Path, name: str) -> None:
    path = tagged(tmp_path / f"a.{name}", encoded(tmp_path, name), REPLAYGAIN_TRACK_GAIN=HALF_DB)
    with SongList([path], gain_mode="track") as songs, SongList([path]) as plain:
        assert songs.gain == pytest.approx(0.5, abs=1e-3)
        assert plain.gain == 1.0


def test_opus_has_tags_of_its_own(tmp_path: Path) -> None:
    steps = round((-6.0206 - 5) * 256)
    path = tagged(tmp_path / "a.opus", encoded(tmp_path, "opus"), R128_TRACK_GAIN=str(steps))
    with SongList([path], gain_mode="track") as songs:
        assert songs.gain == pytest.approx(0.5, abs=2e-3)


def test_the_gain_is_heard_and_changes_nothing_for_the_analysis(tmp_path: Path) -> None:
    """Of two songs each has its own gain, from its first sample on."""
    source = encoded(tmp_path, "flac")
    loud = tagged(tmp_path / "1.flac", source, REPLAYGAIN_TRACK_GAIN=HALF_DB)
    with SongList([loud, source], gain_mode="track") as songs, SilentPlayback(songs, now=lambda: 0.0) as player:
        player.start()
        segment = wait_until(lambda: player._reader.segment, "nothing is read")
        wait_until(lambda: segment.n_total, "the end is not read")
        heard = np.zeros((48_000, 2), np.float32)
        assert segment.ring.read_into(heard) == 48_000
        analysed = np.concatenate([block for _, block in player.drain()])
    sound = chirp(24_000, 48_000)
    assert np.abs(heard[:24_000] - 0.5 * sound).max() < 1e-3
    assert np.abs(heard[24_000:] - sound).max() < 1e-3
    assert np.abs(analysed - np.concatenate([sound, sound])).max() < 1e-3


@pytest.mark.parametrize(
    ("tags", "mode", "factor"),
    [
        ({}, "track", 1.0),
        ({"replaygain_track_gain": "-20 dB"}, "track", 0.1),
        ({"replaygain_track_gain": "-20 dB"}, "album", 0.1),
        ({"replaygain_track_gain": "-20 dB", "replaygain_album_gain": "-40"}, "album", 0.01),
        ({"replaygain_track_gain": "-20 dB", "replaygain_album_gain": "-40"}, "track", 0.1),
        ({"replaygain_track_gain": "+20.0 dB", "replaygain_track_peak": "0.05"}, "track", 10.0),
        ({"replaygain_track_gain": "+20.0 dB", "replaygain_track_peak": "0.5"}, "track", 2.0),
        ({"replaygain_track_gain": "+20.0 dB"}, "track", 1.0),
        ({"replaygain_track_gain": "0 dB", "replaygain_track_peak": "1.25"}, "track", 0.8),
        ({"replaygain_track_gain": "+20.0 dB", "replaygain_track_peak": "0"}, "track", 1.0),
        ({"replaygain_track_gain": "+20.0 dB", "replaygain_track_peak": "nan"}, "track", 1.0),
        ({"replaygain_track_gain": "-6,0206 dB"}, "track", 0.5),
        ({"replaygain_track_gain": "999 dB"}, "track", 1.0),
        ({"replaygain_track_gain": "nan dB"}, "track", 1.0),
        ({"replaygain_track_gain": "loud"}, "track", 1.0),
        ({"replaygain_track_gain": ""}, "album", 1.0),
        ({"r128_track_gain": "-6400"}, "track", 0.1),
        ({"r128_album_gain": "-6400", "replaygain_album_gain": "-40"}, "album", 0.1),
        ({"r128_track_gain": "99999999999999999999"}, "track", 1.0),
    ],
)
def test_gains_and_peaks(tags: dict[str, str], mode: Mode, factor: float) -> None:
    assert replay_gain(tags, mode) == pytest.approx(factor, rel=1e-4)
