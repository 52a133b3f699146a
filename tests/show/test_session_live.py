"""A live show in a real window, recorded, and performed again: the same depths, and the same pixels where nothing
moved.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.show.nights import performed
from tests.show.test_frame import Pixels
from tests.show.test_recorder import Watched, has_shown, is_recording
from tests.sounds import kicks
from visualizer.control.commands import Act, Set, ShowPreset
from visualizer.presets.dreams import open_cache
from visualizer.session.events import DeviceEvent
from visualizer.session.reader import RecordedSession
from visualizer.show.export import VideoOptions
from visualizer.show.live import open_input
from visualizer.show.onscreen import Staging, run
from visualizer.show.recorder import RecordingOptions
from visualizer.show.session_export import export_session
from visualizer.show.sources.input import InputSource

SIZE, FPS = (320, 180), 60
STILL_S = 0.25  # nothing was moving for so long before and after a moment


@pytest.mark.slow
def test_a_live_show_performed_again_has_its_depths_and_its_pixels(screen, mortal_pulse, loaded, tmp_path):
    root, pixels = tmp_path / "night", Pixels()
    song = kicks(48_000, np.arange(0.5, 60.0, 0.5), 60.0).astype(np.float32)
    song[np.arange(len(song)) % (6 * 48_000) > 4 * 48_000] = 0.0  # every six seconds it is quiet for two
    watched = Watched(
        [
            (0.0, is_recording),
            (3.0, []),
            (0.0, has_shown(30)),
            (0.0, [Set("beat.decay", 0.6)]),
            (2.0, [ShowPreset("tiny")]),
            (0.0, lambda night: night.hand.snapshot.wanted == ""),
            (3.0, [Act("blackout")]),
            (1.0, [Act("blackout")]),
            (2.0, []),
            (0.0, lambda night: mortal_pulse.stop() is None),
            (4.0, []),
        ]
    )
    with mortal_pulse.play(song), open_input(None) as device:
        run(
            loaded,
            InputSource(device, loaded.settings.beat),
            open_cache(),
            staging=Staging(adapt=False),
            controllers=[watched.hand],
            outputs=[pixels],
            on_frame=watched.on_frame,
            recording=RecordingOptions(begins=True, folder=root),
        )
    session = RecordedSession(root)
    assert any(isinstance(one, DeviceEvent) and one.state != "ok" for one in session.events())
    begin_s = session.info.at / 48_000
    again, pictures = performed(root, SIZE, Fraction(FPS))
    times, depths = np.array([one.time_s for one in again]), np.array([one.depth for one in again])
    live = [(one, picture) for one, picture in zip(watched.frames, pixels.pictures, strict=True)]
    live = [one for one in live if begin_s + 1.0 < one[0].time_s < times[-1] - 0.1]
    assert max(one.depth for one, _ in live[-60:]) > 1.3, "the fallback metronome was shown"

    seen_s = np.array([one.time_s for one, _ in live])
    lengths = np.maximum(np.gradient(seen_s), 1 / FPS)

    def off(n_frames):
        """How far each depth is from what the performance shows within some display frames of it."""
        found = []
        for (one, _), length in zip(live, lengths, strict=True):
            near = depths[np.abs(times - one.time_s) <= n_frames * length + 0.5 / FPS]
            found.append(max(near.min() - one.depth, one.depth - near.max(), 0.0))
        return np.array(found)

    # a kick in a block of sound that came late was seen a display frame later: a few of hundreds, on a busy machine
    assert (off(1) < 0.05).mean() > 0.97, np.sort(off(1))[-20:].round(3)
    assert (off(3) < 0.3).mean() > 0.99, np.sort(off(3))[-20:].round(3)

    still = [
        (one, picture)
        for one, picture in live
        if np.ptp([other.depth for other, _ in live if abs(other.time_s - one.time_s) < STILL_S]) < 1e-3
        and np.ptp(depths[np.abs(times - one.time_s) < STILL_S]) < 1e-3
    ]
    assert len(still) >= 10
    worst = []
    for one, picture in still[:: len(still) // 10][:10]:
        found = pictures[np.argmin(np.abs(times - one.time_s))]
        worst.append(int(np.abs(found.astype(int) - picture).max()))
    assert sorted(worst)[-1] <= 2, worst

    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    for path in (one, two):
        list(export_session(root, path, open_cache(), VideoOptions()))
    assert one.read_bytes() == two.read_bytes()
