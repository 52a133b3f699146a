"""The demo song: what is committed is what the script makes, and it is fit to be heard."""

import importlib.util
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SONG, KICKS = ROOT / "demo" / "song.opus", ROOT / "demo" / "song.kicks.txt"
RATE_HZ = 48_000


def decoded(path):
    with av.open(str(path)) as container:
        assert container.streams.audio[0].rate == RATE_HZ
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE_HZ)
        blocks = [out.to_ndarray() for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate(blocks, axis=1).T.astype(np.float64)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_song", ROOT / "tools" / "make_song.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def song():
    return decoded(SONG)


def octave_levels_db(sound):
    power = np.abs(np.fft.rfft(sound.mean(axis=1))) ** 2
    freqs = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return [10 * np.log10(power[(freqs >= c / 2**0.5) & (freqs < c * 2**0.5)].sum()) for c in 62.5 * 2 ** np.arange(9)]


def loudness_lufs(sound):
    """Integrated loudness (ITU-R BS.1770-4): its two filters, 0.4 s blocks, both gates."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(sound), 1 / RATE_HZ) / RATE_HZ)
    shelf = (1.53512485958697 - 2.69169618940638 * turn + 1.19839281085285 * turn**2) / (
        1 - 1.69065929318241 * turn + 0.73248077421585 * turn**2
    )
    high_pass = (1 - turn) ** 2 / (1 - 1.99004745483398 * turn + 0.99007225036621 * turn**2)
    heard = np.fft.irfft(np.fft.rfft(sound, axis=0) * (shelf * high_pass)[:, None], len(sound), axis=0)
    n = round(0.4 * RATE_HZ)
    power = np.array([(heard[at : at + n] ** 2).mean(axis=0).sum() for at in range(0, len(heard) - n, n // 4)])
    loud = power[-0.691 + 10 * np.log10(power + 1e-15) > -70]
    return -0.691 + 10 * np.log10(loud[10 * np.log10(loud) > 10 * np.log10(loud.mean()) - 10].mean())


def test_size_length_and_title(song):
    assert SONG.stat().st_size < 1_200_000
    assert 30 <= len(song) / RATE_HZ <= 40
    with av.open(str(SONG)) as container:
        said = {**container.metadata, **container.streams.audio[0].metadata}
    assert {name.lower(): value for name, value in said.items()}["title"] == "Cloud Kicks"
    assert "artist" in {name.lower() for name in said}


@pytest.mark.slow
def test_level_and_balance(song):
    assert 0.7 < np.abs(song).max() < 1.0  # -3 .. 0 dBFS after coding: nothing is clipped
    assert np.abs(song.mean(axis=0)).max() < 1e-3
    assert -16 < loudness_lufs(song) < -11
    assert 10 < 20 * np.log10(np.abs(song).max() / song.std()) < 17
    assert 0.2 < np.corrcoef(song.T)[0, 1] < 0.95
    levels = octave_levels_db(song)
    slope = np.polyfit(np.arange(9), levels, 1)[0] - 3  # an octave is twice as wide as the one below
    assert -6 < slope < -3
    assert np.diff(levels).min() > -9 and np.diff(levels).max() < 3


def test_it_begins_and_ends_in_silence_and_has_a_break(song, script):
    assert np.abs(song[: RATE_HZ // 20]).max() < 0.01 and np.abs(song[-RATE_HZ // 20 :]).max() < 0.01
    # without kicks the deepest octave is empty
    first, last = script.BREAK_BARS
    part = song[round(script.at(first, 2) * RATE_HZ) : round(script.at(last + 1, -1) * RATE_HZ)]
    groove = song[round(script.at(4) * RATE_HZ) : round(script.at(8) * RATE_HZ)]

    def deep(sound):
        freqs = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
        return (np.abs(np.fft.rfft(sound.mean(axis=1))[freqs < 65]) ** 2).sum() / len(sound) ** 2

    assert deep(part) < 0.02 * deep(groove)


def test_no_clicks(song):
    """A click is one sample that no neighbour foretells, away from every attack: none where the song rings out."""
    tail = song[-3 * RATE_HZ :]
    bend = np.abs(np.diff(tail, n=3, axis=0)).max(axis=1)
    around = np.convolve(bend, np.ones(200) / 200, mode="same")
    assert (bend < 30 * around + 1e-4).all()


def test_every_kick_is_where_the_file_says(song, script):
    kicks_s = [float(line) for line in KICKS.read_text().split()]
    assert np.allclose(kicks_s, [start_s for start_s, _ in script.kick_score()], atol=1e-4)
    assert len(kicks_s) == len(set(kicks_s)) and kicks_s == sorted(kicks_s)
    spectrum = np.fft.rfft(song.mean(axis=1))
    spectrum[np.fft.rfftfreq(len(song), 1 / RATE_HZ) > 300] = 0
    low = np.abs(np.fft.irfft(spectrum, len(song)))
    for kick_s in kicks_s:
        at, n = round(kick_s * RATE_HZ), round(0.04 * RATE_HZ)
        after, before = low[at : at + n].max(), low[at - n : at - 48].max()
        assert after > 0.2 and after > 1.4 * before, f"no kick at {kick_s} s"


@pytest.mark.long
def test_the_committed_file_is_what_the_script_makes(song, script):
    made = script.render().astype(np.float64)
    assert np.abs(np.abs(made).max() - 10 ** (-1 / 20)) < 1e-6
    assert abs(len(made) - len(song)) < 2 * 960
    n = min(len(made), len(song))
    for channel in (0, 1):
        assert np.corrcoef(made[:n, channel], song[:n, channel])[0, 1] > 0.99


def test_encoding_twice_gives_the_same_file(tmp_path, script):
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (RATE_HZ, 2)).astype(np.float32)
    for name in "ab":
        script.write_opus(tmp_path / f"{name}.opus", noise)
    assert (tmp_path / "a.opus").read_bytes() == (tmp_path / "b.opus").read_bytes()
