"""A session as a source: what the analyzer got, and the sound that a look reads."""

import numpy as np

from tests.session.recorded import OPEN
from visualizer.beat.features import SOUND
from visualizer.beat.sound import waveform
from visualizer.session.events import CLOCK_HZ, AnalysisEvent
from visualizer.session.reader import RecordedSession
from visualizer.session.sound import on_grid
from visualizer.session.writer import SessionWriter
from visualizer.show.sources.session import SessionSource

RATE_HZ = 48_000


def test_the_stereo_of_a_song_is_recorded_and_read_again_with_the_same_mean(tmp_path):
    stereo = on_grid(np.random.default_rng(2).uniform(-0.5, 0.5, (RATE_HZ, 2)).astype(np.float32))
    writer = SessionWriter.open(tmp_path / "night", **{**OPEN, "kind": "play", "keep_free_bytes": 0})
    writer.event(AnalysisEvent(at=0, step="start", rate_hz=RATE_HZ, is_known=True))
    writer.sound(stereo, 0, RATE_HZ, 0)
    writer.close()
    session, found = RecordedSession(tmp_path / "night"), {}
    for needs in ((SOUND,), ()):
        source = SessionSource(session)
        source.needs(needs)
        for event in session.events():
            source.take_event(event, 2 * CLOCK_HZ)
        found[needs] = source.features_at(0.9)
        source.close()
    block = found[(SOUND,)].sound
    newest = stereo[: round(0.9 * RATE_HZ)].T
    assert np.array_equal(block.samples, newest[:, -block.samples.shape[1] :])
    assert np.array_equal(waveform(block), newest.mean(axis=0)[-512:])
    assert found[()].sound is None and found[()].level == found[(SOUND,)].level
