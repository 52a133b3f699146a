"""Recorded sounds for the training, made small here: neither the packages nor a network are needed.

Rendering a sound font needs tinysoundfont (extra `train`); its tests are skipped where that is not installed.
"""

import copy
import struct
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tools import kick_samples
from tools.kick_samples import (
    FILES,
    FONT,
    SampledSounds,
    body_hz,
    drums,
    fetch,
    from_onset,
    is_of_share,
    old_sampler,
    resampled,
    run_tool,
)
from tools.kick_sounds import RATE_HZ, kick, span
from visualizer.errors import BadInput, VisualizerError


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(kick_samples, "SYSTEM", tmp_path / "no system")


def sine(hz, seconds=1.0):
    return np.sin(2 * np.pi * hz * span(seconds))


def pitch_hz(sound):
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
    return np.argmax(spectrum) * RATE_HZ / (1 << 18)


# --- one sound


def test_what_comes_before_the_hit_is_removed():
    rng = np.random.default_rng(1)
    hit = np.exp(-span(0.2) / 0.05) * sine(200, 0.2)
    before = 0.001 * rng.standard_normal(4000)
    before[-20:] = 0.01  # a rise of half a millisecond, which belongs to the hit
    made = from_onset(np.concatenate([before, hit]))
    assert 0 <= len(made) - len(hit) <= RATE_HZ // 1000 and np.array_equal(made[-len(hit) :], hit)
    assert len(made) - len(hit) >= 18
    assert np.array_equal(from_onset(hit[1:]), hit[1:]), "nothing to remove"
    assert not from_onset(np.zeros(9)).any()
    noise = 0.1 * sine(3000, 0.01)
    assert abs(len(from_onset(np.concatenate([noise, hit]), -14.0)) - len(hit)) < RATE_HZ // 1000


def test_a_drum_of_the_formulas_keeps_its_beginning():
    for seed in range(20):
        sound = kick(np.random.default_rng(seed))
        assert len(sound) - len(from_onset(sound)) < 0.006 * RATE_HZ


@pytest.mark.parametrize("ratio", [0.5, 0.7, 1.3, 2.0])
def test_a_sound_played_faster_is_higher_and_shorter(ratio):
    made = resampled(sine(440), ratio)
    assert pitch_hz(made) == pytest.approx(440 * ratio, rel=3e-3)
    assert len(made) == pytest.approx(RATE_HZ / ratio, abs=1)
    assert np.abs(made[2000:-2000]).max() == pytest.approx(1, abs=0.02)


def test_the_body_of_a_kick_is_measured():
    t = span(0.4)
    assert body_hz(np.exp(-t / 0.1) * np.sin(2 * np.pi * 55 * t)) == pytest.approx(55, abs=4)


# --- trackers


def test_an_old_sampler_leaves_images_and_few_bits_and_keeps_the_hit():
    sound = np.exp(-span(0.5) / 0.2) * sine(440, 0.5)
    n_cut = n_with_images = 0
    for seed in range(40):
        made = old_sampler(np.random.default_rng(seed), sound)
        assert np.array_equal(made, old_sampler(np.random.default_rng(seed), sound))
        assert np.isfinite(made).all() and np.abs(made).max() == pytest.approx(1) and len(made) <= len(sound)
        assert np.argmax(np.abs(made) > 0.1) < 0.002 * RATE_HZ
        assert pitch_hz(made) == pytest.approx(440, rel=0.01)
        n_cut += len(made) < 0.95 * len(sound)
        power = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
        n_with_images += power[round(3000 * len(made) / RATE_HZ) :].sum() > 1e-5 * power.sum()
    assert 4 < n_cut < 25 and n_with_images > 20


# --- shares and errors


def test_a_share_is_disjoint_and_a_quarter_is_held_out():
    names = [f"sound {k}" for k in range(1000)]
    training = [name for name in names if is_of_share(name, "training")]
    held_out = [name for name in names if is_of_share(name, "held out")]
    assert sorted(training + held_out) == sorted(names) and 200 < len(held_out) < 300


def test_wrong_use_is_told_in_one_line(tmp_path):
    with pytest.raises(BadInput, match=r"^share 'heldout' is unknown \(did you mean 'held out'\?\)"):
        SampledSounds(tmp_path, "heldout")
    with pytest.raises(VisualizerError, match=r"package sonic-pi-samples are not in .*; fetch them with: python "):
        SampledSounds(tmp_path)


def test_without_apt_or_when_it_fails_the_way_out_is_told(monkeypatch, tmp_path):
    reports = "import sys; print('one'); sys.exit('E: no such package\\nE: broken')"
    with pytest.raises(VisualizerError, match=r"failed \(E: broken\); unpack the Debian package p .*--samples FOLDER$"):
        run_tool("p", tmp_path, sys.executable, "-c", reports)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(
        VisualizerError, match="^apt-get is not installed, so sonic-pi-samples cannot be fetched; unpack"
    ):
        fetch(tmp_path / "cache")


def test_what_is_there_is_not_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    (tmp_path / FILES).mkdir(parents=True)
    (tmp_path / FONT).parent.mkdir(parents=True)
    (tmp_path / FONT).touch()
    assert fetch(tmp_path) == tmp_path
    monkeypatch.setattr(kick_samples, "SYSTEM", tmp_path)
    assert fetch(tmp_path / "other") == tmp_path / "other" and not (tmp_path / "other").exists()


# --- a small sound font


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def write_font(path: Path, programs: list[tuple[str, int, int]]) -> None:
    """A sound font (SoundFont 2.04, section 7) of one instrument, a decaying sine of 440 Hz in A4.

    programs: name, bank and number of each.
    """
    samples = np.round(20000 * np.exp(-span(1.5) / 0.4) * sine(440, 1.5)).astype("<i2")
    n, count = len(samples), len(programs)
    data = samples.tobytes() + bytes(2 * 46)
    presets = b"".join(
        struct.pack("<20sHHHIII", name.encode(), number, bank, index, 0, 0, 0)
        for index, (name, bank, number) in enumerate(programs)
    )
    tables = {
        b"phdr": presets + struct.pack("<20sHHHIII", b"EOP", 0, 0, count, 0, 0, 0),
        b"pbag": b"".join(struct.pack("<HH", index, 0) for index in range(count + 1)),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<HH", 41, 0) * count + bytes(4),  # 41: instrument 0
        b"inst": struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<HHHH", 0, 0, 1, 0),
        b"imod": bytes(10),
        b"igen": struct.pack("<HH", 53, 0) + bytes(4),  # 53: sample 0
        b"shdr": struct.pack("<20sIIIIIBbHH", b"sine", 0, n, 0, n, RATE_HZ, 69, 0, 0, 1)
        + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    info = chunk(b"ifil", struct.pack("<HH", 2, 4)) + chunk(b"isng", b"EMU8000\0") + chunk(b"INAM", b"small\0")
    body = chunk(b"LIST", b"INFO" + info) + chunk(b"LIST", b"sdta" + chunk(b"smpl", data))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(name, table) for name, table in tables.items()))
    path.write_bytes(chunk(b"RIFF", b"sfbk" + body))


def write_flac(path: Path, sound: np.ndarray) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(np.round(30000 * sound).astype(np.int16)[None], "s16", "mono")
        frame.rate = RATE_HZ
        file.mux([*stream.encode(frame), *stream.encode(None)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("tinysoundfont", reason="needs the extra `train`")
    folder = tmp_path_factory.mktemp("sounds")
    (folder / FILES).mkdir(parents=True)
    (folder / FONT).parent.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for begin in ("bd_", "sn_", "tabla_", "drum_tom_", "drum_cymbal_closed", "drum_cymbal_open"):
        for k in range(8):
            tau_s, hz = rng.uniform(0.03, 0.2), rng.uniform(50, 200)
            hit = np.exp(-span(0.4) / tau_s) * sine(hz, 0.4)
            write_flac(folder / FILES / f"{begin}{k}.flac", np.concatenate([np.zeros(700), hit]))
    write_flac(folder / FILES / "loop_x.flac", sine(50))
    write_flac(folder / FILES / "bass_thick_c.flac", np.exp(-span(2.0) / 0.5) * sine(65.4, 2.0))
    programs = [(f"Bass {k}", 0, 32 + k) for k in range(8)] + [(f"Other {k}", 0, k) for k in range(32)]
    write_font(folder / FONT, [*programs, ("Kit", 128, 0), ("Same kit", 128, 1)])
    return folder


@pytest.mark.parametrize("kind", ["kick", "snare", "hat", "tom", "hand"])
@pytest.mark.parametrize("share", ["training", "held out"])
def test_one_shots_begin_with_the_hit_and_repeat(folder, share, kind):
    sounds = SampledSounds(folder, share)
    again = copy.deepcopy(sounds)
    for seed in range(12):
        sound = sounds.one_shot(np.random.default_rng(seed), kind)
        assert sound.dtype == np.float64 and sound.ndim == 1 and np.isfinite(sound).all()
        assert 0.8 < np.abs(sound).max() < 1.01 and 0.01 < len(sound) / RATE_HZ <= 1.2
        assert np.argmax(np.abs(sound) >= 10 ** (-30 / 20) * np.abs(sound).max()) <= RATE_HZ // 1000
        assert np.array_equal(sound, again.one_shot(np.random.default_rng(seed), kind))


def test_the_shares_have_no_recording_in_common_and_kits_that_are_the_same_count_once(folder):
    for kind in ("kick", "snare", "hat", "tom", "hand", "bass", "chord", "lead"):
        training, held_out = (set(SampledSounds(folder, share).names(kind)) for share in ("training", "held out"))
        assert training and not training & held_out
        assert not any("loop" in name or "Same" in name for name in training | held_out)
    assert sum(drum.file is None for drum in drums(folder / FILES, folder / FONT)["kick"]) <= 2


def test_a_kick_keeps_its_body_where_kicks_have_it(folder):
    sounds = SampledSounds(folder)
    bodies = [body_hz(sounds.one_shot(np.random.default_rng(seed), "kick")) for seed in range(60)]
    assert np.mean((np.array(bodies) > 33) & (np.array(bodies) < 115)) > 0.9
    assert np.std(bodies) > 10


@pytest.mark.parametrize("kind", ["bass", "lead", "chord"])
def test_players_play_the_note_that_is_asked_for_from_its_begin(folder, kind):
    sounds = SampledSounds(folder)
    for seed in range(12):
        play = sounds.player(np.random.default_rng(seed), kind)
        hz = 61.3 if kind == "bass" else 301.7
        for seconds in (0.8, 0.15, 0.0001):
            note = play(hz, seconds)
            assert len(note) == max(1, round(seconds * RATE_HZ)) and np.isfinite(note).all()
            assert np.array_equal(note, play(hz, seconds)), "a player has one character"
        note = play(hz, 0.8)
        assert np.argmax(np.abs(note) > 0.05) < 0.005 * RATE_HZ
        if kind != "chord":
            spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 18))
            near = spectrum[round(0.97 * hz * (1 << 18) / RATE_HZ) : round(1.03 * hz * (1 << 18) / RATE_HZ)]
            assert near.max() > 0.5 * spectrum.max()
    assert sum(name == "bass_thick_c" for name in sounds.names("bass")) == is_of_share("bass_thick_c", "training")
