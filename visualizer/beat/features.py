"""What is heard of a sound at one instant, for the picture."""

from __future__ import annotations

from dataclasses import dataclass

from .sound import SoundBlock

#: time since the newest kick while there was none, seconds
NEVER_S = 1e6

# Features that take analysis of their own. They are computed only where `Source.needs` names one of the group.
BANDS = frozenset({"bass", "mid", "high", "loudness"})
TEMPO = frozenset({"bpm", "beat_phase", "bar_phase", "beat_number", "confidence"})
RELATIVE = frozenset({"md_bass", "md_mid", "md_treb", "md_bass_att", "md_mid_att", "md_treb_att"})
VARIANT, SOUND, LOW_ENERGY = "variant", "sound", "low_energy"


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Everything heard that a picture may use at one instant; numbers without a unit are 0..1.

    time_s: seconds of the source. level: how far the picture is moved, 1 at a strong kick, then falling as
    `beat.motion` says, and without kicks as `beat.without_kicks` says: the depth shown is
    1 + level x (number of depths - 1).
    low_energy: the energy of the lows relative to its own recent maximum, falling as `beat.decay` says, see
    `EnergyFollower`; 0 unless needed.
    n_kicks: kicks reported so far; kick: whether one was reported since the previous features; kick_strength: of the
    newest; kick_time_s: seconds since it, NEVER_S before the first.
    bass, mid, high, loudness: amplitude of a band and of the whole relative to its own recent maximum, with attack and
    release of the settings; 0 unless needed.
    n_snares, n_hats, n_bass_notes: onsets so far; snare, hat, bass_note: 1 at an onset, falling to 0 within a fraction
    of a second.
    bpm: beats a minute, 0 if not known; beat_phase, bar_phase: place in the beat and in the bar of four, 0 on it;
    beat_number: beats since the source began; confidence: how certain the tempo is. 0 unless needed, but for a live
    source.
    variant: place along the variants of a preset, 0 the first, 1 the last; 0 unless needed.
    is_fallback: whether the fallback metronome moves the picture, since there is no sound.
    md_bass, md_mid, md_treb: amplitude of a band relative to its own mean of some seconds, 1 on average and in silence,
    see `RelativeBandFollower`; md_bass_att, md_mid_att, md_treb_att: the same, smoothed. 1 unless needed.
    sound: the newest sound, of which `beat.sound` makes spectra and waveforms; None unless needed.
    """

    time_s: float = 0.0
    level: float = 0.0
    low_energy: float = 0.0
    n_kicks: int = 0
    kick: bool = False
    kick_strength: float = 0.0
    kick_time_s: float = NEVER_S
    bass: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    loudness: float = 0.0
    n_snares: int = 0
    n_hats: int = 0
    n_bass_notes: int = 0
    snare: float = 0.0
    hat: float = 0.0
    bass_note: float = 0.0
    bpm: float = 0.0
    beat_phase: float = 0.0
    bar_phase: float = 0.0
    beat_number: int = 0
    confidence: float = 0.0
    variant: float = 0.0
    is_fallback: bool = False
    md_bass: float = 1.0
    md_mid: float = 1.0
    md_treb: float = 1.0
    md_bass_att: float = 1.0
    md_mid_att: float = 1.0
    md_treb_att: float = 1.0
    sound: SoundBlock | None = None
