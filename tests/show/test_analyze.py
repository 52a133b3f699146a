"""What `analyze` tells, and its plot."""

import numpy as np
import pytest
from PIL import Image

from tests.sounds import KICKS_S, kicks, write_wav
from visualizer.errors import BadInput, VisualizerError
from visualizer.settings import BeatSettings
from visualizer.show.analyze import analyze, check_plot, plot


def test_onsets_and_depth_of_a_song(kick_song):
    told = analyze(kick_song, BeatSettings(), 20).as_json()
    assert set(told) == {"onsets_s", "depth", "fps", "n_depths", "sample_rate"}
    assert (told["fps"], told["n_depths"], told["sample_rate"]) == (60, 20, 44100)
    assert len(told["onsets_s"]) == len(KICKS_S)
    late = np.array(told["onsets_s"]) - KICKS_S
    assert (late > 0).all() and (late < 0.04).all()
    assert len(told["depth"]) == 360
    assert min(told["depth"]) >= 1 and max(told["depth"]) <= 20
    # causal: nothing moves before the first kick, and the depth is up within a twentieth of a second after it
    assert max(told["depth"][:30]) == 1.0 and max(told["depth"][30:36]) > 15


def test_reading_in_large_blocks_and_the_end_of_the_song_change_nothing(tmp_path):
    song = kicks(48000, [0.2, 0.7, 1.3], 1.717)
    write_wav(tmp_path / "a.wav", song, 48000)
    write_wav(tmp_path / "b.wav", np.concatenate([song, np.zeros(48000, np.float32)]), 48000)
    short, longer = (analyze(tmp_path / name, BeatSettings(), 20) for name in ("a.wav", "b.wav"))
    assert short.onsets == longer.onsets
    assert len(short.depth) == 104
    assert np.allclose(short.depth[:100], longer.depth[:100])


def test_a_song_shorter_than_a_hop(tmp_path):
    write_wav(tmp_path / "a.wav", np.zeros(100), 44100)
    analysis = analyze(tmp_path / "a.wav", BeatSettings(), 20)
    assert analysis.onsets == [] and list(analysis.depth) == [1.0]
    plot(analysis, tmp_path / "a.png", "short")
    assert Image.open(tmp_path / "a.png").size[0] > 1000


def test_the_plot_is_a_picture_and_nothing_else_is_left(kick_song, tmp_path):
    out = tmp_path / "plot.png"
    check_plot(out)
    plot(analyze(kick_song, BeatSettings(), 20), out, "a $strange$ {name}_^.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]
    picture = np.asarray(Image.open(out).convert("RGB"))
    assert picture.std() > 10  # something is drawn


@pytest.mark.parametrize(
    ("name", "words"), [("plot.txt", "allowed: .png"), ("nowhere/plot.png", "no folder"), ("folder.png", "is a folder")]
)
def test_a_plot_that_cannot_be_written_is_refused_first(name, words, tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadInput, match=words):
        check_plot(tmp_path / name)


def test_without_matplotlib_the_way_out_is_told(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(VisualizerError, match=r"pip install 'visualizer\[plot\]'"):
        check_plot(tmp_path / "plot.png")
