"""Songs as they are named on the command line: several streams, addresses, files without a command."""

import json

import pytest

from tests.audio.sounds import write_streams
from visualizer.cli.options import with_command
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["play"],
        ["export", "-o", "out.mp4"],
        ["analyze"],
        ["play", "song.wav", "--image"],
        ["bake", "--weights"],
        ["layers", "-o", "sheet.png"],
        ["export", "song.wav", "-o"],
        [],
    ],
)
def test_an_address_is_refused_with_its_slashes(arguments, capfd):
    address = "https://example.com/music/song.wav?a=1"
    refused([*arguments, address], capfd, f"{address}: is an address", "download it")


def test_an_empty_name_is_refused_and_is_not_the_current_folder(capfd):
    for arguments in (
        ["play", ""],
        ["analyze", ""],
        ["play", "song.wav", "--image", ""],
        ["export", "a.wav", "-o", ""],
    ):
        refused(arguments, capfd, "the file name is empty")


def test_file_addresses_are_files(tmp_path, capfd, kick_song):
    song = tmp_path / "a song.wav"
    song.write_bytes(kick_song.read_bytes())
    assert run(["analyze", song.as_uri()]) == 0
    assert "a song.wav: 6.0 s" in capfd.readouterr().out
    refused(["analyze", (tmp_path / "none.wav").as_uri()], capfd, f"{tmp_path}/none.wav: there is no such file")
    refused(["analyze", "file://elsewhere/a.wav"], capfd, "file://elsewhere/a.wav: is an address")


COMMANDS = {"play", "live", "presets"}


@pytest.mark.parametrize(
    ("typed", "plays"),
    [
        (["song.wav"], True),
        (["song.wav", "--fullscreen"], True),
        (["--fullscreen", "song.wav"], True),
        (["--", "song.wav"], True),
        (["folder"], True),
        (["live"], False),  # a folder of that name is there too: the command goes first
        (["ply", "song.wav"], False),
        (["ply"], False),
        (["--help"], False),
        (["--version", "song.wav"], False),
        ([], False),
        (["x" * 5000], False),
        (["nul\0"], False),
    ],
)
def test_a_file_without_a_command_is_played(typed, plays, tmp_path, monkeypatch):
    (tmp_path / "song.wav").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "live").mkdir()
    monkeypatch.chdir(tmp_path)
    assert with_command(typed, COMMANDS) == (["play", *typed] if plays else typed)


def test_what_is_neither_file_nor_command(tmp_path, capfd):
    refused(["sonng.wav"], capfd, "sonng.wav", "no such file", "visualizer --help")
    refused(["ply", "x.wav"], capfd, "'ply'", "play")
    path = tmp_path / "text.wav"
    path.write_text("no sound")
    refused([path], capfd, "text.wav: not sound")


def test_several_songs_are_for_play_only(tmp_path, capfd, kick_song):
    refused(
        ["export", kick_song, kick_song, "-o", "x.mp4"], capfd, "`visualizer export` takes one song, but 2 were given"
    )
    refused(["analyze", kick_song, kick_song], capfd, "`visualizer analyze` takes one song")
    refused(["export", tmp_path, "-o", "x.mp4"], capfd, "is a folder; give a sound file")


def test_lists_that_cannot_be_played(tmp_path, capfd):
    refused(["play", tmp_path], capfd, "there are no songs in this folder")
    (tmp_path / "a.mp3").write_text("no sound")
    assert run(["play", str(tmp_path), str(tmp_path / "gone.mp3")]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert [line.endswith("; skipped") for line in lines] == [True, True, False]
    assert lines[-1] == "visualizer: none of the 2 songs can be played; the lines above say why"
    refused(["play", tmp_path], capfd, "a.mp3: not sound")


def test_a_shuffled_show_that_is_started_again_has_the_same_order(monkeypatch, tmp_path):
    monkeypatch.setattr("visualizer.supervision.supervise.supervise", lambda given, say: started.append(given) or 0)
    started = []
    assert run(["play", "--supervise", "--shuffle", "--", str(tmp_path)]) == 0
    words = started[0]
    assert words[:3] == ["play", "--supervise", "--shuffle"] and words[3] == "--shuffle-seed" and words[4].isdigit()
    assert words[5:] == ["--", str(tmp_path)]


@pytest.mark.parametrize(
    ("options", "gain_mode"),
    [([], "album"), (["--shuffle"], "track"), (["--shuffle-seed", "3"], "track"), (["--no-replaygain"], None)],
)
def test_albums_keep_the_differences_between_their_songs(options, gain_mode, monkeypatch, tmp_path, tiny_preset):
    played = []
    monkeypatch.setattr("visualizer.show.play.play", lambda *arguments, **named: played.append((arguments, named)))
    for name in ("1.mp3", "2.mp3"):
        (tmp_path / name).touch()
    loaded = ["--preset", str(tiny_preset), "--size", "64x36"]
    assert run(["play", str(tmp_path), *options, *loaded]) == 0
    assert run(["play", str(tmp_path / "1.mp3"), *options, *loaded]) == 0
    (several, of_several), (single, of_single) = played
    assert len(several[0]) == 2 and of_several["gain_mode"] == gain_mode
    assert len(single[0]) == 1 and of_single["gain_mode"] == ("track" if gain_mode else None)


def test_a_name_with_line_breaks_and_terminal_codes_stays_one_harmless_line(tmp_path, capfd, kick_song):
    name = "a\nb\x1b[31m.wav"
    shown = r"a\nb\x1b[31m.wav"
    refused(["analyze", tmp_path / name], capfd, f"{shown}: there is no such file")
    (tmp_path / name).write_bytes(kick_song.read_bytes())
    assert run(["analyze", str(tmp_path / name)]) == 0
    out, err = capfd.readouterr()
    assert out.startswith(f"{shown}: 6.0 s") and out.count("\n") == 1 and err == ""
    refused(["export", tmp_path / "none\n.wav", "-o", tmp_path / "out.mp4"], capfd, r"none\n.wav")
