"""Sessions for the tests, written by the real writer: a night of a live show that lasts seconds."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from itertools import islice

import numpy as np

from tests.fixtures.watching import wait_for
from visualizer.audio.playback import SilentPlayback
from visualizer.audio.songlist import SongList
from visualizer.beat.features import Features
from visualizer.control.actions import find_actions
from visualizer.control.commands import Command
from visualizer.control.keys import Keymap
from visualizer.control.parameters import base_parameters
from visualizer.control.state import Context, ShowState
from visualizer.presets.dreams import DreamFrame
from visualizer.render.canvas import Canvas
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.session.events import CLOCK_HZ, AnalysisEvent, CommandEvent, EndEvent, ticks_of
from visualizer.session.reader import RecordedSession
from visualizer.session.sound import on_grid
from visualizer.session.writer import SessionWriter
from visualizer.show.clocks import LONGEST_STEP_S, Clock, FrameClock
from visualizer.show.guard import Guard
from visualizer.show.performance import Performance, PerformanceLoop, PerformedSource, contents_of
from visualizer.show.recorder import Recorder, RecordingOptions
from visualizer.show.session_files import SessionFiles
from visualizer.show.sources.session import SessionSource
from visualizer.show.sources.song import SongSource

RATE_HZ = 48_000


class Night:
    """Records a session, in order. Times are seconds.

    heard: sound of which each call first writes what was heard before its time, as a running show does; None: none.
    """

    def __init__(self, root, loaded, *, at_s=0.0, **options):
        self.heard, self._n_heard = None, 0
        width, height = loaded.size
        self.root = root
        self.writer = SessionWriter.open(
            root, kind="live", width=width, height=height, at=ticks_of(at_s), keep_free_bytes=0, **options
        )

    def sound(self, at_s, samples, rate_hz=RATE_HZ, block=777):
        """Sound that was heard, in blocks, as the analyzer got it."""
        samples = on_grid(samples)
        for first in range(0, len(samples), block):
            self.writer.sound(samples[first : first + block], ticks_of(at_s + first / rate_hz), rate_hz)

    def until(self, at_s):
        """Write what was heard before a time."""
        if self.heard is not None:
            end = min(round(at_s * RATE_HZ), len(self.heard))
            self.sound(self._n_heard / RATE_HZ, self.heard[self._n_heard : end])
            self._n_heard = end

    def step(self, at_s, step, **values):
        self.writer.event(AnalysisEvent(at=ticks_of(at_s), step=step, **values))

    def do(self, at_s, change):
        self.until(at_s)
        self.writer.event(CommandEvent(at=ticks_of(at_s), command=Command(ticks_of(at_s), change).to_data()))

    def preset(self, at_s, scene, loaded):
        self.until(at_s)
        self.writer.preset(ticks_of(at_s), scene, loaded)

    def dream(self, at_s, scene, depth_index, colour, size, *, finished=True):
        """A dream frame of one colour."""
        self.until(at_s)
        frame = np.full((size[1], size[0], 3), colour, np.uint8)
        self.writer.dream(ticks_of(at_s), scene, DreamFrame(0, depth_index, frame, finished))

    def event(self, event):
        self.until(event.at / CLOCK_HZ)
        self.writer.event(event)

    def end(self, at_s):
        self.until(at_s)
        self.writer.event(EndEvent(at=ticks_of(at_s)))
        self.writer.close()
        return self.root


class Pixels:
    """An output that keeps every picture."""

    name, surface, needs_sound = "pixels", None, False

    def __init__(self):
        self.pictures = []

    def present(self, canvas, sound, features):
        self.pictures.append(canvas.pixels().copy())


class TheseTimes(Clock):
    """Display frames at the given times, seconds since the session began."""

    def __init__(self, times_s):
        self._times_s, self._index = times_s, -1

    def wait(self):
        self._index += 1
        before_s, time_s = self._times_s[max(0, self._index - 1)], self._times_s[self._index]
        self.dt_s, self.time_s = min(time_s - before_s, LONGEST_STEP_S), time_s

    def now(self):
        return self._times_s[self._index]


def performed(root, size, fps=Fraction(30), said=None, times_s=None, is_late=True, **options):
    """A session performed offscreen: its display frames, and its pictures (n, height, width, 3). times_s: of its display
    frames, in place of an even rate. is_late: see `SessionSource`.
    """
    session, pixels, shown = RecordedSession(root), Pixels(), []
    contents = contents_of(session)
    with Offscreen(size) as surface:
        source = SessionSource(session, is_late=is_late)
        say = (lambda line: None) if said is None else said.append
        performance = Performance(
            SessionFiles(session),
            contents,
            session.events(),
            source,
            surface,
            Programs(surface.ctx),
            say=say,
            **options,
        )
        guard = Guard(raises=True)
        clock = FrameClock(fps) if times_s is None else TheseTimes(times_s)
        canvas = Canvas(surface.ctx)
        loop = PerformanceLoop(
            clock, PerformedSource(source, guard), performance, canvas, [pixels], guard, lambda: size
        )
        shown = list(islice(loop.frames(), None if times_s is None else len(times_s)))
        performance.release()
    return shown, np.stack(pixels.pictures)


@contextmanager
def recording_of(stage, song, folder):
    """Records what a stage shows: a Recorder that records already, and what is called for every display frame. song: the
    path of one, which is its source. folder: of the session.
    """
    size = stage.scene.loaded.size
    with SongList([song]) as songs:
        source = SongSource(SilentPlayback(songs), songs, stage.scene.beat)
        context = Context(find_actions(), base_parameters(), Keymap(), source.capabilities)
        recorder = Recorder(source, source.position_s, context, Guard(raises=True), RecordingOptions(folder=folder))

        def follow():
            shown = stage.draw(Features(time_s=0.0), size)
            recorder.follow(shown, stage, ShowState(), size=size, window_size=size, rate_hz=30.0)
            return recorder.is_recording

        recorder.begin(size)
        try:
            wait_for(follow, "the recording")
            yield recorder, follow
        finally:
            recorder.close()
            source.close()
