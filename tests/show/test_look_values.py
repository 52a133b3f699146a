"""What looks are given of the music: uniforms, textures, and the numbers of expressions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from visualizer.beat.features import Features
from visualizer.beat.sound import SoundBlock, spectrum
from visualizer.looks.modulation import NAMES
from visualizer.looks.uniforms import MUSIC, SILENCE
from visualizer.show.look_values import needs_of, numbers_of, uniforms_of


def test_every_uniform_of_the_music_has_a_value():
    everything = {one.name for one in MUSIC}
    assert uniforms_of(Features(), everything) == dict(SILENCE)
    sound = SoundBlock(np.random.default_rng(1).uniform(-1, 1, (2, 20_000)).astype(np.float32), 48_000)
    heard = Features(level=0.4, kick_time_s=0.1, bass=0.3, mid=0.6, high=0.9, beat_number=7, sound=sound)
    values = uniforms_of(heard, everything)
    assert values["kick"] == pytest.approx(0.5) and values["energy"] == pytest.approx(0.6)
    assert values["level"] == 0.4 and values["beat_number"] == 7 and np.array_equal(values["spectrum"], spectrum(sound))


def test_textures_of_the_sound_are_made_when_a_look_reads_them():
    sound = SoundBlock(np.random.default_rng(1).uniform(-1, 1, (2, 20_000)).astype(np.float32), 48_000)
    names = {"audio:7", "audioFFT:0", "shadertoy_sound", "waveform"}
    values = uniforms_of(Features(sound=sound), names)
    assert {name: value.shape for name, value in values.items()} == {
        "audio:7": (2, 7),
        "audioFFT:0": (2, 1024),
        "shadertoy_sound": (2, 512),
        "waveform": (512,),
    }
    assert needs_of(names) == {"sound"} and uniforms_of(Features(), names) == {}


def test_only_what_a_look_uses_is_made_and_asked_for():
    assert uniforms_of(Features(), {"bass"}) == {"bass": 0.0}
    assert needs_of({"energy", "kick", "spectrum"}) == {"bass", "mid", "high", "kick_time_s", "sound"}
    fields = {field.name for field in dataclasses.fields(Features)}
    assert needs_of({one.name for one in MUSIC}) <= fields
    sound = SoundBlock(np.zeros((2, 20_000), np.float32), 48_000)
    assert uniforms_of(Features(sound=sound), {"iSampleRate"}) == {"iSampleRate": 48_000.0}
    assert needs_of({"iSampleRate"}) == {"sound"} and uniforms_of(Features(), {"iSampleRate"}) == {}


def test_every_name_of_an_expression_has_a_number_and_asks_for_what_it_is_made_of():
    heard = Features(
        time_s=2.0, kick_time_s=0.1, bpm=120.0, beat_phase=0.25, bar_phase=0.5, n_kicks=3, bass=0.3, beat_number=7
    )
    numbers = numbers_of(heard, NAMES, 4.5, 1.5)
    assert numbers.keys() == NAMES.keys() and {type(one) for one in numbers.values()} == {float}
    wanted = {"kick": 0.5, "beat": 0.75, "bar": 0.5, "n_kicks": 3.0, "time_s": 2.0, "depth": 4.5, "variant": 1.5}
    assert {name: numbers[name] for name in wanted} == pytest.approx(wanted)
    assert needs_of(NAMES) <= {field.name for field in dataclasses.fields(Features)}
    assert needs_of({"beat", "bar"}) == {"bpm", "beat_phase", "bar_phase"}
    assert numbers_of(Features(), {"beat", "bar"}, 0.0, 0.0) == {"beat": 0.0, "bar": 0.0}, "without a tempo"
