"""The commands as a user types them: output, errors, exit status, interruptions."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.cli.running import here, refused, visualizer
from visualizer.presets.preset import load_preset
from visualizer.settings import SHOW_PRESET

COMMANDS = ["demo", "play", "live", "export", "bake", "devices", "presets", "analyze", "latency"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_tells_how_each_command_is_used(command):
    run = here(command, "--help")
    assert run.returncode == 0 and "Usage: visualizer" in run.stdout and run.stderr == ""


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from visualizer.cli.run import run\n"
        "for words in (['--help'], ['play', '--help'], ['export', '--help']): assert run(words) == 0\n"
        "print(sorted({'torch', 'numpy', 'moderngl', 'pyaudio', 'av', 'PIL'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_version():
    run = visualizer("--version")
    assert (run.returncode, run.stdout) == (0, "visualizer 0.1.0\n")


def test_no_command_shows_the_help():
    run = here()
    assert run.returncode == 2 and "Commands:" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ply", "x.mp3"], ["ply", "play"]),
        (["play"], ["FILE", "visualizer play --help"]),
        (["play", "nothing-here.mp3"], ["nothing-here.mp3"]),
        (["export", "nothing-here.mp3"], ["--out"]),
        (["export", "nothing-here.mp3", "-o", "x.mp4"], ["nothing-here.mp3"]),
        (["analyze", "."], ["."]),
        (["analyze", "x.wav", "--no-such-option"], ["--no-such-option"]),
        (["bake", "--preset", "cluods"], ["cluods", "'clouds'"]),
        (["bake", "--size", "big"], ["--size 'big'", "1280x720"]),
        (["bake", "--size", "1280x"], ["1280x720"]),
        (["bake", "--size", "8x8"], ["16x16"]),
        (["bake", "--size", "99999x99999"], ["16384"]),
        (["bake", "--seed", "-1"], ["--seed"]),
        (["bake", "--seed", "x"], ["--seed"]),
        (["bake", "--image", "nothing.jpg"], ["nothing.jpg"]),
        (["--log-level", "loud", "presets"], ["loud", "debug, info"]),
        (["presets", "--log-level"], ["--log-level"]),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, words, tmp_path):
    refused(here(*arguments, cwd=tmp_path), *words)


@pytest.mark.parametrize("fps", ["0", "fast", "1e4", "nan"])
def test_wrong_frame_rates(fps, kick_song, tmp_path):
    refused(here("export", kick_song, "-o", tmp_path / "x.mp4", "--fps", fps), "--fps", "1 .. 240")


@pytest.mark.parametrize(
    ("out", "word"), [("x.avi", ".mp4"), ("nowhere/x.mp4", "nowhere"), (".", "folder"), ("x", ".mp4")]
)
def test_wrong_output_files(out, word, kick_song, tmp_path, tiny_preset):
    (tmp_path / "folder").mkdir()
    run = here("export", kick_song, "-o", out, "-p", tiny_preset, "--size", "160x96", cwd=tmp_path)
    assert word in refused(run) or out == "."
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_fault_in_a_preset_names_file_line_and_key(tmp_path, kick_song):
    (tmp_path / "preset.yaml").write_text("title: Mine\ndream:\n  layer: block10.expand\n  step_sise: 0.01\n")
    Image.new("RGB", (64, 64)).save(tmp_path / "image.jpg")
    refused(here("bake", "-p", tmp_path), "preset.yaml:4", "step_sise", "step_size")


@pytest.mark.parametrize("content", [b"", b"not sound at all", b"\x00" * 10000, b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_files_that_are_no_sound(content, tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    for command in (["analyze", path], ["play", path], ["export", path, "-o", tmp_path / "x.mp4"]):
        refused(here(*command), "song.mp3")
    assert [path.name for path in tmp_path.iterdir()] == ["song.mp3"]


def test_a_file_that_is_no_picture(tmp_path):
    path = tmp_path / "image.jpg"
    path.write_text("a thousand words")
    refused(here("bake", "--image", path), "image.jpg")


def test_debug_gives_the_traceback(tmp_path):
    run = visualizer("analyze", "nothing.mp3", "--debug", cwd=tmp_path)
    assert run.returncode == 1 and "Traceback" in run.stderr


def test_analyze_prints_one_json_object(kick_song):
    run = here("analyze", kick_song, "--json")
    told = json.loads(run.stdout)
    assert run.returncode == 0 and run.stderr == ""
    assert len(told["onsets_s"]) == 10 and told["n_depths"] == 20 and len(told["depth"]) == 360


def test_analyze_plots_and_sums_up(kick_song, tmp_path):
    run = here("analyze", kick_song, "--plot", tmp_path / "plot.png")
    assert run.returncode == 0 and "10 kicks" in run.stdout
    assert Image.open(tmp_path / "plot.png").size[0] > 1000


def test_a_reader_that_leaves_early_is_no_error(kick_song):
    process = subprocess.Popen(
        [sys.executable, "-m", "visualizer", "analyze", str(kick_song), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read() and process.wait(60) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full, which Linux has")
@pytest.mark.parametrize("command", ["presets", "analyze SONG --json", "--version"])
def test_output_onto_a_full_disk_is_one_line_and_status_1(command, kick_song):
    words = [str(kick_song) if word == "SONG" else word for word in command.split()]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "visualizer", *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert run.returncode == 1
    assert (
        run.stderr == "visualizer: the output cannot be written: No space left on device; write it to another place\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a POSIX shell does")
def test_closed_output_is_no_internal_error(kick_song):
    for closed in ("1>&-", "2>&-", "1>&- 2>&-"):
        run = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "visualizer", "presets"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0 and run.stderr == "" and ("clouds" in run.stdout) == ("1" not in closed)


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a POSIX shell does")
def test_a_child_process_of_a_program_without_streams_has_them():
    program = (
        "import subprocess, sys; from visualizer.cli import run; run._replace_closed_streams(); sys.stdin.isatty();"
        "sys.exit(subprocess.run([sys.executable, '-c', 'import os; [os.fstat(number) for number in range(3)]']).returncode)"
    )
    ran = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", program], timeout=120)
    assert ran.returncode == 0


def test_presets_lists_the_four_shipped_looks():
    run = here("presets")
    assert run.returncode == 0
    assert all(f"block{n}.expand" in run.stdout for n in (6, 8, 10, 12)) and "clouds" in run.stdout


def test_a_broken_preset_of_the_users_is_told_and_the_others_listed(home):
    folder = home / "config" / "presets" / "mine"
    folder.mkdir(parents=True)
    (folder / "preset.yaml").write_text("titel: Mine\n")
    run = here("presets")
    assert run.returncode == 0 and "clouds" in run.stdout and "titel" in run.stderr


def test_devices_lists_the_sound_servers_own(pulse):
    run = visualizer("devices")
    assert run.returncode == 0 and run.stderr == ""
    assert "pulse" in run.stdout and "input" in run.stdout and "Hz" in run.stdout


def test_devices_says_so_when_there_are_none(pulse, tmp_path):
    run = visualizer("devices", PULSE_SERVER=f"unix:{tmp_path}/none")
    assert run.returncode == 0 and "no sound devices" in run.stdout and run.stderr == ""


def test_live_without_an_input_asks_only_for_a_display(pulse, tmp_path, tiny_preset):
    """The show goes on without sound; see tests/show/test_live.py."""
    none = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "PULSE_SERVER": f"unix:{tmp_path}/none"}
    refused(visualizer("live", "-p", tiny_preset, **none), "display", status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--channels", "0"], "--channels '0'"),
        (["--channels", "3", "--device", "visualizer_sink"], "no channel 3; it has channels 1 .. 2"),
        (["--gain", "nan"], "--gain nan"),
        (["--gain", "-61"], "-60 .. 60"),
    ],
)
def test_live_with_channels_or_a_gain_that_cannot_be(pulse, tiny_preset, words, said):
    refused(visualizer("live", "-p", tiny_preset, *words), said)


def test_live_with_an_unknown_input_names_what_there_is(pulse, tiny_preset):
    refused(visualizer("live", "-p", tiny_preset, "--device", "theremin"), "theremin", "pulse")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output-device", "theremin"], "no output matches 'theremin'; there are: 0 'pulse'"),
        (["--delay-ms", "1001"], "--delay-ms 1001 is out of range; allowed: -500 .. 1000 ms"),
        (["--delay-ms", "nan"], "-500 .. 1000 ms"),
    ],
)
def test_play_with_an_output_or_a_delay_that_cannot_be(pulse, kick_song, tiny_preset, words, said):
    refused(here("play", kick_song, "-p", tiny_preset, *words), said)


def test_no_display_is_one_line(kick_song, pulse, tiny_preset):
    run = visualizer("play", kick_song, "-p", tiny_preset, DISPLAY="", WAYLAND_DISPLAY="")
    refused(run, "display", status=1)


def test_bake_tells_time_and_place_and_the_second_time_finds_them(tiny_preset, home):
    words = ("bake", "-p", tiny_preset, "--size", "96x64")
    first, second = here(*words), here(*words)
    assert first.returncode == second.returncode == 0
    assert "4 depths baked in" in first.stdout and "already baked" in second.stdout
    assert str(home / "cache") in first.stdout
    assert len(list((home / "cache").rglob("*.frame"))) == 5


def test_a_bake_that_cannot_be_kept_fails_in_one_line(tiny_preset, tmp_path):
    (tmp_path / "file").write_text("")
    run = here("bake", "-p", tiny_preset, "--size", "96x64", VISUALIZER_CACHE_DIR=str(tmp_path / "file" / "cache"))
    refused(run, "not kept", str(tmp_path), "VISUALIZER_CACHE_DIR", status=1)


def test_a_bake_names_what_no_show_could_begin_with(tiny_preset, tmp_path):
    folder = tmp_path / "typo"
    shutil.copytree(tiny_preset, folder)
    with (folder / "preset.yaml").open("a") as file:
        file.write("render: {looks: [kaleidoscop], transition: relief}\n")
    run = here("bake", "-p", folder, "--size", "96x64")
    assert run.returncode == 0 and "4 depths baked in" in run.stdout
    assert "unknown look 'kaleidoscop' (did you mean 'kaleidoscope'?)" in run.stderr
    assert "relief is no transition" in run.stderr


@pytest.mark.slow
def test_the_demo_without_a_display_exports_and_says_so(tiny_preset, tmp_path):
    run = visualizer("demo", "-p", tiny_preset, "--size", "64x48", cwd=tmp_path, DISPLAY="", WAYLAND_DISPLAY="")
    assert run.returncode == 0
    assert "no display" in run.stderr and "demo.mp4" in run.stderr
    with av.open(str(tmp_path / "demo.mp4")) as video:
        assert 30 < video.duration / 1e6 < 41
    assert [path.name for path in tmp_path.iterdir()] == ["demo.mp4"]


def test_what_is_shown_where_no_preset_is_given_is_a_journey():
    assert load_preset(SHOW_PRESET).preset.journey is not None


def test_your_own_picture_is_what_is_shown(tmp_path, kick_song, tiny_preset):
    """A sideways phone photo with a red top: upright in the video, whatever it is stored like."""
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:20] = (220, 30, 30)
    rotated = Image.fromarray(np.rot90(picture).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise when shown
    rotated.save(tmp_path / "phone.jpg", exif=exif, quality=95)
    out = tmp_path / "x.mp4"
    run = here(
        "export", kick_song, "-o", out, "-p", tiny_preset, "--image", tmp_path / "phone.jpg", "--size", "160x120"
    )
    assert run.returncode == 0, run.stderr
    with av.open(str(out)) as video:
        first = next(video.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    top, bottom = first[:30].mean(axis=(0, 1)), first[60:].mean(axis=(0, 1))
    assert top[0] > 120 > top[1] + 40 and bottom.max() < 90


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_an_interrupted_export_leaves_no_half_file_and_says_so(number, tmp_path, tiny_preset, long_song):
    folder = tmp_path / "out"
    folder.mkdir()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "visualizer",
            "export",
            str(long_song),
            "-o",
            str(folder / "x.mp4"),
            "-p",
            str(tiny_preset),
            "--size",
            "320x192",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not list(folder.iterdir()) and time.monotonic() < end:
        time.sleep(0.01)  # a poll, bounded by the deadline
    assert list(folder.iterdir()), "the export never began to write"
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "x.mp4 was not written" in err and "Traceback" not in err
    assert list(folder.iterdir()) == []


INTERRUPTS = """
import sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "visualizer.cli.commands":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
"""


def test_ctrl_c_while_it_is_still_loading_is_one_line(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS)  # Python runs this before the program
    refused(visualizer("presets", PYTHONPATH=str(tmp_path)), "interrupted", status=1)


def test_the_log_tells_what_the_screen_does_not(home, tmp_path):
    visualizer("analyze", "nothing.mp3", cwd=tmp_path)
    log = (home / "log" / "visualizer.log").read_text()
    assert "command: analyze nothing.mp3" in log and "Traceback" in log and "BadInput" in log


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    run = here("presets", VISUALIZER_LOG_DIR=str(tmp_path / "file" / "log"))
    assert run.returncode == 0 and run.stderr == ""


def test_any_preset_is_baked_and_exported_as_a_journey(tiny_preset, tmp_path, kick_song):
    options = ("-p", tiny_preset, "--size", "64x48", "--journey")
    ran = here("bake", *options, 5)
    assert ran.returncode == 0 and ran.stdout.startswith("20 depths of 5 stations baked in ")
    assert here("bake", *options, 5).stdout.startswith("20 depths of 5 stations already baked")
    out = tmp_path / "journey.mp4"
    assert here("export", kick_song, "-o", out, "--to", "1", "--fps", "10", *options, 0).returncode == 0
    assert out.stat().st_size > 1000
    ran = here("bake", *options, 3)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "--journey 3: must be 0, or at least 5" in ran.stderr
