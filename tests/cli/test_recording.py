"""The program records as a user would start it: killed at any moment, its session lacks at most the last half
second.
"""

from __future__ import annotations

import logging
import random
import re
import shutil
import socket
import struct
import threading
import time

import av
import numpy as np
import pytest

from tests.cli.running import here, refused
from tests.fixtures.pulse import wait_until
from tests.fixtures.watching import takes
from visualizer.cli.options import with_record_folder
from visualizer.files.paths import sessions_folder
from visualizer.session import layout
from visualizer.session.check import losses
from visualizer.session.events import CLOCK_HZ, AnalysisEvent, CommandEvent, DisplayEvent, Event, SoundEvent
from visualizer.session.reader import RecordedSession, SoundTape
from visualizer.session.repair import repair

log = logging.getLogger(__name__)
#: what may be lost; and the measuring error: beside a display frame, the time that sound is on its way to the program
MOST_LOST_S, ON_THE_WAY_S = 0.5, 0.1
#: a fragment of the video, what waits for its encoder, and on a busy machine the time that this takes to begin
MOST_VIDEO_LOST_S = 2.0
N_COMPARED = 4096  # samples, by which the end of the recorded sound is found in what was played
RATE_HZ = 48_000
_TURN = re.compile(rb'"name":"beat.sensitivity","value":1\.0*[1-9]')


class Knob(threading.Thread):
    """Turns a knob by OSC all the time, each time a little further: the value says which turn it was.

    sent_s: when each turn was sent, `time.monotonic` seconds.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.sent_s: list[float] = []
        self._ending = threading.Event()

    def run(self) -> None:
        address = b"/visualizer/set/beat/sensitivity\0\0\0\0,d\0\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.connect(("127.0.0.1", self.port))
            while not self._ending.wait(0.01):
                self.sent_s.append(time.monotonic())
                try:
                    line.send(address + struct.pack(">d", 1 + len(self.sent_s) / 2**20))
                except ConnectionRefusedError:  # it does not listen yet
                    self.sent_s.pop()

    def end(self) -> None:
        self._ending.set()
        self.join()

    def turn_s(self, event: Event) -> float | None:
        """When the turn was sent that an event is; None for other events."""
        if not isinstance(event, CommandEvent) or event.command.get("name") != "beat.sensitivity":
            return None
        number = round((event.command["value"] - 1) * 2**20)
        return self.sent_s[number - 1] if number else None


def noise(seconds: float) -> np.ndarray:
    """Sound every moment of which is found again."""
    return np.random.default_rng(16).normal(0, 0.1, round(seconds * RATE_HZ)).astype(np.float32)


def is_recorded(folder) -> bool:
    """Whether a session has sound, and commands by OSC."""
    try:
        lines = (folder / "events.jsonl").read_bytes()
    except OSError:
        return False
    return b'"step":"sound"' in lines and _TURN.search(lines) is not None


@takes()
def kill_once(forked, pulse, song, folder, moment_s: float) -> tuple[float, float]:
    """Kill the program some time after its recording of a song has begun. Returns the seconds of sound and of commands
    lost.

    What it had until then is what was sent to it before the newest display frame that it reported.
    """
    shutil.rmtree(folder, ignore_errors=True)  # of a take that was spoilt
    knob = Knob()
    with pulse.play(song), pulse.record() as heard:
        show = forked("--record-to", str(folder), "--video", "--osc", str(knob.port))
        try:
            knob.start()
            wait_until(lambda: is_recorded(folder) and len(show.frames) > 1, "nothing is recorded")
            time.sleep(moment_s)  # the moment of the kill is what is tested
        finally:
            show.kill()
            knob.end()
        (before_s, n_before), (had_s, n_shown) = show.frames[-2:]
        n_heard = sum(len(block) for at_s, block in heard.blocks if at_s <= had_s)
        sound = heard.wait_for(n_heard + RATE_HZ // 2)  # the program may have heard it earlier than we did
    recorded, n_lost, events = read(folder)
    first = max(0, n_heard - 8 * RATE_HZ)
    if len(recorded) >= N_COMPARED:  # else it had hardly begun
        sound_s = (n_heard - first - end_of(recorded, sound[first:])) / RATE_HZ
    else:
        sound_s = n_lost / RATE_HZ
    events_s = had_s - max(filter(None, map(knob.turn_s, events)))
    frame_s = (had_s - before_s) / max(1, n_shown - n_before)
    late_s = max(stood_still_s(had_s, [at_s for at_s, _ in show.frames]), stood_still_s(had_s, knob.sent_s))
    lost = sound_s, events_s, frame_s, late_s
    assert max(sound_s, events_s) <= MOST_LOST_S + frame_s + ON_THE_WAY_S + late_s, lost
    seconds = (events[-1].at - next(one.at for one in events if isinstance(one, DisplayEvent))) / CLOCK_HZ
    assert video_s(folder / "video.mp4") >= seconds - MOST_VIDEO_LOST_S
    repaired = repair(folder)
    assert repaired.after.state == "ok" and not list(losses(repaired.after))
    return sound_s, events_s


def stood_still_s(end_s: float, times_s: list[float]) -> float:
    """For how long something that happens at least ten times a second did not, in the two seconds before the end: so
    long the machine gave no turn to it.
    """
    near = [one for one in times_s if end_s - 2.0 < one <= end_s]
    return max(0.0, *np.diff([*near, end_s]) - 0.12)


def read(folder) -> tuple[np.ndarray, int, list[Event]]:
    """The recorded sound, samples that its events name and it lacks, and all events."""
    session = RecordedSession(folder)
    events, tape, sound = list(session.events()), SoundTape(session), [np.zeros((0, 1), np.float32)]
    assert session.info.state == "open" and (session.tally.n_damaged, session.tally.n_missing) == (0, 0)
    for event in events:
        if isinstance(event, SoundEvent):
            assert event.rate_hz == RATE_HZ
            tape.begin(event)
        elif isinstance(event, AnalysisEvent) and event.step == "sound":
            sound += tape.read(event.n_samples)
    tape.close()
    recorded = np.concatenate(sound).mean(axis=1)
    # the events of the last frame of sound may be there without it
    return recorded[: len(recorded) - tape.n_lost], tape.n_lost, events


def end_of(recorded: np.ndarray, heard: np.ndarray) -> int:
    """Where in what was heard the recorded sound ends, samples."""
    end = recorded[-N_COMPARED:]
    n = len(heard) + len(end)
    like = np.fft.irfft(np.fft.rfft(heard, n) * np.conj(np.fft.rfft(end, n)), n)[: len(heard)]
    at = int(like.argmax())
    assert like[at] > 8 * like.std(), "the recorded sound was not heard"
    return at + len(end)


def video_s(path) -> float:
    """How long a video can be played."""
    last_s = 0.0
    try:
        with av.open(str(path)) as file:
            for frame in file.decode(video=0):
                last_s = float(frame.pts * frame.time_base)
    except (OSError, av.error.FFmpegError):
        pass
    return last_s


@pytest.mark.slow
def test_killed_at_any_moment_it_has_lost_at_most_half_a_second(forked, pulse, loaded, tmp_path):
    moments, song = random.Random(16), noise(60.0)
    for number in range(6):
        kill_once(forked, pulse, song, tmp_path / f"night {number}", moments.uniform(0.0, 1.2))


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", [17, 18])
def test_two_hundred_kills_lose_at_most_half_a_second_each(forked, pulse, loaded, tmp_path, seed):
    moments, song = random.Random(seed), noise(60.0)
    for number in range(100):
        sound_s, events_s = kill_once(forked, pulse, song, tmp_path / "night", moments.uniform(0.0, 3.0))
        log.info("kill %d: %.3f s of sound and %.3f s of events lost", number + 1, sound_s, events_s)
        shutil.rmtree(tmp_path / "night")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["live", "--record"], ["live", "--record"]),
        (["live", "--record", "here"], ["live", "--record-to", "here"]),
        (["live", "--record", "--panel"], ["live", "--record", "--panel"]),
        (["play", "--record", "a.mp3"], ["play", "--record", "a.mp3"]),
        (["play", "a.mp3", "--record=here"], ["play", "a.mp3", "--record-to=here"]),
    ],
)
def test_record_may_name_a_folder(given, read):
    assert with_record_folder(given) == read


def test_where_nothing_can_be_recorded_the_show_does_not_begin(tiny_preset, tmp_path, monkeypatch):
    words = ["live", "--no-supervise", "--preset", tiny_preset, "--record-to"]
    file = tmp_path / "it's a file 🌙"
    file.write_text("mine")
    refused(here(*words, file), "nothing can be recorded in", "is no folder")
    refused(here(*words, file / "night"), "is no folder")
    refused(here(*words, "a\0b"), "embedded null")
    refused(here(*words, "x" * 300), "too long")
    monkeypatch.setattr(layout, "KEEP_FREE_BYTES", 10**18)
    refused(here(*words, tmp_path / "a"), "the disk has only", "free some space, or record elsewhere", status=1)
    refused(here(*words[:-1], "--record"), "the disk has only", status=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name] and not sessions_folder().exists()
