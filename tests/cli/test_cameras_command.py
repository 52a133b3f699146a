"""`visualizer cameras`, and the options that name a camera and a folder of pictures."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import here, refused
from visualizer.files.remembered import remember_camera
from visualizer.pictures.cameras import CameraDevice

TWO = [CameraDevice("v4l2", "/dev/video0", "HD Webcam"), CameraDevice("v4l2", "/dev/video2", "Built-in")]


@pytest.fixture
def cameras(monkeypatch):
    """Puts these cameras in the place of the real ones."""

    def put(*found):
        monkeypatch.setattr("visualizer.pictures.cameras.list_cameras", lambda: list(found))

    return put


def test_it_lists_the_cameras_and_the_one_named_last(cameras):
    cameras(*TWO)
    remember_camera("webcam")
    lines = here("cameras").stdout.splitlines()
    assert lines[1].split() == ["0", "HD", "Webcam", "v4l2:/dev/video0"]
    assert lines[-1] == "named last: webcam; `--camera default` forgets it"


def test_as_json(cameras):
    cameras(*TWO)
    found = json.loads(here("cameras", "--json").stdout)
    assert found[1] == {"index": 1, "name": "Built-in", "camera": "v4l2:/dev/video2"}


def test_without_a_camera_it_says_so(cameras):
    cameras()
    assert here("cameras").stdout == "no cameras were found; is one plugged in, and may this user read it?\n"
    assert json.loads(here("cameras", "--json").stdout) == []


def test_those_of_this_machine_are_listed():
    assert here("cameras").returncode == 0


@pytest.mark.parametrize("command", [["live", "--no-supervise"], ["play", "song.wav"]])
def test_names_that_mean_nothing_are_refused(command, tmp_path, kick_song, pulse):
    command = [str(kick_song) if one == "song.wav" else one for one in command]
    (tmp_path / "file.jpg").write_text("")
    refused(here(*command, "--pictures", tmp_path / "file.jpg"), "file.jpg: is a file; name the folder")
    refused(here(*command, "--camera", ""), "--camera '' names no camera")
