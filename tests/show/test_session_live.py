"""Live shows in a real window, recorded, and performed again: the same depths, and the same pixels where nothing
moved.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.fixtures.midi import CONTROL, Midi
from tests.fixtures.watching import takes
from tests.show.nights import performed
from tests.show.test_frame import Pixels
from tests.show.test_recorder import Watched, has_shown, is_recording
from tests.sounds import kicks
from visualizer.beat import Analyzer
from visualizer.control import controls_file
from visualizer.control.bindings import MidiBinding
from visualizer.control.commands import Act, ShowPreset
from visualizer.control.controllers import open_controllers
from visualizer.presets.dreams import open_cache
from visualizer.session.events import CLOCK_HZ, DeviceEvent, FeaturesEvent, GapEvent, TempoEvent
from visualizer.session.reader import RecordedSession
from visualizer.show.export import VideoOptions
from visualizer.show.live import open_input
from visualizer.show.onscreen import Staging, run
from visualizer.show.recorder import RecordingOptions
from visualizer.show.session_export import export_session
from visualizer.show.sources.input import InputSource

SIZE = (320, 180)
STILL_S = 0.25  # nothing was moving for so long before and after a moment
NEAR = 0.02  # by which two depths may differ


class Seen(Pixels):
    """An output that keeps every picture, and when it was seen."""

    def __init__(self):
        super().__init__()
        self.times_s = []

    def present(self, canvas, sound, features):
        super().present(canvas, sound, features)
        self.times_s.append(features.time_s)


class Shown:
    """What a live show displayed while it was recorded, and what a performance of it shows at the same times."""

    def __init__(self, root, loaded, steps, *, begins=True, controllers=()):
        shutil.rmtree(root, ignore_errors=True)  # of a take that was spoilt
        watched, seen = Watched(steps), Seen()
        with open_input(None) as device:
            watched.device = device
            run(
                loaded,
                InputSource(device, loaded.settings.beat),
                open_cache(),
                staging=Staging(adapt=False),
                controllers=[watched.hand, *controllers],
                outputs=[seen],
                on_frame=watched.on_frame,
                recording=RecordingOptions(begins=begins, folder=root),
            )
        session = RecordedSession(root)
        self.events = list(session.events())
        assert not [one for one in self.events if isinstance(one, GapEvent)]
        begin_s, times_s = session.info.at / CLOCK_HZ, np.array(seen.times_s)
        chosen = np.flatnonzero((times_s > begin_s) & (times_s < session.info.end_at / CLOCK_HZ))
        self.times_s = times_s[chosen] - begin_s
        self.depths = np.array([one.depth for one in watched.frames])[chosen]
        self.pictures = [seen.pictures[index] for index in chosen]
        again, self.pictures_again = performed(root, SIZE, times_s=self.times_s.tolist())
        self.depths_again = np.array([one.depth for one in again])
        assert len(self.depths_again) == len(self.depths)

    def off(self):
        """How far each depth is from what the performance shows within one display frame of it."""
        padded = np.pad(self.depths_again, 1, mode="edge")
        near = np.stack([padded[:-2], padded[1:-1], padded[2:]])
        return np.maximum(0.0, np.maximum(near.min(axis=0) - self.depths, self.depths - near.max(axis=0)))

    def check_depths(self):
        """They are the same, within a display frame. Where the machine was busy sound was analysed later than usual
        now and then, which the performance cannot know.
        """
        far = np.flatnonzero(self.off() > NEAR)
        near = sorted({index + step for index in far[:20] for step in range(-2, 3)} & set(range(len(self.depths))))
        table = [
            (round(self.times_s[at], 3), round(self.depths[at], 2), round(self.depths_again[at], 2)) for at in near
        ]
        assert len(far) <= 0.02 * len(self.depths), f"{len(far)} of {len(self.depths)}: {table}"
        assert np.mean(np.abs(self.depths - self.depths_again) < 1e-3) > 0.95, "most to the last digit"


@pytest.mark.slow
@takes()
def test_a_live_show_performed_again_has_its_depths_and_its_pixels(screen, mortal_pulse, midi: Midi, loaded, tmp_path):
    root, song = tmp_path / "night", kicks(48_000, np.arange(0.5, 60.0, 0.5), 60.0).astype(np.float32)
    song[np.arange(len(song)) % (4 * 48_000) > 2.7 * 48_000] = 0.0  # it is quiet again and again
    controls_file.learn(MidiBinding(cc=7, does="beat.decay", pickup=False))
    knobs, playing, away = midi.plug_in("Knobs"), [mortal_pulse.play(song)], []

    def turned(share):
        def turn(night):
            knobs.send(CONTROL, 7, round(share * 127))
            return abs(night.hand.snapshot.values["beat.decay"] - (0.1 + 0.899 * share)) < 0.01

        return turn

    def goes(night):
        mortal_pulse.stop()
        away.append(mortal_pulse)
        return True

    def back(night):
        away.pop().start()
        playing.append(mortal_pulse.play(song))
        return True

    try:
        shown = Shown(
            root,
            loaded,
            [
                (0.0, is_recording),
                (0.0, has_shown(60)),
                (0.0, turned(0.6)),
                (0.3, [Act("tap")]),
                (0.5, [ShowPreset("tiny")]),
                (0.0, lambda night: night.hand.snapshot.wanted == ""),
                (0.5, turned(0.3)),
                (1.5, [Act("blackout")]),
                (0.5, [Act("blackout")]),
                (0.6, []),
                (0.0, goes),
                (0.0, lambda night: night.device.state != "ok"),
                (1.5, []),
                (0.0, back),
                (0.0, lambda night: night.device.state == "ok"),
                (2.5, []),
            ],
            controllers=open_controllers("knobs", None, False),
        )
    finally:  # another take begins with all of it as it was
        for one in away:
            one.start()
        for one in playing:
            one.stop()
        knobs.close()
    states = [one.state for one in shown.events if isinstance(one, DeviceEvent)]
    assert states[-1] == "ok" and "lost" in states[states.index("ok") :], states
    assert [one for one in shown.events if isinstance(one, TempoEvent)], "of the tap"
    shown.check_depths()

    lights = [np.array([one.mean() for one in pictures]) for pictures in (shown.pictures, shown.pictures_again)]

    def is_still(at):
        near = np.abs(shown.times_s - shown.times_s[at]) < STILL_S
        stays = max(np.ptp(shown.depths[near]), np.ptp(shown.depths_again[near])) < 1e-3
        # while it fades to black and back, the depth may stay
        return stays and max(np.ptp(one[near]) for one in lights) < 0.1 and shown.pictures[at].any()

    still = [at for at in range(len(shown.depths)) if is_still(at)]
    assert len(still) >= 3  # a busy machine shows few display frames
    for at in still[:: max(1, len(still) // 10)][:10]:
        assert np.abs(shown.pictures_again[at].astype(int) - shown.pictures[at]).max() <= 2, shown.times_s[at]

    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    for path in (one, two):
        list(export_session(root, path, open_cache(), VideoOptions(to_s=3.0)))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.slow
@takes()
def test_begun_while_frozen_and_with_an_analysis_that_fails(screen, pulse, loaded, tmp_path, monkeypatch):
    failing, push = [], Analyzer.push

    def may_fail(analyzer, samples):
        if failing:
            raise RuntimeError("a test")
        return push(analyzer, samples)

    song = kicks(48_000, np.arange(0.3, 60.0, 0.5), 60.0).astype(np.float32)
    with monkeypatch.context() as patched, pulse.play(song):
        patched.setattr(Analyzer, "push", may_fail)
        shown = Shown(
            tmp_path / "night",
            loaded,
            [
                (1.5, []),
                (0.0, lambda night: night.frames[-1].depth > 2.0),
                (0.0, [Act("freeze")]),
                (0.3, [Act("record")]),
                (0.0, is_recording),
                (1.0, []),
                (0.0, lambda night: len(night.frames) > night.n_before + 10),
                (0.0, [Act("freeze")]),
                (1.5, []),
                (0.0, lambda night: failing.append(1) is None),
                (0.0, lambda night: night.hand.snapshot.is_fallback),
                (0.5, []),
                (0.0, lambda night: failing.clear() is None),
                (0.0, lambda night: not night.hand.snapshot.is_fallback),
                (1.0, []),
            ],
            begins=False,
        )
    frozen = shown.depths[:8]
    assert np.ptp(frozen) == 0.0 and frozen[0] > 1.5
    given = [one.values for one in shown.events if isinstance(one, FeaturesEvent)]
    assert any(one.get("is_fallback") for one in given) and given[-1] == {}, "the metronome was shown, and then music"
    shown.check_depths()
