import json

import pytest

from tests.files.disks import locked_folder
from visualizer.errors import BadInput
from visualizer.session.layout import FORMAT, SessionInfo, check_new_folder

INFO = SessionInfo(program="1.2.3", kind="live", started="2026-11-28T21:30:05+01:00", width=640, height=360)


def test_info_is_read_as_it_was_written():
    closed = INFO.model_copy(update={"state": "closed", "end_at": 7, "seeds": {"shuffle": 3}})
    for info in (INFO, closed):
        assert SessionInfo.from_json(info.to_json()) == info


def test_a_field_of_a_newer_program_of_the_same_format_is_no_error():
    assert SessionInfo.from_json(json.dumps({**INFO.model_dump(), "more": 1}).encode()) == INFO


def test_a_newer_format_says_so():
    newer = json.dumps({"format": FORMAT + 1, "program": "9.0"}).encode()
    with pytest.raises(BadInput, match=r"format 2 is of a newer version of the program, 9\.0"):
        SessionInfo.from_json(newer)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{}", b'{"format":1', b"[" * 100_000, b'{"format":true}'])
def test_a_damaged_info_is_bad_input_in_one_line(text):
    with pytest.raises(BadInput) as caught:
        SessionInfo.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_to_is_refused_before_a_show():
    with locked_folder() as locked:
        for path in (locked, locked / "a", locked / "a" / "b"):
            with pytest.raises(
                BadInput, match=f"nothing can be recorded in .*: the folder {locked} cannot be written to"
            ):
                check_new_folder(path)
