"""Sound on PipeWire, through its PulseAudio server: what current desktops have. What differs is in
docs/linux-desktops.md.

All other tests of sound run on it with TEST_SOUND=pipewire.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.audio.test_playback_device import check_heard_where_told, heard_sound, never_zero, write_song
from tests.fixtures.pipewire import PipeWire
from tests.fixtures.pulse import SINK_RATE_HZ, wait_until
from tests.fixtures.watching import takes
from tests.sounds import kicks
from visualizer.audio import portaudio
from visualizer.audio.decode import Song
from visualizer.audio.devices import list_devices, list_devices_with_rates
from visualizer.audio.input import LOST, OK, LiveInput
from visualizer.audio.playback import Playback
from visualizer.errors import SoundHangs
from visualizer.settings import BeatSettings
from visualizer.show.sources.input import InputSource

MIC_HZ = 100


def listened(source: LiveInput, state: str) -> Callable[[], bool]:
    def reached() -> bool:
        source.drain()
        return source.state == state

    return reached


def pitch_hz(source: LiveInput) -> float:
    """The loudest frequency of the next fifth of a second."""
    heard: list[np.ndarray] = []
    source.drain()
    wait_until(lambda: heard.extend(source.drain()[0]) or sum(map(len, heard)) >= source.sample_rate_hz / 5)
    sound = np.concatenate(heard)
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * source.sample_rate_hz / len(sound))


def test_inputs_and_outputs_are_listed(pipewire: PipeWire) -> None:
    mic = pipewire.plug_in("mic")
    try:
        found = {device.name: device for device in list_devices()}
    finally:
        pipewire.unplug(mic)
    assert found["mic"].description == "Sine source at 100 Hz" and found["mic"].n_inputs == 1
    assert found[PipeWire.source].is_loopback and found[PipeWire.sink].n_outputs > 0


def test_a_live_show_follows_what_it_hears(pipewire: PipeWire) -> None:
    song = kicks(SINK_RATE_HZ, np.arange(0.5, 10, 0.5), 10.0)
    with LiveInput(PipeWire.source) as source, pipewire.play(song):
        sound = InputSource(source, BeatSettings())
        source.start()
        levels = []

        def followed() -> bool:
            levels.append(sound.listen(sound.position_s).level)
            return sound.meters().n_kicks >= 4

        wait_until(followed, "the kicks are not followed")
    assert max(levels) > 0.58 and min(levels) < 0.16


@pytest.mark.parametrize("lose", ["unplugged", "killed"])
def test_an_input_that_is_lost_comes_back(pipewire: PipeWire, lose: str) -> None:
    mic = pipewire.plug_in("mic", MIC_HZ)
    try:
        with LiveInput("mic") as source:
            source.start()
            wait_until(listened(source, OK), "it is not heard")
            assert pitch_hz(source) == pytest.approx(MIC_HZ, abs=15)
            if lose == "killed":
                pipewire.stop()
            else:
                pipewire.unplug(mic)
            wait_until(listened(source, LOST), "the loss was not noticed")
            if lose == "killed":
                pipewire.start()
            mic = pipewire.plug_in("mic", MIC_HZ)
            wait_until(listened(source, OK), "it is not back")
            assert pitch_hz(source) == pytest.approx(MIC_HZ, abs=15)
    finally:
        pipewire.unplug(mic)


@takes()
def test_a_song_plays_on_while_its_output_is_away(pipewire: PipeWire, tmp_path: Path) -> None:
    """PipeWire lets another output stand in, and moves the sound back."""
    sound = never_zero(120 * SINK_RATE_HZ, seed=2)
    with Song(write_song(tmp_path, sound)) as song, Playback(song) as player:
        with pipewire.record() as recording:
            player.start()
            wait_until(lambda: len(heard_sound(recording.samples)) > 4800, "it is not heard")
        check_heard_where_told(pipewire, player, sound)
        pipewire.remove_sink(PipeWire.sink)
        try:
            since_s, away_s, asked_s = time.monotonic(), player.position_s, time.monotonic()
            wait_until(lambda: time.monotonic() - asked_s > 0.7)
            least_s, gone_s = time.monotonic() - asked_s, player.position_s - away_s
            assert least_s - 0.1 < gone_s < time.monotonic() - since_s + 0.1
        finally:
            pipewire.add_sink(PipeWire.sink)
        check_heard_where_told(pipewire, player, sound)


def test_without_a_session_manager_the_picture_goes_on(
    mortal_pipewire: PipeWire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing connects a stream with a device then, and it waits for ever; with a session manager the sound comes."""
    monkeypatch.setattr(portaudio, "ANSWER_S", 1.0)
    sound, asked_s = never_zero(40 * SINK_RATE_HZ, seed=3), []

    def plays() -> bool:
        before_s, position_s = time.monotonic(), player.position_s
        asked_s.append(time.monotonic() - before_s)
        return position_s > 0.3

    mortal_pipewire.manage(False)
    with Song(write_song(tmp_path, sound)) as song, Playback(song) as player:
        player.start()
        wait_until(plays, "the song does not go on")
        assert np.median(asked_s) < 0.5, "everything stood still"
        assert "playing silently" in (player.news() or "")
        mortal_pipewire.manage(True)
        wait_until(lambda: player.lost is None, "the output is not opened")
        assert "sound has started" in (player.news() or "")


def test_without_a_session_manager_the_list_of_devices_gives_up(
    mortal_pipewire: PipeWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "ANSWER_S", 1.0)
    mortal_pipewire.manage(False)
    try:
        with pytest.raises(SoundHangs, match="restart the sound server"):
            list_devices_with_rates()
    finally:
        mortal_pipewire.manage(True)  # what hangs returns
        list_devices(timeout_s=60)
