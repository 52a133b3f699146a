"""Songs as they are named on the command line: several streams, addresses, files without a command."""

import json

import pytest

from tests.audio.sounds import write_streams
from visualizer.cli.run import run


def refused(arguments, capfd, *words, status=2):
    """One line on stderr that holds all the words, nothing on stdout, and the status."""
    assert run([str(one) for one in arguments]) == status
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("visualizer: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err
    return err


def test_stream_is_an_option_of_play_export_and_analyze(tmp_path, capfd):
    film = write_streams(tmp_path / "film.mkv", [0.0, 0.5])
    for command in (["play"], ["export", "-o", tmp_path / "out.mp4"], ["analyze"]):
        refused([*command, film, "--stream", 3], capfd, "no sound stream 3", "eng", "deu")
    assert run(["analyze", str(film), "--stream", "1", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["duration_s"] == pytest.approx(2.0, abs=0.05)
    assert err.count("\n") == 1 and "choose it with --stream 2" in err
    assert run(["analyze", str(film), "--stream", "2"]) == 0
    assert capfd.readouterr().err == ""
