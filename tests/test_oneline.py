"""Text for messages."""

import pytest

from visualizer.oneline import plain, reason_of, size_text, time_text


def test_control_characters_are_escaped_and_long_text_is_cut():
    assert plain("a\x1b[2J\nb é") == "a\\x1b[2J\\nb é"
    assert plain("x" * 400) == "x" * 300 and plain("x" * 400, most=None) == "x" * 400


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (OSError(28, "No space left on device", "/a"), "No space left on device"),
        (OSError("the card\nis gone"), "the card\\nis gone"),
        (ValueError("embedded null byte"), "embedded null byte"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_the_reason_of_a_fault_is_the_system_s_or_its_text_or_its_kind(fault, reason):
    assert reason_of(fault) == reason


def test_sizes_are_whole_megabytes_or_tenths_of_gigabytes():
    assert [size_text(n) for n in (0, 58_400_000, 999_000_000, 5_040_000_000)] == ["0 MB", "58 MB", "999 MB", "5.0 GB"]


def test_times_are_seconds_that_have_passed_with_hours_where_there_are_any():
    seconds = (0.0, 59.9, 60, 3599, 3600, 12_300.5, None)
    assert [time_text(s) for s in seconds] == ["0:00", "0:59", "1:00", "59:59", "1:00:00", "3:25:00", "?"]
