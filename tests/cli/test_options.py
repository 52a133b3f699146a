"""Reading what was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.cli import options
from visualizer.errors import BadInput


@given(st.integers(16, 16384), st.integers(16, 16384), st.sampled_from("xX×"))
def test_sizes(width, height, by):
    assert options.parse_size(f" {width}{by}{height} ") == (width, height)


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
