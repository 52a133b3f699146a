"""A video that cannot be finished leaves nothing behind, and says why."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from fractions import Fraction

import numpy as np
import pytest

from tests.files.disks import file_size_limit, full_disk, locked_folder
from visualizer.errors import BadInput, VisualizerError
from visualizer.outputs import encoder
from visualizer.outputs.video_file import VideoFile

SIZE = (128, 96)


def noise(index):
    return np.random.default_rng(index).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def write(path, n_pictures=20, **options):
    with VideoFile(path, SIZE, Fraction(30), **{"sound_rate_hz": 48000, **options}) as writer:
        for index in range(n_pictures):
            writer.write_sound(np.full((1600, 2), 0.1, np.float32))
            writer.write_picture(noise(index))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "out.avi"}, r"\.mp4, \.mov or \.mkv"),
        ({"path": "out"}, r"\.mp4, \.mov or \.mkv"),
        ({"path": ""}, r"\.mp4, \.mov or \.mkv"),
        ({"path": "nowhere/out.mp4"}, "no folder"),
        ({"path": "folder.mp4"}, "is a folder"),
        ({"path": "pipe.mp4"}, "ordinary file"),
        ({"path": "nul\0l.mp4"}, "file name"),
        ({"path": "x" * 300 + ".mp4"}, "file name"),
        ({"path": "file.txt/out.mp4"}, "no folder|file name"),
        ({"path": "there.mp4", "overwrite": False}, "already exists"),
        ({"size": (1279, 720)}, "even.*1280x720"),
        ({"size": (1280, 721)}, "even.*1280x722"),
        ({"size": (0, 0)}, "16 .. 8192"),
        ({"size": (-2, 720)}, "16 .. 8192"),
        ({"size": (100_000, 720)}, "16 .. 8192"),
        ({"fps": 0}, "1 .. 240"),
        ({"fps": Fraction(241)}, "1 .. 240"),
        ({"fps": Fraction(-30)}, "1 .. 240"),
        ({"fps": Fraction(29.97)}, "30000/1001"),
        ({"crf": -1}, "0 .*51"),
        ({"crf": 52}, "0 .*51"),
        ({"sound_rate_hz": 0}, "1000"),
        ({"sound_rate_hz": 10**9}, "768000"),
    ],
)
def test_bad_input_is_told_before_any_work(tmp_path, change, said):
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "file.txt").write_text("text")
    (tmp_path / "there.mp4").write_text("old")
    before = sorted(tmp_path.iterdir())
    asked = {"path": "out.mp4", "size": SIZE, "fps": Fraction(30), "sound_rate_hz": 48000, **change}
    path = tmp_path / asked.pop("path")
    with pytest.raises(BadInput, match=said) as caught:
        VideoFile(path, asked.pop("size"), asked.pop("fps"), **asked)
    assert "\n" not in str(caught.value) and "\0" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_folder_that_may_not_be_written_to():
    with locked_folder() as folder, pytest.raises(BadInput, match="cannot be written to"):
        write(folder / "out.mp4")


@pytest.mark.parametrize("error", [RuntimeError("dream"), KeyboardInterrupt(), SystemExit(1), VisualizerError("lost")])
@pytest.mark.parametrize("n_before", [0, 1, 40])
def test_an_abort_leaves_what_was_there(tmp_path, error, n_before):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"the good old video")
    with pytest.raises(type(error)), VideoFile(path, SIZE, 30, sound_rate_hz=None) as writer:
        for index in range(n_before):
            writer.write_picture(noise(index))
        raise error
    assert path.read_bytes() == b"the good old video"
    assert list(tmp_path.iterdir()) == [path]


def test_success_replaces_what_was_there_and_follows_a_link(tmp_path):
    real, link = tmp_path / "real.mp4", tmp_path / "link.mp4"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write(link)
    assert link.is_symlink() and real.stat().st_size > 1000
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_permissions_are_those_of_an_ordinary_new_file(tmp_path):
    write(tmp_path / "out.mp4", 2)
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.mp4").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_no_picture_is_no_video(tmp_path):
    with pytest.raises(VisualizerError, match="no picture"):
        write(tmp_path / "out.mp4", 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_full_disk_while_writing(tmp_path, suffix):
    with full_disk(tmp_path, 200_000) as folder:
        path = folder / f"out{suffix}"
        path.write_bytes(b"the good old video")
        with pytest.raises(VisualizerError, match="could not be written: (No space left|File too large)") as caught:
            write(path, 400)
        assert "\n" not in str(caught.value) and caught.value.status == 1
        assert path.read_bytes() == b"the good old video"
        assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("missing", [1, 200, 3000, 20_000, 40_000])
@pytest.mark.slow
def test_full_disk_at_the_very_end(tmp_path, suffix, missing):
    """The last bytes, the index and its move to the front are written when all pictures are done."""
    write(tmp_path / f"whole{suffix}")
    n_bytes = (tmp_path / f"whole{suffix}").stat().st_size
    with (
        pytest.raises(VisualizerError, match="File too large"),
        file_size_limit(n_bytes - missing),
    ):
        write(tmp_path / f"out{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"whole{suffix}"]


def test_just_enough_disk(tmp_path):
    write(tmp_path / "whole.mp4")
    with file_size_limit((tmp_path / "whole.mp4").stat().st_size):
        write(tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_an_encoder_that_dies_is_told_to_the_writer(tmp_path, monkeypatch):
    def die(self, frame):
        raise RuntimeError("codec fell over\nin two lines")

    monkeypatch.setattr(encoder.Encoder, "push", die)
    with pytest.raises(VisualizerError, match="codec fell over") as caught:
        write(tmp_path / "out.mp4", 100)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_folder_vanishes_meanwhile(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    with (
        pytest.raises(VisualizerError, match="could not be written"),
        VideoFile(folder / "out.mp4", SIZE, 30, sound_rate_hz=None) as writer,
    ):
        writer.write_picture(noise(0))
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    assert not list(tmp_path.iterdir())


def test_the_folder_vanishes_before_the_start(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    writer = VideoFile(folder / "out.mp4", SIZE, 30, sound_rate_hz=None)
    folder.rmdir()
    with pytest.raises(VisualizerError, match="could not be written: No such file"), writer:
        pass


def test_an_encoder_that_cannot_start_leaves_no_file(tmp_path, monkeypatch):
    import av

    def refuse(*arguments, **options):
        raise ValueError("no such codec")

    monkeypatch.setattr(av, "open", refuse)
    with (
        pytest.raises(ValueError, match="no such codec"),
        VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None),
    ):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b 'c' %d ünï 夢.mp4", "http:x.mp4", "-out.mp4", "x" * 200 + ".mp4"])
def test_odd_names(tmp_path, name):
    folder = tmp_path / "file:%d 夢"
    folder.mkdir()
    write(folder / name, 2)
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are not text")
def test_a_name_that_is_not_text(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9") / os.fsdecode(b"\xff.mp4")
    path.parent.mkdir()
    write(path, 2)
    assert path.stat().st_size > 1000


ENDLESS = """
    import itertools, sys
    import numpy as np
    from visualizer.outputs.video_file import VideoFile

    picture = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    with VideoFile(sys.argv[1], (640, 360), 30, sound_rate_hz=None) as writer:
        for index in itertools.count():
            writer.write_picture(picture)
            if index == 20:
                print("going", flush=True)
"""


def interrupting(owner, name, monkeypatch):
    """Ctrl-C at the first call of that method."""
    really = getattr(owner, name)

    def once(*given):
        monkeypatch.setattr(owner, name, really)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, once)


def test_ctrl_c_while_it_is_opened_leaves_nothing(tmp_path, monkeypatch):
    interrupting(threading.Thread, "start", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["_finish", "_wait_for_thread", "_enqueue"])
def test_ctrl_c_anywhere_leaves_nothing(tmp_path, monkeypatch, where):
    interrupting(VideoFile, where, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_second_ctrl_c_leaves_nothing_either(tmp_path, monkeypatch):
    interrupting(VideoFile, "_finish", monkeypatch)
    with pytest.raises(KeyboardInterrupt), VideoFile(tmp_path / "out.mp4", SIZE, 30, sound_rate_hz=None) as writer:
        writer.write_picture(noise(0))
        interrupting(writer._abort, "set", monkeypatch)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("n_signals", [1, 2])
def test_ctrl_c_leaves_nothing(tmp_path, n_signals):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"the good old video")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENDLESS), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "going\n"
        assert len(list(tmp_path.iterdir())) == 2  # the temporary file is there
        for _ in range(n_signals):
            process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode != 0 and "KeyboardInterrupt" in said
    assert not re.search(r"(?i)segmentation|fatal", said)
    assert path.read_bytes() == b"the good old video"
    assert list(tmp_path.iterdir()) == [path]
