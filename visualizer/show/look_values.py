"""What looks are given of the music: uniforms, and the numbers of expressions, made of features."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, get_args

from ..beat.features import SOUND, Features
from ..beat.sound import SoundSource, sound_rows
from ..looks.uniforms import MUSIC

#: time after which the uniform `kick` is half of what it was, seconds
KICK_HALF_S = 0.1
_OF_THEIR_NAME = tuple(one.name for one in MUSIC if one.name in {field.name for field in fields(Features)} - {"kick"})
#: the fields of `Features` that a uniform is made of, where it is not the one of its name
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    "energy": ("bass", "mid", "high"),
    "kick": ("kick_time_s",),
    "beat": ("bpm", "beat_phase"),
    "bar": ("bpm", "bar_phase"),
    "depth": ("level",),
    "iSampleRate": (SOUND,),
}


def uniforms_of(features: Features, names: Collection[str]) -> dict[str, Any]:
    """The values of some uniforms for what is heard.

    names: of `looks.uniforms.MUSIC`, "iSampleRate", and textures of the sound: "shadertoy_sound", "audio:N" and
    "audioFFT:N" with N columns, 0: as many as there are. See `beat.sound.sound_rows`; without sound these have no
    value.
    """
    values: dict[str, Any] = {name: getattr(features, name) for name in _OF_THEIR_NAME if name in names}
    if "kick" in names:
        values["kick"] = 0.5 ** (max(features.kick_time_s, 0.0) / KICK_HALF_S)
    if "energy" in names:
        values["energy"] = (features.bass + features.mid + features.high) / 3
    if features.sound is not None:
        if "iSampleRate" in names:
            values["iSampleRate"] = float(features.sound.rate_hz)
        for name in names:
            if (source := _sound_source(name)) is not None:
                rows = sound_rows(source, features.sound, int(name.partition(":")[2] or 0))
                values[name] = rows if len(rows) > 1 else rows[0]
    return values


def numbers_of(features: Features, names: Collection[str], depth: float, variant: float) -> dict[str, float]:
    """The values of some names of `looks.modulation.NAMES`. depth, variant: what is drawn of the dream."""
    values: dict[str, float] = uniforms_of(features, names)
    has_tempo = features.bpm > 0
    own = {
        "time_s": features.time_s,
        "depth": depth,
        "variant": variant,
        "beat": 1.0 - features.beat_phase if has_tempo else 0.0,
        "bar": 1.0 - features.bar_phase if has_tempo else 0.0,
        "n_kicks": features.n_kicks,
        "n_snares": features.n_snares,
        "n_hats": features.n_hats,
        "n_bass_notes": features.n_bass_notes,
    }
    return {name: float(values.get(name, own.get(name, 0.0))) for name in names}


def needs_of(names: Collection[str]) -> frozenset[str]:
    """The fields of `Features` that some names of `uniforms_of` are made of, for `Source.needs`."""
    return frozenset(
        field
        for name in names
        for field in ((SOUND,) if _sound_source(name) is not None else _MADE_OF.get(name, (name,)))
    )


def _sound_source(name: str) -> SoundSource | None:
    """What a name is of the sound: "audio" for "audio:64"; None for all that is not a texture of it."""
    return next((source for source in get_args(SoundSource) if source == name.partition(":")[0]), None)
