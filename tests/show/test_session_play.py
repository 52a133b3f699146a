"""Songs played in a real window and recorded: a replay and an export have the depths that were shown, and the sound
that was heard.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.fixtures.watching import takes
from tests.show.nights import performed
from tests.show.test_recorder import Watched, is_recording
from tests.sounds import kicks, write_wav
from visualizer.audio.decode import Song
from visualizer.audio.songlist import SongList
from visualizer.cli.commands import app
from visualizer.control.commands import Act
from visualizer.presets.dreams import open_cache
from visualizer.session.events import CLOCK_HZ, ClockEvent, SongEvent
from visualizer.session.reader import RecordedSession
from visualizer.show.onscreen import Staging, run
from visualizer.show.recorder import RecordingOptions
from visualizer.show.replay import replay
from visualizer.show.song_output import open_playback
from visualizer.show.sources.song import SongSource

SIZE, RATE_HZ = (320, 180), 44_100


def tones(seconds, low_hz, high_hz):
    """A tone that rises evenly: how high it is says where in the song it is."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return 0.3 * np.sin(2 * np.pi * (low_hz * time_s + (high_hz - low_hz) * time_s**2 / (2 * seconds)))


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Two songs of 8 and 5 s with kicks on both sides and another tone on each."""
    folder, paths = tmp_path_factory.mktemp("songs"), []
    for number, (seconds, low_hz) in enumerate([(8.0, 1000.0), (5.0, 1500.0)]):
        beat = kicks(RATE_HZ, np.arange(0.5, seconds - 0.5, 0.5).tolist(), seconds, 0.5)
        sides = [tones(seconds, low_hz, low_hz + 1000), tones(seconds, low_hz + 2000, low_hz + 4000)]
        paths.append(folder / f"{number + 1}.wav")
        write_wav(paths[-1], np.stack([beat + side for side in sides], axis=1), RATE_HZ)
    return paths


class Heard(Watched):
    """Notes what is heard at each display frame: (time, seconds of the source, whether it is paused)."""

    def __init__(self, playback, steps):
        super().__init__(steps)
        self.playback, self.heard = playback, []

    def on_frame(self, number, shown):
        self.heard.append((time.monotonic(), self.playback.position_s, self.playback.paused))
        return super().on_frame(number, shown)


def recorded(loaded, songs, root, **options):
    """A show of two songs: a pause, a seek back, the next song."""
    with SongList(songs) as joined, open_playback(joined, None) as playback:
        heard = Heard(
            playback,
            [
                (0.0, is_recording),
                (4.0, [Act("freeze")]),
                (1.2, [Act("freeze")]),
                (2.0, [Act("seek_back")]),
                (1.5, [Act("next_song")]),
                (2.0, []),
            ],
        )
        run(
            loaded,
            SongSource(playback, joined, loaded.settings.beat),
            open_cache(),
            staging=Staging(adapt=False),
            controllers=[heard.hand],
            on_frame=heard.on_frame,
            recording=RecordingOptions(begins=True, folder=root, **options),
        )
    return heard


def exported_sound(root, out, *options):
    """The sound of an export by the program, (n, 2) at 48000 Hz, and what it said."""
    result = CliRunner().invoke(app, ["export", str(root), "-o", str(out), "--fps", "10", *options])
    assert result.exit_code == 0, result.output
    with av.open(str(out)) as video:
        assert video.streams.audio[0].rate == CLOCK_HZ
        return np.concatenate([frame.to_ndarray().T for frame in video.decode(audio=0)]), result.output


def place_of(sound, songs, position_s, starts_s):
    """How far a piece of sound is from where it should be in the songs, seconds, and how alike it is there, 0..1."""
    number = int(position_s >= starts_s[1])
    song, rate_hz = songs[number]
    first = round((position_s - starts_s[number]) * rate_hz)
    around = song[max(first - rate_hz // 8, 0) : first + len(sound) + rate_hz // 8]
    sizes = np.sqrt(np.convolve(around**2, np.ones(len(sound)), "valid") * (sound**2).sum()) + 1e-9
    likeness = np.correlate(around, sound, "valid") / sizes
    best = int(np.argmax(likeness))
    return (best + max(first - rate_hz // 8, 0) - first) / rate_hz, float(likeness[best])


@pytest.mark.slow
@takes()
def test_songs_recorded_are_exported_with_the_depths_shown_and_the_sound_heard(
    screen, pulse, loaded, songs, tmp_path_factory
):
    tmp_path = tmp_path_factory.mktemp("take")
    songs = [Path(shutil.copy(path, tmp_path)) for path in songs]
    root = tmp_path / "night"
    heard = recorded(loaded, songs, root, copies_songs=True)
    assert CliRunner().invoke(app, ["sessions", "check", str(root)]).exit_code == 0
    session = RecordedSession(root)
    clocks = [one for one in session.events() if isinstance(one, ClockEvent)]
    starts_s = [one.start_s for one in session.events() if isinstance(one, SongEvent)]
    assert len(starts_s) == 2 and starts_s[0] == 0.0
    paused = next(one for one in clocks if not one.is_running)
    at_pause_s = next(time_s for time_s, _, is_paused in heard.heard if is_paused)
    began_s = at_pause_s - (paused.at - session.info.at) / CLOCK_HZ  # as time.monotonic says

    # the depths: each as it was shown, within two display frames
    seen = [(at_s - began_s, one.depth) for (at_s, _, _), one in zip(heard.heard, heard.frames, strict=True)]
    times_s, depths = np.array([one for one in seen if one[0] > 0]).T
    again, _ = performed(root, SIZE, times_s=times_s.tolist())
    times_s, depths = times_s[: len(again)], depths[: len(again)]  # the last ones may be after the end of the recording
    padded = np.pad([one.depth for one in again], 2, mode="edge")
    near = np.stack([padded[step : step + len(depths)] for step in range(5)])
    off = np.maximum(0.0, np.maximum(near.min(axis=0) - depths, depths - near.max(axis=0)))
    assert depths.max() > 2.5
    off = off[times_s > 1.5]  # the first depths are eased in
    assert (off < 0.1).mean() > 0.9, np.sort(off)[-40:].round(2)

    sound, said = exported_sound(root, tmp_path / "copied.mp4")
    assert "mono" not in said
    check_sound(sound, heard, songs, starts_s, began_s, is_stereo=True)
    places = []

    def on_frame(shown, frame):
        places.append(shown._transport.position_s())
        return places[-1] > 2.0

    replay(root, open_cache(), on_frame=on_frame)
    assert places[-1] > 2.0 and min(np.diff(places)) >= 0.0
    shutil.rmtree(root / "songs")
    again, said = exported_sound(root, tmp_path / "found.mp4")
    assert np.array_equal(again, sound) and "mono" not in said, "songs that are still where they were"
    for path in songs:
        path.rename(path.with_suffix(".gone"))
    mono, said = exported_sound(root, tmp_path / "mono.mp4", "--as-intended")
    assert said.count("was not copied") == 2 and "mono" in said
    check_sound(mono, heard, [path.with_suffix(".gone") for path in songs], starts_s, began_s, is_stereo=False)


def check_sound(sound, heard, songs, starts_s, began_s, *, is_stereo):
    """The sound of an export is at every moment what was heard then."""
    times_s, positions_s, paused = (np.array(one) for one in zip(*heard.heard, strict=True))
    times_s = times_s - began_s
    sides = [resampled_song(path) for path in songs]
    n, off, loud = CLOCK_HZ // 20, [], []
    for at_s in np.arange(0.2, times_s[-1] - 0.3, 0.05):
        near = np.abs(times_s - at_s) < 0.25
        block = sound[round(at_s * CLOCK_HZ) :][:n]
        if near.sum() > 3 and paused[near].all():
            loud.append(np.abs(block).max())
        line = positions_s[near] - times_s[near]
        if near.sum() > 3 and not paused[near].any() and np.ptp(line) < 0.06:
            for side in range(2):
                source = [(one[:, side] if is_stereo else one.mean(axis=1), CLOCK_HZ) for one in sides]
                off.append(place_of(block[:, side], source, np.median(line) + at_s, starts_s))
    assert len(loud) > 10 and max(loud) < 0.01, "a pause is silent"
    off_s, likeness = np.array(off).T
    assert len(off) > 100 and (likeness > 0.9).mean() > 0.95 and (np.abs(off_s) < 0.06).mean() > 0.95


def resampled_song(path):
    with Song(path, sample_rate_hz=CLOCK_HZ) as song:
        return song.read(100 * CLOCK_HZ)
