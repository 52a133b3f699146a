"""The results of `analyze`, and its plot."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.files.disks import full_disk
from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.beat import BandFollower
from visualizer.diagnostics.analyze import analyze
from visualizer.diagnostics.plot import check_plot, plot
from visualizer.errors import BadInput, VisualizerError
from visualizer.settings import BeatSettings


def test_the_depth_is_that_of_the_kick_whatever_moves_the_picture_in_a_show(tmp_path):
    swells = 0.2 * np.sin(2 * np.pi * 440 * np.arange(8 * 8000) / 8000) * (1.1 + np.sin(np.arange(8 * 8000) / 8000 * 3))
    write_wav(tmp_path / "a.wav", swells.astype(np.float32) + kicks(8000, [0.5, 1.0], 8.0), 8000)
    depths = [
        analyze(tmp_path / "a.wav", BeatSettings(**beat), 20).depth.tolist()
        for beat in ({"without_kicks": "rest"}, {}, {"motion": "energy"})
    ]
    assert depths[0] == depths[1] == depths[2] and max(depths[0][300:]) < 1.05


def test_onsets_and_depth_of_a_song(kick_song):
    found = analyze(kick_song, BeatSettings(), 20).as_json()
    assert list(found)[:5] == ["onsets_s", "depth", "fps", "n_depths", "sample_rate"]
    assert (found["fps"], found["n_depths"], found["sample_rate"]) == (60, 20, 44100)
    assert len(found["onsets_s"]) == len(KICKS_S)
    late = np.array(found["onsets_s"]) - KICKS_S
    assert (late > 0).all() and (late < 0.04).all()
    assert len(found["depth"]) == 360
    assert min(found["depth"]) >= 1 and max(found["depth"]) <= 20
    # causal: nothing moves before the first kick, and the depth is up within a twentieth of a second after it
    assert max(found["depth"][:30]) == 1.0 and max(found["depth"][30:36]) > 15


def test_of_a_song_that_is_known_beforehand_it_prints_where_kicks_begin(kick_song):
    causal, found = (analyze(kick_song, BeatSettings(), 20, ahead=ahead).as_json() for ahead in (False, True))
    assert list(found) == list(causal) and len(found["depth"]) == 360
    assert found["onsets_s"] == pytest.approx(KICKS_S, abs=0.010)
    assert max(found["depth"][:29]) == 1.0 and max(found["depth"][29:32]) > 15
    assert all(found[name] == causal[name] for name in ("bands", "tempo", "beats", "silence"))


def test_a_song_that_ends_with_a_kick_is_analysed_to_its_end(tmp_path):
    write_wav(tmp_path / "short.wav", kicks(44100, [0.5, 1.0, 1.9], 2.0), 44100)
    found = analyze(tmp_path / "short.wav", BeatSettings(), 20, ahead=True).as_json()
    assert found["onsets_s"] == pytest.approx([0.5, 1.0, 1.9], abs=0.010)
    assert len(found["depth"]) == 120 and found["depth"][116] > 15


@pytest.fixture(scope="module")
def groove(tmp_path_factory):
    """Half a second of nothing, then 12 s at 120 BPM: kick, snare, hats, a low note; 2 s of nothing; a chord."""
    rate_hz, rng = 44100, np.random.default_rng(5)
    t = np.arange(12 * rate_hz) / rate_hz
    noise = rng.normal(0, 1, len(t))
    played = kicks(rate_hz, np.arange(0, 11.9, 0.5), 12.0, 0.6)
    played += 0.25 * noise * np.exp(-((t - 0.5) % 1.0) / 0.05) * (t > 0.5)
    played += 0.1 * np.diff(noise, append=0) * np.exp(-(t % 0.25) / 0.02)
    played += 0.1 * np.sin(2 * np.pi * 196 * t) * (t % 4 < 2)
    chord = sum(0.1 * np.sin(2 * np.pi * hz * t[: 2 * rate_hz]) for hz in (523, 659, 784))
    path = tmp_path_factory.mktemp("groove") / "groove.wav"
    write_wav(path, np.concatenate([np.zeros(rate_hz // 2), played, np.zeros(2 * rate_hz), chord]), rate_hz)
    return path


@pytest.fixture(scope="module")
def found(groove):
    return json.loads(json.dumps(analyze(groove, BeatSettings(), 20).as_json()))


def test_every_kick_has_its_strength(found):
    assert [onset["time_s"] for onset in found["onsets"]] == found["onsets_s"]
    assert len(found["onsets"]) > 20
    assert all(0 < onset["strength"] <= 1 for onset in found["onsets"])


def test_the_bands_are_those_of_a_live_show_fifty_times_a_second(groove, found):
    from visualizer.audio.decode import Song

    bands = found["bands"]
    assert bands["step_s"] == 0.02 and found["duration_s"] == 16.5
    assert {len(bands[name]) for name in ("bass", "mid", "high", "loudness")} == {825}
    follower = BandFollower(44100)
    with Song(groove) as song:
        live = np.array(follower.push(song.read(20 * 44100).mean(axis=1)))
    for column, name in enumerate(("bass", "mid", "high", "loudness")):
        # at 20 ms two hops of 10 ms are known
        assert np.allclose(bands[name][1:], live[1::2, column][:824], atol=1e-4)
    assert bands["mid"][-1] > 0.9 and bands["high"][-1] < 0.1, "a chord plays at the end"
    assert np.mean(bands["bass"][60:120]) > 1.3 * np.mean(bands["bass"][140:220]), "a low note every other bar"


def test_the_tempo_and_its_confidence_twice_a_second(found):
    tempo = found["tempo"]
    assert tempo["step_s"] == 0.5
    assert len(tempo["bpm"]) == len(tempo["confidence"]) == len(tempo["phase"]) == 34
    assert tempo["bpm"][20] == pytest.approx(120, abs=1.5) and tempo["confidence"][20] > 0.5
    assert tempo["confidence"][0] == 0
    assert all(0 <= sure <= 1 for sure in tempo["confidence"])


def test_the_phase_is_how_far_into_the_beat_it_was(found):
    phase = np.array(found["tempo"]["phase"])
    assert (phase >= 0).all() and (phase < 1).all()
    # the beats lie on whole and half seconds, as the tempos do
    assert np.abs((phase[8:25] + 0.5) % 1 - 0.5).max() < 0.08


def test_everything_detected_is_in_the_json(found):
    assert set(found) == {
        *("onsets_s", "depth", "fps", "n_depths", "sample_rate", "duration_s"),
        *("onsets", "snares_s", "hats_s", "bass_notes_s", "bands", "tempo", "beats", "silence"),
    }
    assert set(found["bands"]) == {"step_s", "bass", "mid", "high", "loudness"}
    assert set(found["tempo"]) == {"step_s", "bpm", "confidence", "phase"}
    assert all(found[name] == sorted(found[name]) for name in ("snares_s", "hats_s", "bass_notes_s"))
    # what is struck here beside the kick is noise without a tone: hats
    assert sum(np.any(np.abs(np.array(found["hats_s"]) - at_s) < 0.06) for at_s in np.arange(2.0, 12.0, 1.0)) >= 8


def test_beats_are_predicted(found):
    beats = found["beats"]
    times = np.array([beat["time_s"] for beat in beats])
    assert all(beat["time_s"] - beat["told_at_s"] >= 0.0499 for beat in beats)
    steady = times[(times > 6) & (times < 12)]
    assert len(steady) in (12, 13)
    assert np.abs((steady - 0.5 + 0.25) % 0.5 - 0.25).max() < 0.05
    assert times.max() < found["duration_s"]


def test_silences_have_a_start_and_an_end(found):
    first, second = found["silence"]
    assert first == {"from_s": 0, "to_s": pytest.approx(0.51, abs=0.02)}
    assert second["from_s"] == pytest.approx(12.95, abs=0.15) and second["to_s"] == pytest.approx(14.51, abs=0.02)


def test_silence_to_the_end_ends_with_the_song(tmp_path):
    write_wav(tmp_path / "a.wav", np.zeros(44100), 44100)
    analysis = analyze(tmp_path / "a.wav", BeatSettings(), 20)
    assert analysis.silence == [(0.0, 1.0)]
    assert analysis.tempo_bpm is None and not analysis.bands.any() and not analysis.beats


def test_the_presets_bands_are_used(tmp_path):
    t = np.arange(2 * 44100) / 44100
    write_wav(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 300 * t), 44100)
    usual, other = (
        analyze(tmp_path / "a.wav", beat, 20).bands[-1] for beat in (BeatSettings(), BeatSettings(mid_low_hz=200))
    )
    assert usual[:3] == pytest.approx([1, 0, 0], abs=0.01) and other[:3] == pytest.approx([0, 1, 0], abs=0.01)


def test_reading_in_large_blocks_and_the_end_of_the_song_change_nothing(tmp_path):
    song = kicks(48000, [0.2, 0.7, 1.3], 1.717)
    write_wav(tmp_path / "a.wav", song, 48000)
    write_wav(tmp_path / "b.wav", np.concatenate([song, np.zeros(48000, np.float32)]), 48000)
    short, longer = (analyze(tmp_path / name, BeatSettings(), 20) for name in ("a.wav", "b.wav"))
    assert short.onsets == longer.onsets
    assert len(short.depth) == 104
    assert np.allclose(short.depth[:100], longer.depth[:100])


def test_progress_goes_up_to_the_end(kick_song):
    steps = []
    analyze(kick_song, BeatSettings(), 20, progress=lambda done_s, total_s: steps.append((done_s, total_s)))
    assert steps == [((index + 1) / 2, 6.0) for index in range(12)]


def test_a_song_shorter_than_a_hop(tmp_path):
    write_wav(tmp_path / "a.wav", np.zeros(100), 44100)
    analysis = analyze(tmp_path / "a.wav", BeatSettings(), 20)
    assert analysis.onsets == [] and list(analysis.depth) == [1.0]
    plot(analysis, tmp_path / "a.png", "short")
    assert Image.open(tmp_path / "a.png").size == (1600, 1000)


def test_the_plot_is_a_picture_and_nothing_else_is_left(kick_song, tmp_path):
    out = tmp_path / "plot.png"
    check_plot(out)
    plot(analyze(kick_song, BeatSettings(), 20), out, "a $strange$ {name}_^.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]
    picture = np.asarray(Image.open(out).convert("RGB"))
    assert picture.std() > 10  # something is drawn
    assert np.median(picture) < 50, "it is dark"


def colours(picture, rgb, within=12):
    """How many pixels have about this colour."""
    return int((np.abs(picture.astype(int) - rgb).max(axis=2) <= within).sum())


@pytest.mark.slow
def test_everything_is_in_the_plot(groove, tmp_path):
    from visualizer.diagnostics.plot import BASS, DEPTH, HIGH, KICK, MID, TEMPO, WAVE

    plot(analyze(groove, BeatSettings(), 20), tmp_path / "plot.png", groove.name)
    picture = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB"))
    rows = []
    for colour in (WAVE, HIGH, MID, BASS, KICK, TEMPO, DEPTH):
        rgb = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
        assert colours(picture[:, 150:], rgb) > 200, colour
        near = (np.abs(picture[:, 150:].astype(int) - rgb).max(axis=2) <= 12).sum(axis=1)
        rows.append(float(np.average(np.arange(len(near)), weights=near)))
    assert rows == sorted(rows), "one below the other"


def test_beats_of_a_long_song_are_a_grid_and_not_a_veil():
    from visualizer.diagnostics.analyze import Analysis
    from visualizer.diagnostics.plot import _beat_step

    def song(n_beats):
        beats = [(0.5 * index, 0.5 * index - 0.06) for index in range(n_beats)]
        none = np.zeros((0, 2))
        return Analysis([], [], none[:, 0], none, none, beats, [], none, 20, 44100, 0.5 * n_beats)

    assert [_beat_step(song(n)) for n in (0, 1, 100, 480, 2000, 20000)] == [1, 1, 1, 4, 16, 64]


def test_beats_that_were_not_sure_are_fainter(groove, tmp_path):
    from dataclasses import replace

    analysis = replace(analyze(groove, BeatSettings(), 20), onsets=[])
    doubtful = replace(analysis, tempo=analysis.tempo * [1, 0, 1])
    pictures = []
    for index, drawn in enumerate((analysis, doubtful)):
        plot(drawn, tmp_path / f"{index}.png", "groove")
        # the track of the kicks, which is empty
        pictures.append(np.asarray(Image.open(tmp_path / f"{index}.png").convert("L"))[570:650, 150:1500].astype(float))
    sure, faint = (picture.max() - np.median(picture) for picture in pictures)
    assert sure > 2 * faint > 0


def test_a_plot_can_be_a_drawing(kick_song, tmp_path):
    plot(analyze(kick_song, BeatSettings(), 20), tmp_path / "plot.svg", "kicks")
    assert "<svg" in (tmp_path / "plot.svg").read_text()[:2000]


@pytest.mark.parametrize(
    ("name", "words"),
    [("plot.txt", "must end in .png"), ("nowhere/plot.png", "no folder"), ("folder.png", "is a folder")],
)
def test_a_plot_that_cannot_be_written_is_refused_first(name, words, tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadInput, match=words):
        check_plot(tmp_path / name)


def test_a_plot_on_a_full_disk_is_one_line_and_the_old_one_stays(kick_song, tmp_path):
    analysis = analyze(kick_song, BeatSettings(), 20)
    with full_disk(tmp_path, 16_384) as folder:
        (folder / "plot.png").write_text("old")
        with pytest.raises(VisualizerError, match=r"plot\.png could not be written: ") as said:
            plot(analysis, check_plot(folder / "plot.png"), "kicks")
        assert "\n" not in str(said.value)
        assert [file.name for file in folder.iterdir()] == ["plot.png"] and (folder / "plot.png").read_text() == "old"


def test_without_matplotlib_the_way_out_is_told(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(VisualizerError, match=r"pip install 'kickdream\[plot\]'"):
        check_plot(tmp_path / "plot.png")
