"""What is left of a session after a kill, a power cut, a full disk: all but the last half second."""

import os
import random
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.pulse import wait_until
from tests.session.recorded import OPEN, count_of, counted, decoded, events_of, info_of, sound_of
from visualizer.presets.dreams import DreamFrame
from visualizer.session import sound_writer as sound_room
from visualizer.session import syncer as syncer_room
from visualizer.session import writer as writer_room
from visualizer.session.dream_files import pixel_sha256
from visualizer.session.events import CLOCK_HZ, DreamEvent, EndEvent, GapEvent, SoundEvent, XrunEvent, encode
from visualizer.session.sound import SoundPart
from visualizer.session.writer import SessionWriter

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_LOST = CLOCK_HZ // 2


def check_recovered(folder, handed_over):
    """Fail if more is missing than the last half second before the tick `handed_over`, or if anything is wrong."""
    assert info_of(folder)["state"] == "open"
    events = events_of(folder)
    xruns = [one for one in events if isinstance(one, XrunEvent)]
    assert [one.n_xruns for one in xruns] == list(range(len(xruns)))
    assert handed_over - (xruns[-1].at + 480 if xruns else 0) <= MOST_LOST
    # sound of which no event is left yet is lost, too
    parts = [(anchors, samples) for anchors, samples in sound_of(folder) if anchors]
    n_before = 0
    for anchors, samples in parts:
        assert all(one.at == n_before + one.first for one in anchors if one.first <= len(samples))
        n_before += len(samples)
    n_samples = count_of(np.concatenate([samples.reshape(-1) for _, samples in parts])) if parts else 0
    assert handed_over - n_samples <= MOST_LOST
    for one in events:
        if isinstance(one, DreamEvent) and one.at < handed_over - MOST_LOST:
            with Image.open(folder / "dreams" / f"{one.sha256}.png") as picture:
                assert pixel_sha256(np.asarray(picture)) == one.sha256


def started(folder, *arguments):
    command = [sys.executable, "-m", "tests.session.recording_process", str(folder), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill_and_check(folder, after_s):
    process = started(folder)
    try:
        process.stdout.read(8)
        time.sleep(after_s)  # the moment of the kill is what is tested
    finally:
        process.kill()
        rest, errors = process.communicate()
    assert not errors, errors.decode()
    n_records = len(rest) // 8
    handed_over = struct.unpack_from("<q", rest, (n_records - 1) * 8)[0] if n_records else 480
    check_recovered(folder, handed_over)


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_at_most_half_a_second(tmp_path):
    """Of the writer alone, to the sample; tests/cli/test_recording.py kills the whole program."""
    moments = random.Random(16)
    for number in range(3):
        kill_and_check(tmp_path / str(number), moments.uniform(0.0, 1.6))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path):
    moments = random.Random(17)
    for _ in range(200):
        kill_and_check(tmp_path / "session", moments.uniform(0.0, 3.0))
        shutil.rmtree(tmp_path / "session")


def test_a_power_cut_at_any_moment_loses_at_most_half_a_second(tmp_path, monkeypatch):
    """What each file held at its last sync is what is left. The time is counted, so that a slow machine does not
    matter.
    """
    monkeypatch.setattr(writer_room, "POLL_S", 0.0005)
    monkeypatch.setattr(sound_room, "PART_S", 1.0)
    folder, on_disk = tmp_path / "s", {}
    sync = syncer_room.sync_file

    def note(descriptor):
        sync(descriptor)
        synced = os.fstat(descriptor)
        for path in [folder / "events.jsonl", *folder.glob("*.flac")]:
            if os.path.samestat(path.stat(), synced):
                on_disk[path.name] = path.read_bytes()

    monkeypatch.setattr(syncer_room, "sync_file", note)
    monkeypatch.setattr(syncer_room, "_POLL_S", 0.0005)
    now = [0.0]
    writer = SessionWriter.open(folder, **OPEN, keep_free_bytes=0, now=lambda: now[0])
    on_disk["session.json"] = (folder / "session.json").read_bytes()
    left = []
    for block in range(260):
        writer.sound(counted(block * 480, 480), block * 480, 48_000)
        writer.event(XrunEvent(at=block * 480, n_xruns=block))
        now[0] += 0.01
        wait_until(lambda: writer._waits.n_bytes == 0)
        wait_until(lambda: now[0] - writer._syncer.synced_s <= writer_room.SYNC_S + 0.01)
        left.append(((block + 1) * 480, dict(on_disk)))
    writer.close()
    for number, (handed_over, files) in enumerate(left):
        cut = tmp_path / str(number)
        cut.mkdir()
        for name, data in {"events.jsonl": b"", **files}.items():
            (cut / name).write_bytes(data)
        check_recovered(cut, handed_over)
        shutil.rmtree(cut)


def test_sound_cut_off_at_any_byte_is_read_to_the_last_whole_frame(tmp_path):
    """At every byte of its last three frames, while it is written and at its end."""
    sound = (np.sin(np.arange(12_000) / 9) * 30).round().astype(np.float32) / 32_768
    part = SoundPart(tmp_path / "part.flac", 48_000, 1, 1)
    sizes = []  # of the file, with so many samples
    for at in range(0, len(sound), 480):
        part.write(sound[at : at + 480, np.newaxis])
        if not sizes or part.n_bytes > sizes[-1]:
            sizes.append(part.n_bytes)
    open_end = part.path.read_bytes()
    part.finish()
    part.file.close()
    closed_end = part.path.read_bytes()
    assert len(sizes) > 8
    whole = decoded(part.path)[0][:, 0]
    assert np.array_equal(whole / 2**23, sound)
    for data in (open_end, closed_end):
        n_before = 0
        for length in range(sizes[-4], len(data)):
            part.path.write_bytes(data[:length])
            left, _ = decoded(part.path)
            n_frames = sum(size <= length for size in sizes) - 1  # the first size is the header's
            assert n_before <= len(left) and len(left) >= 1152 * n_frames
            assert np.array_equal(left[:, 0], whole[: len(left)])
            n_before = len(left)


def test_lines_cut_off_at_any_byte_lose_the_last_line_alone(tmp_path):
    lines = [encode(n, XrunEvent(at=480 * n, n_xruns=n)) for n in range(20)]
    data = b"".join(lines)
    for length in range(len(b"".join(lines[:10])), len(data)):
        (tmp_path / "events.jsonl").write_bytes(data[:length])
        events = events_of(tmp_path)
        n_whole = data[:length].count(b"\n")
        assert len(events) in (n_whole, n_whole + 1)  # the line feed alone may be missing
        assert [one.n_xruns for one in events] == list(range(len(events)))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of a file")
def test_a_file_that_can_grow_no_further_ends_the_recording_and_not_the_show(tmp_path):
    process = started(tmp_path / "s", 40_000)
    handed_over, reason = process.communicate(timeout=120)
    assert process.returncode == 0 and len(handed_over) > 8 * 20
    assert reason.endswith(b"it could not be written: File too large"), reason
    check_recovered(tmp_path / "s", 0)
    [part] = (tmp_path / "s").glob("*.flac")
    assert 40_000 - 3 * 1152 < part.stat().st_size <= 40_000  # all but the frame that did not fit


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="a small disk is mounted with tmpfs")
def test_a_full_disk_ends_the_recording_and_what_was_recorded_can_be_read(small_disk):
    writer = SessionWriter.open(small_disk / "s", **OPEN, keep_free_bytes=0)
    (small_disk / "other").write_bytes(bytes(1_900_000))
    n_given = 0
    while writer.state.is_recording:
        writer.sound(counted(n_given, 4800), n_given, 48_000)
        writer.event(XrunEvent(at=n_given, n_xruns=n_given // 4800))
        n_given += 4800
        wait_until(lambda: writer._waits.n_bytes == 0 or not writer.state.is_recording)
    assert "No space left" in writer.state.reason or "is full" in writer.state.reason
    writer.close()
    [(anchors, samples)] = sound_of(small_disk / "s")
    assert len(anchors) == 1 and n_given - count_of(samples) <= MOST_LOST
    assert len(events_of(small_disk / "s")) > 10


@pytest.mark.skipif(sys.platform != "linux", reason="a small disk is mounted with tmpfs")
def test_a_dream_frame_that_does_not_fit_is_a_gap_and_the_sound_goes_on(small_disk, monkeypatch):
    monkeypatch.setattr(writer_room, "WARN_S", 0.0)  # else it would not be tried
    writer = SessionWriter.open(small_disk / "s", **OPEN, keep_free_bytes=0)
    writer.dream(0, 0, DreamFrame(0, 0, np.random.default_rng(1).integers(0, 256, (1000, 1000, 3), np.uint8), True))
    wait_until(lambda: writer.state.n_gaps == 1)
    writer.sound(counted(0, 4800), 0, 48_000)
    writer.close()
    events = events_of(small_disk / "s")
    [gap] = [one for one in events if isinstance(one, GapEvent)]
    assert gap.what == "dream" and "No space left" in gap.reason
    assert isinstance(events[-1], EndEvent) and len([one for one in events if isinstance(one, SoundEvent)]) == 1
    assert not list(writer.folder.dreams.iterdir()) and writer.state.reason == ""
