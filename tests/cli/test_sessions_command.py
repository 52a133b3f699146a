"""`visualizer sessions`: the list, and everything that can be done with a session; bad input is one line."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.running import here, refused
from tests.fixtures.pulse import wait_until
from tests.session.making import example_events, make_session, write_events
from visualizer.files.paths import sessions_folder
from visualizer.session.events import CLOCK_HZ, EndEvent


@pytest.fixture
def night():
    return make_session(sessions_folder() / "Friday night", seconds=0.1)


def test_no_sessions():
    ran = here("sessions")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"0 sessions, 0 MB, in {sessions_folder()}\n"
    assert not sessions_folder().exists()


def test_a_list_of_them(night):
    write_events(night, [*example_events(0.1), EndEvent(at=(3 * 3600 + 25 * 60) * CLOCK_HZ)])
    make_session(sessions_folder() / "torn", seconds=0.1, state="open")
    (sessions_folder() / "broken").mkdir()
    (sessions_folder() / "broken" / "session.json").write_text("{")
    ran = here("sessions")
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0
    assert lines[0].split() == ["name", "date", "length", "size", "presets", "state"]
    assert lines[1].split() == ["torn", "2026-11-28", "21:30", "0:00", "0", "MB", "clouds", "cut", "off"]
    assert lines[2].split() == ["Friday", "night", "2026-11-28", "21:30", "3:25:00", "0", "MB", "clouds", "ok"]
    assert lines[3].split() == ["broken", "?", "?", "?", "?", "cannot", "be", "read"]
    assert lines[4] == f"3 sessions, 0 MB, in {sessions_folder()}"
    assert ran.stderr.count("\n") == 1 and "session.json is damaged" in ran.stderr
    assert here("sessions", "list").stdout == ran.stdout
    answer = json.loads(here("sessions", "list", "--json").stdout)
    assert [(one["name"], one.get("state")) for one in answer["sessions"]] == [
        ("torn", "cut off"),
        ("Friday night", "ok"),
        ("broken", None),
    ]
    assert answer["sessions"][1]["seconds"] == 12_300 and answer["sessions"][1]["presets"] == ["clouds"]


def test_check_and_repair(night):
    ran = here("sessions", "check", "Friday night")
    assert (ran.returncode, ran.stderr) == (0, "") and ran.stdout.startswith("Friday night: ok; 0:00, ")
    assert here("sessions", "repair", "Friday night").stdout == "Friday night: there is nothing to repair\n"
    torn = make_session(sessions_folder() / "torn", seconds=0.1, state="open")
    ran = here("sessions", "check", "Friday night", torn.root)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "torn: cut off; " in ran.stdout and "  events.jsonl: its last line was cut off" in ran.stdout
    assert " s of sound, 1 event\n" in ran.stdout and "`visualizer sessions repair` closes it" in ran.stdout
    answer = json.loads(here("sessions", "check", "torn", "--json").stdout)["sessions"][0]
    assert answer["n_lost_events"] == 1 and answer["lost_sound_s"] > 0 and len(answer["losses"]) == 3
    ran = here("sessions", "repair", "torn")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("torn: ok; ") and "  what was taken out is in " in ran.stdout
    assert here("sessions", "check", "torn").returncode == 0


def test_rename_pack_delete_and_unpack(night, tmp_path):
    ran = here("sessions", "rename", "Friday night", "it's 🌙")
    assert ran.stdout == f"renamed: {sessions_folder() / chr(105)}t's 🌙\n" and ran.returncode == 0
    ran = here("sessions", "pack", "it's 🌙", tmp_path / "a b.zip")
    assert ran.stdout.startswith(f"packed: {tmp_path / 'a b.zip'}, ") and ran.returncode == 0
    ran = here("sessions", "delete", "it's 🌙", "--yes")
    assert (ran.stdout, ran.returncode) == ("deleted 1 session (it's 🌙)\n", 0)
    assert not any(sessions_folder().iterdir())
    ran = here("sessions", "unpack", tmp_path / "a b.zip", "--name", "back")
    assert (ran.stdout, ran.returncode) == (f"unpacked: {sessions_folder() / 'back'}\n", 0)
    assert here("sessions", "check", "back").returncode == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["check", "Fridy night"], ["unknown session", "did you mean 'Friday night'"]),
        (["repair", ""], ["unknown session ''"]),
        (["check"], ["SESSION"]),
        (["rename", "Friday night", "../x"], ["'../x'", "'/'", "not allowed"]),
        (["delete", "Friday night"], ["1 session (Friday night) would be deleted; add --yes"]),
        (["delete", "--yes", "Friday night", "other"], ["unknown session 'other'"]),
        (["pack", "Friday night", "x.tar"], ["x.tar", ".zip"]),
        (["pack", "Friday night", "none/x.zip"], ["there is no folder"]),
        (["unpack", "none.zip"], ["none.zip: no such file"]),
    ],
)
def test_wrong_use_is_one_line_and_changes_nothing(night, words, expected, tmp_path):
    before = sorted(night.root.rglob("*"))
    refused(here("sessions", *words, cwd=tmp_path), *expected)
    assert sorted(night.root.rglob("*")) == before and not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["check", "repair", "pack"])
def test_bad_sessions_are_one_line(night, command, tmp_path):
    arguments = [tmp_path / "x.zip"] if command == "pack" else []
    night.info.write_text('{"format": 99, "program": "9.0"}')
    refused(here("sessions", command, "Friday night", *arguments), "newer version of the program, 9.0")
    shutil.rmtree(night.root)
    folder = make_session(night.root, seconds=0.1)
    (folder.dreams / "x").symlink_to("/etc/hostname")
    refused(here("sessions", command, "Friday night", *arguments), "is a link")
    assert not (tmp_path / "x.zip").exists()


def test_on_a_terminal_delete_asks(night, terminal):
    for key, status in ((b"n\n", 1), (b"y\n", 0)):
        opened = terminal("sessions", "delete", "Friday night")
        wait_until(lambda opened=opened: "[y/N]" in opened.raw)
        assert "Delete 1 session (Friday night)?" in opened.raw
        opened.type(key)
        assert opened.ended() == status
        assert night.root.exists() == (status == 1)


@pytest.mark.parametrize(
    ("command", "bar", "line"),
    [("check", "checking", "interrupted"), ("repair", "repairing", "interrupted: repair Friday night again")],
)
def test_on_a_terminal_long_ones_say_how_far_they_are_and_end_with_ctrl_c(night, terminal, command, bar, line):
    night.events.write_bytes(night.events.read_bytes() * (60_000_000 // night.events.stat().st_size))
    opened = terminal("sessions", command, "Friday night")
    wait_until(lambda: opened.last(bar), "there is no bar")
    opened.type(b"\x03")
    assert opened.ended() == 1
    assert opened.last("visualizer: ") == f"visualizer: {line}" and "Traceback" not in opened.raw
    assert sorted(path.name for path in night.root.iterdir()) == [
        *("dreams", "events.jsonl", "presets", "session.json", "sound-0001.flac", "sound-0002.flac"),
    ]


def test_session_json_that_is_missing_is_rebuilt_by_a_repair(night):
    night.info.unlink()
    ran = here("sessions", "check", "Friday night")
    assert ran.returncode == 2 and "session.json: is missing; `visualizer sessions repair` rebuilds it" in ran.stderr
    ran = here("sessions", "repair", "Friday night")
    assert (
        ran.returncode == 0 and "  session.json was missing or damaged: it was rebuilt from the events\n" in ran.stdout
    )
    assert here("sessions", "check", "Friday night").returncode == 0
