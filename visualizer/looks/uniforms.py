"""The uniforms that every look may use: names, types and meanings, as in the tables of docs/looks.md."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple


class Uniform(NamedTuple):
    """A uniform that the program sets. name: in GLSL; kind: its type in GLSL; words: what it holds, with unit and
    range; length: of an array.
    """

    name: str
    kind: Literal["float", "int", "vec2", "vec3", "vec4", "sampler2D", "sampler2DArray"]
    words: str
    length: int = 1

    @property
    def line(self) -> str:
        """What declares it in GLSL."""
        return f"uniform {self.kind} {self.name}{f'[{self.length}]' if self.length > 1 else ''};"


#: of the picture and its dream frames; `#include "base/dream.glsl"` declares them
PICTURE = (
    Uniform("depth", "float", "how deep to dream, never NaN: 0 .. the deepest that any variant goes"),
    Uniform("deepest", "float", "index of the first variant's deepest dream frame: those beyond are not baked yet"),
    Uniform("variant", "float", "which variant, or between which two: 0 .. the number of variants - 1, never NaN"),
    Uniform("frame_size", "vec2", "width and height of a dream frame, px"),
    Uniform("size", "vec2", "width and height of the picture drawn, px"),
    Uniform("time_s", "float", "time of this display frame, seconds of the sound"),
    Uniform("frames", "sampler2DArray", "the dream frames, layer k is depth k of the first variant; linear, clamped"),
    Uniform("texels", "sampler2DArray", "the same without smoothing: quicker where a frame pixel is a screen pixel"),
)

#: of the music; `#include "base/music.glsl"` declares them
MUSIC = (
    Uniform(
        "level",
        "float",
        "how far the picture is moved, 0..1: 1 at a strong kick, falling after it; gives `depth`",
    ),
    Uniform("kick", "float", "1 at a kick, then halved every 0.1 s"),
    Uniform("kick_time_s", "float", "seconds since the newest kick, 1e6 before the first"),
    Uniform("snare", "float", "1 at a snare, falling to 0 within a fraction of a second"),
    Uniform("hat", "float", "1 at a hi-hat, falling to 0 within a fraction of a second"),
    Uniform("bass_note", "float", "1 at the beginning of a bass note, falling to 0 within a fraction of a second"),
    Uniform("bass", "float", "amplitude of the bass, relative to its own recent maximum, 0..1"),
    Uniform("mid", "float", "the same of the mids, 0..1"),
    Uniform("high", "float", "the same of the highs, 0..1"),
    Uniform("energy", "float", "mean of bass, mid and high, 0..1"),
    Uniform(
        "low_energy", "float", "energy of the lows (`low_hz` to `high_hz`), relative to its own recent maximum, 0..1"
    ),
    Uniform("loudness", "float", "amplitude of all that sounds, relative to its own recent maximum, 0..1"),
    Uniform("bpm", "float", "tempo, beats a minute; 0 if it is not known"),
    Uniform("confidence", "float", "how certain the tempo is, 0..1"),
    Uniform("beat_phase", "float", "place in the beat, 0 on it .. 1 at the next"),
    Uniform("bar_phase", "float", "place in the bar of four beats, 0 on the first .. 1"),
    Uniform("beat_number", "float", "beats since the sound began, a whole number"),
    Uniform("md_bass", "float", "as MilkDrop's `bass`: amplitude of 20-250 Hz relative to its own mean, 1 on average"),
    Uniform("md_mid", "float", "as MilkDrop's `mid`: the same of 250-2000 Hz"),
    Uniform("md_treb", "float", "as MilkDrop's `treb`: the same of 2000-12000 Hz"),
    Uniform("md_bass_att", "float", "`md_bass`, smoothed"),
    Uniform("md_mid_att", "float", "`md_mid`, smoothed"),
    Uniform("md_treb_att", "float", "`md_treb`, smoothed"),
    Uniform("spectrum", "sampler2D", "512 x 1: magnitudes, -100..-30 dB as 0..1; 0 Hz to a quarter of the sample rate"),
    Uniform("waveform", "sampler2D", "512 x 1: the newest samples, -1..1, the newest on the right"),
)

#: of a pass, as in the Interactive Shader Format
ISF = (
    Uniform("PASSINDEX", "int", "which pass is drawn, from 0"),
    Uniform("RENDERSIZE", "vec2", "width and height of what this pass draws into, px"),
    Uniform("TIME", "float", "seconds since the preset is shown, or since a recording began"),
    Uniform("TIMEDELTA", "float", "seconds since the display frame before, 0 in the first"),
    Uniform("DATE", "vec4", "year, month, day, seconds since midnight"),
    Uniform("FRAMEINDEX", "int", "display frames drawn before this one"),
)

#: of a pass, as in Shadertoy
SHADERTOY = (
    Uniform("iResolution", "vec3", "width and height of what this pass draws into, px, and 1"),
    Uniform("iTime", "float", "seconds since the preset is shown, or since a recording began"),
    Uniform("iTimeDelta", "float", "seconds since the display frame before"),
    Uniform("iFrame", "int", "display frames drawn before this one"),
    Uniform("iFrameRate", "float", "display frames a second"),
    Uniform("iDate", "vec4", "year, month from 0, day, seconds since midnight"),
    Uniform("iMouse", "vec4", "always 0"),
    Uniform("iSampleRate", "float", "sample rate of the sound, Hz; 44100 where there is none"),
    Uniform("iChannelTime", "float", "iTime, of each channel", 4),
    Uniform("iChannelResolution", "vec3", "of iChannel0 .. iChannel3: width and height, px, and 1", 4),
)

#: what they are while nothing sounds
SILENCE: Mapping[str, float] = MappingProxyType(
    {
        one.name: 1e6 if one.name == "kick_time_s" else 1.0 if one.name.startswith("md_") else 0.0
        for one in MUSIC
        if one.kind == "float"
    }
)
