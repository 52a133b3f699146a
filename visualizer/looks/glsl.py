"""The words of GLSL: what a text uses and declares, and the same text with words replaced, line for line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_RESERVED = """
    attribute const uniform varying layout centroid flat smooth noperspective break continue do for while switch case
    default if else in out inout float int void bool true false invariant discard return mat2 mat3 mat4 mat2x2 mat2x3
    mat2x4 mat3x2 mat3x3 mat3x4 mat4x2 mat4x3 mat4x4 vec2 vec3 vec4 ivec2 ivec3 ivec4 bvec2 bvec3 bvec4 uint uvec2 uvec3
    uvec4 lowp mediump highp precision sampler1D sampler2D sampler3D samplerCube sampler1DShadow sampler2DShadow
    samplerCubeShadow sampler1DArray sampler2DArray sampler1DArrayShadow sampler2DArrayShadow isampler1D isampler2D
    isampler3D isamplerCube isampler1DArray isampler2DArray usampler1D usampler2D usampler3D usamplerCube
    usampler1DArray usampler2DArray sampler2DRect sampler2DRectShadow isampler2DRect usampler2DRect samplerBuffer
    isamplerBuffer usamplerBuffer sampler2DMS isampler2DMS usampler2DMS sampler2DMSArray isampler2DMSArray
    usampler2DMSArray struct common partition active asm class union enum typedef template this packed goto inline
    noinline volatile public static extern external interface long short double half fixed unsigned superp input output
    hvec2 hvec3 hvec4 dvec2 dvec3 dvec4 fvec2 fvec3 fvec4 sampler3DRect filter image1D image2D image3D imageCube
    iimage1D iimage2D iimage3D iimageCube uimage1D uimage2D uimage3D uimageCube image1DArray image2DArray iimage1DArray
    iimage2DArray uimage1DArray uimage2DArray image1DShadow image2DShadow image1DArrayShadow image2DArrayShadow
    imageBuffer iimageBuffer uimageBuffer sizeof cast namespace using row_major sample patch subroutine main
"""
#: words that cannot be names in GLSL 3.30: the types and keywords that it has, and those that it reserves
RESERVED = frozenset(_RESERVED.split())

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_CONTINUED = re.compile(r"(?:[^\n]*\\\n)+[^\n]*")
# a number is one token, so that its e and f are no words
_TOKEN = re.compile(r"(?P<number>\.?\d[\w.]*)|(?P<word>[A-Za-z_]\w*)|(?P<space>\s+)|(?P<mark>.)", re.ASCII | re.DOTALL)
_BRANCH = re.compile(r"\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b")
_HOISTED = re.compile(r"[ \t]*#[ \t]*(version|extension|line)\b([^\n]*)")


class Token(NamedTuple):
    """A token and its kind, "number", "word", "space" or "mark"; is_field: what follows a dot, as x in `place.x`."""

    kind: str
    text: str
    is_field: bool = False


def without_comments(text: str) -> str:
    """The same lines with blanks for comments, and with a line that `\\` continues put together, followed by empty ones.

    GLSL 3.30 knows no continued lines.
    """
    text = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return _CONTINUED.sub(lambda found: found[0].replace("\\\n", " ") + "\n" * found[0].count("\n"), text)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text without comments."""
    before = ""
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        yield Token(kind, found[0], before == ".")
        if kind != "space":
            before = found[0]


def words(text: str) -> frozenset[str]:
    """The words of a text without comments, but for fields of structures and vectors."""
    return frozenset(one.text for one in tokens(text) if one.kind == "word" and not one.is_field)


def with_words(text: str, others: Mapping[str, str]) -> str:
    """A text without comments with words replaced. others: by word, what stands in its place."""
    return "".join(
        others.get(one.text, one.text) if one.kind == "word" and not one.is_field else one.text for one in tokens(text)
    )


def declared(text: str) -> frozenset[str]:
    """The names that a text without comments declares at global scope: variables, functions, structures."""
    found: set[str] = set()
    depth, nested = 0, 0  # of { } and of ( ) [ ]
    before = ""
    depths: list[tuple[int, int]] = []
    for line in text.split("\n"):
        if line.lstrip().startswith("#"):
            # each branch of an #if continues from where the first began
            if branch := _BRANCH.match(line):
                if branch[1] in ("else", "elif"):
                    depth, nested = depths[-1] if depths else (depth, nested)
                elif branch[1] == "endif":
                    depths = depths[:-1]
                else:
                    depths.append((depth, nested))
            continue
        for token in tokens(line):
            if token.kind == "space":
                continue
            mark = token.text
            if token.kind == "word":
                # a name follows its type, another name, or the ] or } that its type ends with
                is_named = bool(re.match(r"[\w,\]}]", before)) and before not in ("return", "precision")
                if depth == nested == 0 and is_named:
                    found.add(mark)
            elif mark in "([":
                nested += 1
            elif mark in ")]":
                nested = max(nested - 1, 0)
            elif mark == "{":
                depth, nested = depth + 1, 0
            elif mark == "}":
                depth, nested = max(depth - 1, 0), 0
            before = mark
    return frozenset(found - RESERVED) | (found & {"main"})


def hoisted(text: str) -> tuple[str, list[str]]:
    """A text without comments, with its #version, #extension and #line lines empty; and the #extension lines, for its begin.

    An extension that is required is enabled: where the driver lacks it, what uses it is the error.
    """
    extensions = ["#extension" + rest for kind, rest in _HOISTED.findall(text) if kind == "extension"]
    extensions = [re.sub(r"\brequire\b", "enable", one).strip() for one in extensions]
    return _HOISTED.sub("", text), extensions
