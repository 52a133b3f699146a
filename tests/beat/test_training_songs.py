"""The songs that the kick network is trained on: what is noted is there, and muting the kick changes nothing else."""

import numpy as np
import pytest

from tools.kick_arrangement import Channel, drum_writer
from tools.kick_masters import SHARES, song, under_the_rest
from tools.kick_songs import EVENTS, WITH_KICKS, WITHOUT_KICKS, recorded
from tools.kick_sounds import RATE_HZ, kick, metal, snare, span, tom
from tools.kick_styles import STYLES
from tools.kick_tape import Tape, begins_at_once


class Tuned:
    """Sounds as tools.kick_samples.SampledSounds gives them, but made here."""

    def one_shot(self, rng, kind):
        make = {"kick": kick, "snare": snare, "tom": tom, "hand": tom, "hat": lambda rng: metal(rng, 0.05)}[kind]
        return make(rng)

    def player(self, rng, kind):
        return lambda hz, seconds: np.sin(2 * np.pi * hz * span(seconds))


def tape_of(kind, seed=4, seconds=8.0, samples=None):
    return recorded(np.random.default_rng(seed), kind, seconds, samples)


def test_every_kind_has_its_share_of_the_songs():
    assert set(SHARES) == {*WITH_KICKS, *WITHOUT_KICKS}
    assert sum(SHARES.values()) == pytest.approx(1)
    assert 0.35 < sum(SHARES[kind] for kind in WITHOUT_KICKS) < 0.45


@pytest.mark.parametrize("style", STYLES)
def test_without_kicks_is_the_same_song_with_the_kick_muted(style):
    full, muted = tape_of(style), tape_of(f"{style} without kicks")
    assert len(full.hits_s["kick"]) and not muted.hits_s["kick"] and "kick" not in muted.buses
    assert {*full.buses} - {"kick"} == {*muted.buses}
    assert all(np.array_equal(full.buses[bus], sound) for bus, sound in muted.buses.items())
    assert all(full.hits_s[event] == muted.hits_s[event] for event in EVENTS if event != "kick")


@pytest.mark.parametrize("style", STYLES)
def test_songs_go_on_for_twenty_seconds(style):
    made = song(2, 7, 20.0, style)
    assert made.kicks_s.max() > 14 and np.diff(made.kicks_s).min() > 0.07
    parts = np.abs(made.sound).reshape(20, -1).max(axis=1)
    assert parts[1:].min() > 0.002


@pytest.mark.parametrize("style", STYLES)
def test_samples_are_half_of_the_sounds(style):
    one, other = tape_of(style, samples=Tuned()), tape_of(style, samples=Tuned())
    assert all(np.array_equal(sound, other.buses[bus]) for bus, sound in one.buses.items())
    assert any(not np.array_equal(sound, one.buses.get(bus)) for bus, sound in tape_of(style).buses.items())


def test_a_channel_cuts_a_sound_at_the_next_one():
    tape = Tape(RATE_HZ)
    tone = np.cos(2 * np.pi * 100 * span(0.9))
    channel = Channel(1.0, ramp_s=0.0)
    channel.play(0.0, tone, 1.0, drum_writer(tape, None, "bass"))
    channel.play(0.3, np.zeros(10), 1.0, drum_writer(tape, None, "bass"))
    channel.record()
    cut = round(0.3 * RATE_HZ)
    assert abs(tape.buses["bass"][cut - 1]) > 0.9 and not tape.buses["bass"][cut:].any(), "it ends with a click"


def test_of_two_sounds_at_once_a_channel_plays_the_more_important():
    tape = Tape(RATE_HZ)
    channel = Channel(1.0, ramp_s=0.0)
    channel.play(0.5, np.ones(100), 1.0, drum_writer(tape, "kick", "kick"), rank=2)
    channel.play(0.5, np.ones(100), 1.0, drum_writer(tape, "bass", "bass"))
    channel.record()
    assert tape.hits_s["kick"] == [0.5] and not tape.hits_s["bass"]


def test_hits_under_louder_sound_are_inaudible():
    tape = Tape(2 * RATE_HZ)
    for at_s, gain in ((0.5, 1.0), (1.5, 0.001)):
        tape.strike("kick", "kick", kick(np.random.default_rng(1)), at_s, gain)
        tape.strike("snare", "drums", snare(np.random.default_rng(1)), at_s + 0.2, gain)
        tape.strike("hat", "drums", metal(np.random.default_rng(1), 0.02), at_s + 0.4, gain)
        tape.note(60.0, np.sin(2 * np.pi * 60 * span(0.1)), at_s + 0.3, gain)
    tape.add("music", 0.1 * np.random.default_rng(2).standard_normal(tape.n))
    for event in EVENTS:
        assert under_the_rest(tape, np.array(tape.hits_s[event]), event).tolist() == [False, True], event


def test_only_low_notes_that_begin_at_once_are_bass_notes():
    note = np.sin(2 * np.pi * 80 * span(0.8))
    swelling = note * np.linspace(0, 1, len(note)) ** 2
    assert begins_at_once(note) and not begins_at_once(swelling)
    tape = Tape(2 * RATE_HZ)
    tape.note(80.0, note, 0.1)
    tape.note(80.0, swelling, 0.9)
    tape.note(300.0, note, 1.0)
    assert tape.hits_s["bass"] == [0.1] and {*tape.buses} == {"bass", "music"}


@pytest.mark.parametrize("kind", STYLES)
def test_most_noted_events_can_be_heard_where_they_are_noted(kind):
    heard = {event: [0, 0] for event in EVENTS}
    for seed in range(3):
        tape = tape_of(kind, seed)
        for event in EVENTS:
            hits_s = np.array(tape.hits_s[event])
            if not len(hits_s):
                continue
            own = tape.sound_of(event)
            for hit_s in hits_s[~under_the_rest(tape, hits_s, event)]:
                start = round(hit_s * RATE_HZ)
                heard[event][0] += np.abs(own[start : start + 4410]).max() > 0
                heard[event][1] += 1
    assert all(found == noted for found, noted in heard.values())
    assert heard["kick"][1] > 10 and heard["bass"][1] > 10
