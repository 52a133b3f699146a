"""`visualizer export` as a user types it: sizes, parts, tags, progress for programs, and what is refused."""

from __future__ import annotations

import json

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.audio.sounds import FORMATS, chirp, write
from tests.cli.running import here, refused, visualizer
from tests.files.disks import full_disk
from tests.session.making import make_session
from visualizer.audio.metadata import read_metadata
from visualizer.cli.export_command import parse_time
from visualizer.errors import BadInput


def options(tiny_preset, *more):
    return ("-p", tiny_preset, "--size", "64x48", "--fps", "10", *more)


def frames(path):
    with av.open(str(path)) as video:
        return sum(1 for _ in video.decode(video=0))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("83.5", 83.5),
        ("1:23.5", 83.5),
        ("1:02:03", 3723),
        (" 0:05 ", 5),
        ("90", 90),
        (".5", 0.5),
        ("90:00", 5400),
    ],
)
def test_times(text, seconds):
    assert parse_time(text, "--from") == seconds


@pytest.mark.parametrize(
    "text", ["", "-1", "1:60", "1:2:3:4", "nan", "inf", "1e3", "1:", ":5", "1:-5", "5s", "٣", "1.5:00"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadInput, match="--to .* is not a time"):
        parse_time(text, "--to")


@given(st.text(max_size=10))
def test_any_text_is_a_time_or_refused_with_one_line(text):
    try:
        assert 0 <= parse_time(text, "--from") < 1e10
    except BadInput as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--size", "round"], ["--size 'round'", "vertical"]),
        (["--size", "161x97"], ["161x97", "even", "160x96"]),
        (["--size", "20000x10"], ["--size", "16x16 .. 16384x16384"]),
        (["--size", "16384x16384"], ["16384x16384", "16 .. 8192"]),
        (["--dream-size", "0x0"], ["--dream-size", "16x16"]),
        (["--supersample", "0"], ["--supersample"]),
        (["--supersample", "9"], ["--supersample"]),
        (["--from", "soon"], ["--from 'soon'", "1:23.5"]),
        (["--from", "3", "--to", "2"], ["--to 2 s", "--from 3 s"]),
        (["--from", "0:02", "--to", "2"], ["--to 2 s", "after"]),
        (["--from", "1:00"], ["--from 60 s", "after the end", "6.0 s"]),
        (["--from", "6"], ["after the end"]),
    ],
)
def test_what_makes_no_video_is_one_line_and_leaves_nothing(more, words, kick_song, tiny_preset, tmp_path):
    refused(here("export", kick_song, "-o", tmp_path / "x.mp4", *options(tiny_preset), *more), *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--preset", "marble"], ["--preset is for songs", "own presets"]),
        (["--seed", "0"], ["--seed is for songs"]),
        (["--stream", "2"], ["--stream is for songs"]),
        (["--dream-size", "4k"], ["--dream-size", "--as-intended"]),
    ],
)
def test_what_is_of_songs_is_refused_for_a_session(more, words, tmp_path):
    night = make_session(tmp_path / "night", seconds=0.1)
    refused(here("export", night.root, "-o", tmp_path / "x.mp4", *more), *words)
    assert [path.name for path in tmp_path.iterdir()] == ["night"]


@pytest.mark.parametrize(("more", "size"), [((), (64, 36)), (("--size", "1280x720"), (1280, 720))])
def test_a_session_has_the_size_of_its_dream_frames_unless_another_is_given(more, size, tmp_path):
    night = make_session(tmp_path / "night", seconds=0.1)
    info = json.loads(night.info.read_text())
    night.info.write_text(json.dumps(info | {"width": 64, "height": 36}))
    ran = here("export", night.root, "-o", tmp_path / "x.mp4", "--fps", "10", *more)
    assert ran.returncode == 0, ran.stderr
    with av.open(str(tmp_path / "x.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == size


def test_a_part_with_the_tags_of_the_song_and_lines_for_programs(tiny_preset, tmp_path):
    codec, container, rate_hz, _ = FORMATS["a.flac"]
    song = write(
        tmp_path / 'my "best" song\'s 🎵.flac',
        chirp(3 * rate_hz, rate_hz),
        codec=codec,
        container=container,
        rate_hz=rate_hz,
        tags={"title": "Night 🌃", "artist": "Me", "album": "Us", "date": "2026"},
        cover=Image.new("RGB", (32, 32), "red"),
    )
    out = tmp_path / "a 'video' \"🎬\".mp4"
    run = visualizer("export", song, "-o", out, *options(tiny_preset, "--from", "1", "--to", "0:02.5", "--json"))
    assert (run.returncode, run.stderr) == (0, "")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["stage"] for line in lines if line.get("done") == line.get("total")] == [
        "dreaming",
        "exporting",
        "done",
    ]
    assert lines[-1]["frames"] == 15 == frames(out) and lines[-1]["file"] == str(out)
    assert {"stage": "analyzing", "done": 0, "total": 10} in [
        {key: value for key, value in line.items() if key != "elapsed_s"} for line in lines
    ]
    found = read_metadata(out)
    assert found.tags == {"title": "Night 🌃", "artist": "Me", "album": "Us", "date": "2026"}
    assert found.cover == read_metadata(song).cover is not None

    titled = here("export", song, "-o", out, *options(tiny_preset, "--to", "0.5", "--title", "Other"))
    assert titled.returncode == 0 and titled.stdout == ""
    assert read_metadata(out).tags["title"] == "Other"
    assert here("export", song, "-o", out, *options(tiny_preset, "--to", "0.5", "--title", "")).returncode == 0
    assert "title" not in read_metadata(out).tags


def test_a_failure_has_nothing_on_stdout_but_json(kick_song, tiny_preset, tmp_path):
    with full_disk(tmp_path, 20_000) as folder:
        run = here("export", kick_song, "-o", folder / "x.mp4", *options(tiny_preset, "--json", "--crf", "0"))
        assert run.returncode == 1 and run.stderr.count("\n") == 1 and "could not be written" in run.stderr
        assert "done" not in [json.loads(line)["stage"] for line in run.stdout.splitlines()]
        assert list(folder.iterdir()) == []


def test_a_video_without_sound_is_no_song(tiny_preset, tmp_path):
    with av.open(str(tmp_path / "mute.mp4"), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            output.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        output.mux(stream.encode(None))
    refused(
        here("export", tmp_path / "mute.mp4", "-o", tmp_path / "x.mp4", *options(tiny_preset)),
        "mute.mp4: has no sound; give a file with sound",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mute.mp4"]


@pytest.mark.parametrize("kept", [0.02, 0.6])
@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.opus", "a.wav"])
def test_a_song_that_is_cut_short_is_exported_as_far_as_it_goes_or_refused(name, kept, tiny_preset, tmp_path):
    codec, container, rate_hz, bit_rate = FORMATS[name]
    song = write(
        tmp_path / name,
        chirp(3 * rate_hz, rate_hz),
        codec=codec,
        container=container,
        rate_hz=rate_hz,
        bit_rate=bit_rate,
    )
    song.write_bytes(song.read_bytes()[: round(song.stat().st_size * kept)])
    out = tmp_path / "x.mp4"
    run = here("export", song, "-o", out, *options(tiny_preset))
    if run.returncode == 0:
        assert abs(frames(out) - 30 * kept) <= 10, "Ogg has pages of a second"
    else:
        refused(run, name)
        assert kept < 0.1 and not out.exists()
