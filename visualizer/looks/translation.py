"""Shaders in the Interactive Shader Format (ISF) and of Shadertoy as GLSL 3.30 core: what their hosts declare for them
is put before each, and every line knows where it came from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..errors import BadInput
from ..resources import shipped
from .declaration import Declaration
from .glsl import declared, hoisted, tokens, with_words, without_comments, words
from .program import OWN_TEXTURES, Program, TextureRef
from .source import ShaderSource, read_shader
from .uniforms import ISF, MUSIC, PICTURE, SHADERTOY

#: what is declared, by its name
Lines = Mapping[str, str]

#: words of older GLSL, and what they are in 3.30
_NEWER = {
    "texture2D": "texture",
    "texture2DLod": "textureLod",
    "texture2DLodEXT": "textureLod",
    "texture2DProj": "textureProj",
    "texture2DGradEXT": "textureGrad",
    "textureCube": "texture",
    "textureCubeLod": "textureLod",
    "textureCubeLodEXT": "textureLod",
}
_VERTEX_WORDS = {
    **_NEWER,
    "varying": "out",
    "vv_FragNormCoord": "isf_FragNormCoord",
    "vv_vertShaderInit": "isf_vertShaderInit",
}
_FRAGMENT_WORDS = {
    **_NEWER,
    "varying": "in",
    "vv_FragNormCoord": "isf_FragNormCoord",
    "gl_FragColor": "isf_FragColor",
    "isf_FragCoord": "gl_FragCoord.xy",
}
# functions of GLSL 3.30 that nobody calls, and that none of a look's own may be called like
_HIDDEN = frozenset(("noise1", "noise2", "noise3", "noise4"))
# words that GLSL 3.30 reserves without a meaning, or that an extension does; in others they may be names
_FREE_WORDS = frozenset(
    ["sample", "packed", "active", "common", "filter", "fixed", "half", "input", "output", "partition"]
)
# what newer GLSL has, and the words that need it: an int that is returned as a float; one that is given for an uint,
# which makes `sample` a keyword; functions of its own
_EXTENSIONS: Mapping[str, frozenset[str]] = {
    "GL_ARB_shading_language_420pack": frozenset(),
    "GL_ARB_gpu_shader5": frozenset(("uint", "uvec2", "uvec3", "uvec4")),
    "GL_ARB_shading_language_packing": frozenset(
        f"{verb}{kind}2x16" for verb in ("pack", "unpack") for kind in ("Snorm", "Unorm", "Half")
    ),
}
_UNIFORM = re.compile(r"\buniform\s+(?:(?:low|medium|high)p\s+)?\w+\s+([^;={}]*);")
#: former names, which a plain look may still declare
_FORMER = frozenset(("row", "rows", "variants"))
#: the corners of a strip of two triangles that are the picture
_CORNERS = """
out vec2 isf_FragNormCoord;
void isf_vertShaderInit() {
    isf_FragNormCoord = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    gl_Position = vec4(isf_FragNormCoord * 2.0 - 1.0, 0.0, 1.0);
}
"""
# Functions and not macros: not every driver has macros with any number of arguments. They stand before the look's own
# code: a function of its own called texture hides GLSL's only from there on.
_IMG = """
vec4 IMG_NORM_PIXEL(sampler2D image, vec2 place) { return texture(image, place); }
vec4 IMG_NORM_PIXEL(samplerCube image, vec3 direction) { return texture(image, direction); }
vec4 IMG_PIXEL(sampler2D image, vec2 pixel) { return texture(image, pixel / vec2(textureSize(image, 0))); }
vec4 IMG_THIS_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }
vec4 IMG_THIS_NORM_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }
vec4 IMG_NORM_THIS_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }
vec2 IMG_SIZE(sampler2D image) { return vec2(textureSize(image, 0)); }
vec2 IMG_SIZE(samplerCube image) { return vec2(textureSize(image, 0)); }
"""
_IMG_BIASED = """
vec4 IMG_NORM_PIXEL(sampler2D image, vec2 place, float bias) { return texture(image, place, bias); }
vec4 IMG_NORM_PIXEL(samplerCube image, vec3 direction, float bias) { return texture(image, direction, bias); }
vec4 IMG_PIXEL(sampler2D image, vec2 pixel, float bias) { return texture(image, pixel / IMG_SIZE(image), bias); }
vec4 IMG_THIS_PIXEL(sampler2D image, float bias) { return texture(image, isf_FragNormCoord, bias); }
vec4 IMG_THIS_NORM_PIXEL(sampler2D image, float bias) { return texture(image, isf_FragNormCoord, bias); }
vec4 IMG_NORM_THIS_PIXEL(sampler2D image, float bias) { return texture(image, isf_FragNormCoord, bias); }
"""
_PLAIN_MAIN = "void main() { isf_vertShaderInit(); }"
# the alpha of Shadertoy's picture means nothing, that of its buffers does
_SHADERTOY_MAIN = """
void main() {
    isf_FragColor = vec4(0.0, 0.0, 0.0, 1.0);
    mainImage(isf_FragColor, gl_FragCoord.xy);%s
}
"""


class Channel(NamedTuple):
    """One of Shadertoy's iChannels: what it reads, and the type of its sampler."""

    texture: TextureRef
    kind: Literal["sampler2D", "samplerCube", "sampler3D"] = "sampler2D"


def isf_program(fragment: ShaderSource, vertex: ShaderSource | None, declaration: Declaration) -> Program:
    """The program of a look in the Interactive Shader Format, for all its passes.

    fragment: of the .fs file; vertex: of the .vs file beside it, None without. Raises BadInput for an input with a name
    that the program uses itself.
    """
    # those of Shadertoy, too: a shader of its may come with a main() of its own that calls mainImage()
    before = {one.name: one.line for one in (*ISF, *SHADERTOY)} | declared_lines(declaration)
    body = _body(fragment, _FRAGMENT_WORDS)
    return Program(
        _vertex(vertex, fragment, before, declaration),
        body.after(
            "in vec2 isf_FragNormCoord;",
            *(["out vec4 isf_FragColor;"] if "isf_FragColor" in body.words else []),
            *body.own_lines(declaration),
            *(_IMG + _IMG_BIASED).strip().split("\n"),
            *body.needed(before),
        ),
        {**OWN_TEXTURES, **textures_of(declaration)},
    )


def shadertoy_program(
    source: ShaderSource, channels: Mapping[str, Channel], declaration: Declaration, *, is_picture: bool
) -> Program:
    """The program of one of Shadertoy's passes.

    source: with a function mainImage, behind the code that all passes have. channels: by name, iChannel0 and so on.
    is_picture: whether it is the last pass, whose alpha is 1. Raises BadInput for an input with a name that the program
    uses itself.
    """
    kinds = {name: f"uniform {one.kind} {name};" for name, one in channels.items()}
    before = {one.name: one.line for one in SHADERTOY} | declared_lines(declaration) | kinds
    body = _body(source, _NEWER | {"gl_FragColor": "isf_FragColor"})
    shader = body.after("out vec4 isf_FragColor;", *body.own_lines(declaration), *body.needed(before))
    main = (_SHADERTOY_MAIN % ("\n    isf_FragColor.a = 1.0;" if is_picture else "")).strip().split("\n")
    return Program(
        _vertex(None, source, {}, declaration),
        ShaderSource("\n".join([shader.text, *main]), (*shader.lines, *[shader.lines[-1]] * len(main)), shader.files),
        {**OWN_TEXTURES, **textures_of(declaration), **{name: one.texture for name, one in channels.items()}},
    )


@dataclass(frozen=True)
class _Body:
    """A shader without comments. words: those that it uses. declared: the names that it declares for all its functions.
    extensions: lines to begin with.
    """

    source: ShaderSource
    words: frozenset[str]
    declared: frozenset[str]
    extensions: tuple[str, ...]

    def needed(self, lines: Lines) -> list[str]:
        """The lines that declare what it uses and does not declare itself."""
        return [line for name, line in lines.items() if name in self.words and name not in self.declared]

    def own_lines(self, declaration: Declaration) -> list[str]:
        """What it uses of our own: `dream`, and the uniforms of `looks.uniforms`, but for what the look calls so."""
        taken = _names(declaration)
        own = {one.name: one.line for one in MUSIC}
        lines: list[str] = []
        if "dream" in self.words - self.declared - taken:
            used = {one.name for one in PICTURE} & taken
            if used:
                raise BadInput(
                    f"{self.source.lines[0].place}: {min(used)!r} is a name that dream() uses itself; call the input or "
                    "target otherwise"
                )
            text = read_shader(shipped("shaders") / "base" / "dream_in_picture.glsl").text
            # they move places about, so that no frame pixel is a screen pixel: always smoothed
            text = with_words(without_comments(text), {"EXACT": "NEVER_EXACT"})
            lines = [line for line in text.split("\n") if line.strip()]
        else:
            own |= {one.name: one.line for one in PICTURE}
        return [*lines, *self.needed({name: line for name, line in own.items() if name not in taken})]

    def after(self, *before: str) -> ShaderSource:
        """The shader with these lines before it."""
        first = ["#version 330 core", *self.extensions, *before]
        return ShaderSource(
            "\n".join([*first, self.source.text]),
            (*[self.source.lines[0]] * len(first), *self.source.lines),
            self.source.files,
        )


def _body(source: ShaderSource, others: Lines) -> _Body:
    """A shader with words replaced by `others`, but for those that it declares itself."""
    text, extensions = hoisted(without_comments(source.text))
    names = declared(text)
    others = {word: other for word, other in others.items() if word not in names}
    text = with_words(text, others | {word: f"own_{word}" for word in (_HIDDEN & names) | _FREE_WORDS})
    used = words(text)
    newer = [f"#extension {name} : enable" for name, needs in _EXTENSIONS.items() if not needs or needs & used]
    return _Body(ShaderSource(text, source.lines, source.files), used, names, (*newer, *extensions))


def _vertex(
    vertex: ShaderSource | None, fragment: ShaderSource, before: Lines, declaration: Declaration
) -> ShaderSource:
    body = _body(vertex or ShaderSource(_PLAIN_MAIN, fragment.lines[:1]), _VERTEX_WORDS)
    # without a vertex shader nothing but the corners is needed
    rest = [*body.own_lines(declaration), *_IMG.strip().split("\n"), *body.needed(before)] if vertex else []
    return body.after(*_CORNERS.strip().split("\n"), *rest)


def unset_uniforms(text: str, program: Program, declaration: Declaration) -> list[str]:
    """A line for each uniform that a shader declares and uses, and that nothing sets. text: of its own file."""
    text = without_comments(text)
    used = Counter(one.text for one in tokens(text) if one.kind == "word" and not one.is_field)
    known = _names(declaration) | program.textures.keys() | _FORMER
    known |= {one.name for one in (*PICTURE, *MUSIC, *ISF, *SHADERTOY)}
    names = [name for found in _UNIFORM.findall(text) for name in re.findall(r"(?:^|,)\s*([A-Za-z_]\w*)", found)]
    return [
        f"its uniform {name!r} stays 0: no input is called so; add it to INPUTS, or use one of the program's, such as "
        "TIME and RENDERSIZE"
        for name in dict.fromkeys(names)
        if name not in known and used[name] > 1
    ]


def declared_lines(declaration: Declaration) -> dict[str, str]:
    """The lines that declare a look's inputs, targets and pictures, and what ISF's hosts declare beside a picture."""
    lines = {one.name: one.line for one in declaration.inputs}
    for name, texture in textures_of(declaration).items():
        kind = "samplerCube" if texture.source == "cube" else "sampler2D"
        lines.setdefault(name, f"uniform {kind} {name};")
        lines[f"_{name}_imgRect"] = f"#define _{name}_imgRect vec4(0.0, 0.0, 1.0, 1.0)"
        lines[f"_{name}_imgSize"] = f"#define _{name}_imgSize vec2(textureSize({name}, 0))"
        lines[f"_{name}_flip"] = f"#define _{name}_flip false"
    return lines


def textures_of(declaration: Declaration) -> dict[str, TextureRef]:
    """What the samplers of a look's inputs, targets and pictures read, by name."""
    found: dict[str, TextureRef] = {}
    for one in declaration.inputs:
        if one.kind == "image":
            found[one.name] = TextureRef("input", one.name)
        elif one.kind == "audio" or one.kind == "audioFFT":
            found[one.name] = TextureRef(one.kind, one.name, columns=one.max_columns)
        elif one.kind == "cube":
            found[one.name] = TextureRef("black")
    found |= {one.target: TextureRef("target", one.target) for one in declaration.passes if one.target}
    return found | {
        name: TextureRef("cube" if len(files) > 1 else "file", name) for name, files in declaration.imported.items()
    }


def _names(declaration: Declaration) -> set[str]:
    return {one.name for one in declaration.inputs} | set(textures_of(declaration))
