"""A program: the shaders that a pass of a look is drawn with, and what their textures are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .source import ShaderSource


@dataclass(frozen=True)
class TextureRef:
    """What a sampler of a program reads.

    source: the dream frames ("frames" smoothed, "texels" not); the newest picture of one of the look's own targets
    ("target"); an image input ("input"); an imported file ("file"), or six ("cube"); an audio or audioFFT input;
    `spectrum` or `waveform` of `looks.uniforms.MUSIC`; Shadertoy's 512 x 2 of sound; fixed noise; or black. name: of
    the target, input or import; of noise "grey" or "rgba". filter: "mipmap" only for a target, an input, a file and
    noise. columns: of audio and audioFFT, 0 for all there are; of noise, as many as rows. is_top_first: of a file and
    of noise, whether its place (0, 0) is the top left corner instead of the bottom left one.
    """

    source: Literal[
        "frames",
        "texels",
        "target",
        "input",
        "file",
        "cube",
        "audio",
        "audioFFT",
        "spectrum",
        "waveform",
        "shadertoy_sound",
        "noise",
        "black",
    ]
    name: str = ""
    wrap: Literal["clamp", "repeat"] = "clamp"
    filter: Literal["linear", "nearest", "mipmap"] = "linear"
    columns: int = 0
    is_top_first: bool = False


#: what the samplers of `looks.uniforms` read
OWN_TEXTURES: Mapping[str, TextureRef] = {
    "frames": TextureRef("frames"),
    "texels": TextureRef("texels", filter="nearest"),
    "spectrum": TextureRef("spectrum"),
    "waveform": TextureRef("waveform"),
}


_PASSINDEX = "uniform int PASSINDEX;"


@dataclass(frozen=True)
class Program:
    """A vertex and a fragment shader, GLSL 330 core. textures: what each sampler reads, by the name of its uniform."""

    vertex: ShaderSource
    fragment: ShaderSource
    textures: Mapping[str, TextureRef] = field(default_factory=dict)

    def defining(self, defines: Mapping[str, int]) -> Program:
        """The same with names defined in the fragment shader."""
        return replace(self, fragment=self.fragment.defining(defines))

    def in_pass(self, index: int) -> Program:
        """The same for one pass only: its fragment shader has PASSINDEX as a constant, so that what it does in other
        passes costs nothing. A software driver computes both sides of every `if`.
        """
        text = self.fragment.text.replace(_PASSINDEX, f"const int PASSINDEX = {index};")
        return replace(self, fragment=replace(self.fragment, text=text))
