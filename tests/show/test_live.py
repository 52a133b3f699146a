"""The live act: what it answers to, what it says, and which input it listens to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.pulse import Pulse, wait_until
from visualizer.audio.input import LOST, OK, WAITING, LiveInput
from visualizer.errors import UnknownDevice
from visualizer.files.remembered import remember_input, remembered_input
from visualizer.presets.loaded import LoadedPreset, Overrides, open_preset
from visualizer.settings import BeatSettings
from visualizer.show.guard import Guard
from visualizer.show.live import open_input
from visualizer.show.source import Source
from visualizer.show.sources.guarded import GuardedSource
from visualizer.show.sources.input import InputSource


@pytest.fixture
def loaded(tiny_preset: Path) -> LoadedPreset:
    return open_preset(str(tiny_preset), size=(96, 64), overrides=Overrides())


def lines(act: Source) -> dict[str, str]:
    return dict(line.split("\t") for line in act.status())


def play_on(act: Source, until: object, what: str) -> None:
    """Frame after frame, as a window would."""

    def there() -> object:
        act.listen(act.position_s)
        return until()  # type: ignore[operator]

    wait_until(there, what)


def test_it_listens_tells_and_survives(mortal_pulse: Pulse, loaded: LoadedPreset) -> None:
    mic = mortal_pulse.plug_in("mic")
    with open_input("mic") as source:
        listened = InputSource(source, loaded.settings.beat)
        act = GuardedSource(listened, Guard())
        act.start()
        play_on(act, lambda: source.state == OK and listened.analyzer.kicks.time_s > 0.5, "no sound")
        assert lines(act)["input"] == "Sine source at 100 Hz  -6 dBFS"
        assert "beat" not in lines(act) and "lost 0  back 0" in lines(act)["sound"]
        mortal_pulse.unplug(mic)
        play_on(act, lambda: source.state == LOST and act.is_fallback, "it does not move by itself")
        assert "lost: " in lines(act)["input"] and lines(act)["beat"] == "fallback metronome"
        news = act.news()
        assert news is not None and news.startswith("sound lost (1)") and news.endswith("the picture moves by itself")
        levels: list[float] = []
        play_on(act, lambda: levels.append(act.listen(act.position_s).level) or max(levels) > 0.17, "it stands still")
        mortal_pulse.plug_in("mic")
        play_on(act, lambda: source.state == OK and not act.is_fallback, "it is not back")
        assert "lost 1  back 1" in lines(act)["sound"]
        assert not act.ended


def test_both_channels_of_an_input_are_shown(pulse: Pulse, loaded: LoadedPreset) -> None:
    hum = np.sin(2 * np.pi * 100 * np.arange(20 * 48_000) / 48_000)
    with pulse.play(np.stack([0.5 * hum, 0.125 * hum], axis=1).astype(np.float32)), open_input(None) as source:
        act = InputSource(source, loaded.settings.beat)
        act.start()
        play_on(act, lambda: "-6 / -18 dBFS" in lines(act)["input"], "the levels were not shown")
        peaks: list[tuple[float, ...]] = []
        play_on(act, lambda: peaks.append(act.meters().channel_peaks) or max(peaks[-1], default=0) > 0.4, "no peaks")
        assert peaks[-1] == pytest.approx((0.5, 0.125), abs=0.02)
    with open_input(None, channels=[2], gain_db=-6.02) as source:
        act = InputSource(source, loaded.settings.beat)
        act.start()
        with pulse.play(np.stack([0.5 * hum, 0.125 * hum], axis=1).astype(np.float32)):
            play_on(act, lambda: "  -24 dBFS" in lines(act)["input"], "the level was not shown")
        assert len(source.take_peaks()) == 1


def test_its_actions(pulse: Pulse, loaded: LoadedPreset) -> None:
    with open_input(None) as source:
        act = InputSource(source, loaded.settings.beat)
        assert act.do("tap") is not None
        now_s = 0.0
        for _ in range(4):
            now_s += 0.5
            act.tap(now_s)
        assert act.tempo.tempo_bpm == pytest.approx(120)
        assert act.do("tempo_half") == "60 BPM" and act.do("tempo_double") == "120 BPM"
        assert act.do("next_input") == "looking for the next input"
        for unknown in ("pause", "seek_back", "", "no such thing"):
            assert act.do(unknown) is None
        assert lines(act)["tempo"].startswith("120.0 BPM  confidence 0.8")


def test_another_look_is_taken_over(pulse: Pulse, loaded: LoadedPreset) -> None:
    with open_input(None) as source:
        act = InputSource(source, loaded.settings.beat)
        for beat in (1.0, 1.5, 2.0):
            act.tap(beat)
        preset = loaded.settings.model_copy(update={"beat": BeatSettings(sensitivity=2.0, motion="punch")})
        act.set_preset(LoadedPreset(loaded.name, preset, loaded.image, loaded.variants * 2, loaded.reference))
        assert act.analyzer.settings.motion == "punch" and act.tempo.tempo_bpm == pytest.approx(120)
        act.take_in(0.0)
        assert np.isfinite(act.features_at(0.1).level) and act.features_at(0.1).variant == 0.0


def test_without_any_device_the_show_begins(mortal_pulse: Pulse, loaded: LoadedPreset) -> None:
    mortal_pulse.stop()
    with open_input(None) as source:
        act = GuardedSource(InputSource(source, loaded.settings.beat), Guard())
        act.start()
        news = act.news()
        assert news is not None and "waiting for the default input" in news
        play_on(act, lambda: act.is_fallback, "it does not move by itself")
        assert "waiting: there is no sound input" in lines(act)["input"] and source.state == WAITING


def test_the_choice_is_remembered_by_its_full_name(mortal_pulse: Pulse, loaded: LoadedPreset) -> None:
    module = mortal_pulse.plug_in("alsa_input.usb-Scarlett")
    with pytest.raises(UnknownDevice):
        open_input("theremin")
    assert remembered_input() is None
    with open_input("scarlett") as source:
        assert source.device_name == remembered_input() == "alsa_input.usb-Scarlett"
    with open_input(None) as source:
        assert source.device_name == "alsa_input.usb-Scarlett"
    mortal_pulse.unplug(module)
    with open_input(None) as source:
        assert source.device_name == Pulse.source
        assert "alsa_input.usb-Scarlett is not there; listening to" in str(source.news())
    with open_input("scarlett") as source:  # it was there once, so it is no mistake
        assert source.state == WAITING and source.device_name == "alsa_input.usb-Scarlett"
    assert remembered_input() == "alsa_input.usb-Scarlett"
    with open_input("default") as source:
        assert source.device_name == Pulse.source
    assert remembered_input() is None


def test_the_next_input_is_remembered(mortal_pulse: Pulse) -> None:
    mortal_pulse.plug_in("mic")
    remember_input(Pulse.source)
    source = open_input(None)
    with source:
        source.start()
        source.next_input()
        wait_until(lambda: remembered_input() == "mic", "it was not remembered")
    assert isinstance(source, LiveInput)
