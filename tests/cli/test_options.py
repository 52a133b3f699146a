"""Reading what was typed."""

import shutil
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.cli import options
from visualizer.errors import BadInput
from visualizer.supervision.resume import ResumeState


@given(st.integers(16, 16384), st.integers(16, 16384), st.sampled_from("xX×"))
def test_sizes(width, height, by):
    assert options.parse_size(f" {width}{by}{height} ") == (width, height)


def test_sizes_have_names():
    assert options.parse_size("vertical") == (1080, 1920)
    assert options.parse_size(" Square ") == (1080, 1080)
    assert options.parse_size("4K") == options.parse_size("3840x2160") == (3840, 2160)
    with pytest.raises(BadInput, match="--dream-size 'round' is not a size.*1280x720, or one of 720p, .*square"):
        options.parse_size("round", "--dream-size")


def test_a_large_window_has_a_dream_of_1080p_unless_another_is_asked_for(tiny_preset):
    preset = str(tiny_preset)
    assert options.chosen_staging(False, None, False, False, size="4k").size == (3840, 2160)
    assert options.chosen_staging(False, None, False, False).size is None
    assert options.chosen_preset(preset, "4k").size == (1920, 1080)
    assert options.chosen_preset(preset, "4k", dream_size="2560x1440").size == (2560, 1440)
    assert options.resumed_or_chosen_preset(None, preset, "4k", *[None] * 5).size == (1920, 1080)
    resume = resumed("clouds")
    assert options.resumed_or_chosen_preset(resume, preset, "4k", *[None] * 5, "64x36").size == (64, 36)
    with pytest.raises(BadInput, match="--dream-size 8x8 is out of range"):
        options.chosen_preset(preset, "4k", dream_size="8x8")


@given(st.text(max_size=12))
def test_what_is_no_size_is_refused_with_one_line(text):
    try:
        width, height = options.parse_size(text)
    except BadInput as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert 16 <= width <= 16384 and 16 <= height <= 16384


def test_a_number_is_a_device_s_index_and_anything_else_its_name():
    assert options.parse_device("3") == 3
    assert options.parse_device("USB Audio 3") == "USB Audio 3"
    assert options.parse_device(None) is None


def test_debug_and_log_level_may_stand_anywhere():
    rest = options.take_global(["play", "--debug", "a.mp3", "--log-level", "debug", "--size", "64x64"])
    assert rest == ["play", "a.mp3", "--size", "64x64"]
    assert options.debug and options.log_level == "debug"
    assert options.take_global(["--log-level=info", "play", "--", "--debug"]) == ["play", "--", "--debug"]
    assert not options.debug and options.log_level == "info"
    with pytest.raises(BadInput):
        options.take_global(["play", "--log-level"])


def resumed(preset, **values):
    """The line to a supervisor that starts the show again with that preset and these settings of its dream turned by
    hand.
    """
    return SimpleNamespace(
        resume=ResumeState(preset=preset, values={f"dream.{key}": one for key, one in values.items()})
    )


def test_a_show_that_is_started_again_has_the_folder_it_was_given(tiny_preset, tmp_path, monkeypatch):
    """Named like a preset on the list; and the network asked for goes with the preset asked for only."""
    folder = shutil.copytree(tiny_preset, tmp_path / "clouds")
    monkeypatch.chdir(tmp_path)
    asked = ("./clouds", "64x36", None, None, None, "block3.expand", None)
    first = options.resumed_or_chosen_preset(resumed(""), *asked)
    assert (first.settings.title, first.settings.dream.layer) == ("Tiny", "block3.expand")
    assert first.reference == str(folder)
    again = options.resumed_or_chosen_preset(resumed(first.reference), *asked)
    assert (again.settings.title, again.settings.dream.layer) == ("Tiny", "block3.expand")
    listed = options.resumed_or_chosen_preset(resumed("clouds"), *asked)
    assert listed.settings.title != "Tiny" and listed.reference == "clouds"
    other = options.resumed_or_chosen_preset(resumed(str(folder)), "clouds", *asked[1:])
    assert (other.settings.title, other.settings.dream.layer) == ("Tiny", "block2.expand")
    shutil.rmtree(folder)
    assert options.resumed_or_chosen_preset(resumed("clouds"), *asked).reference == "clouds"


def test_a_show_that_is_started_again_has_its_dream_as_it_was_turned(tiny_preset):
    asked = ("clouds", "64x36", None, None, None, None, None)
    for preset in ("", "clouds", str(tiny_preset)):
        line = resumed(preset, colour=0.75, steps_per_depth=3.0)
        loaded = options.resumed_or_chosen_preset(line, *asked)
        assert (loaded.settings.dream.colour, loaded.settings.dream.steps_per_depth) == (0.75, 3)
        assert dict(loaded.overrides.dream) == {"colour": 0.75, "steps_per_depth": 3.0}
    for damaged in ({"colour": "no"}, {"steps_per_depth": 1e9}, {"nothing": 1.0}, {"seed": "x"}):
        loaded = options.resumed_or_chosen_preset(resumed("clouds", **damaged, blend=0.5), *asked)
        assert loaded.reference == "clouds" and dict(loaded.overrides.dream) == {"blend": 0.5}
