"""The words of GLSL: what a text uses and declares, and the same text with words replaced, line for line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..errors import BadInput
from .expression import parse

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
_DIRECTIVE = re.compile(r"#\s*(\w*)(.*)", re.DOTALL)
_DEFINED = re.compile(r"\bdefined\b\s*\(?\s*(\w+)\s*\)?")
#: so many macros are replaced in a shader at most: their bodies may double with each that uses another twice
_MAX_EXPANSIONS = 10_000
#: macros within macros are expanded so deep: each is a call of its own
_MOST_NESTED = 64
_UNPARTED = re.compile(r"^([ \t]*#[ \t]*define[ \t]+[A-Za-z_]\w*)(?=[^\s\w(])", re.MULTILINE | re.ASCII)
_HOISTED = re.compile(r"[ \t]*#[ \t]*(version|extension|line|iChannel\d|iKeyboard)\b([^\n]*)")


class Token(NamedTuple):
    """A token and its kind, "number", "word", "space" or "mark"; is_field: what follows a dot, as x in `place.x`."""

    kind: str
    text: str
    is_field: bool = False


def without_comments(text: str) -> str:
    """The same lines with blanks for comments, and with a line that `\\` continues put together, followed by empty
    ones.

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
    branches = _Branches()
    depth, nested = 0, 0  # of { } and of ( ) [ ]
    before = ""
    for line in text.split("\n"):
        if line.lstrip().startswith("#"):
            depth, nested = branches.enter(line, (depth, nested))
            continue
        for token in branches.expanded(line) if branches.is_taken else ():
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


class _Branches:
    """Which lines #if and its kin leave. is_taken: whether those that follow are compiled, or it cannot be known."""

    def __init__(self) -> None:
        self.is_taken = True
        self._macros = {"__VERSION__": "330", "GL_core_profile": "1"}
        self._bodies: dict[str, str] = {}  # of the macros without parameters
        self._n_left = _MAX_EXPANSIONS
        # of each #if: the depth at its begin, whether it is taken itself, and whether one of its branches was
        self._open: list[tuple[tuple[int, int], bool, bool]] = []

    def enter(self, line: str, depth: tuple[int, int]) -> tuple[int, int]:
        """Take in a line that begins with #. depth: of brackets before it. Returns that after it: each branch of an #if
        begins with the same.
        """
        kind, rest = _DIRECTIVE.fullmatch(line.strip()).groups()  # type: ignore[union-attr]  # matches any such line
        if kind == "define" and self.is_taken and (defined := re.match(r"\s*(\w+)(.*)", rest)):
            self._macros[defined[1]] = defined[2].strip()
            self._bodies.pop(defined[1], None)
            if not defined[2].startswith("("):
                self._bodies[defined[1]] = defined[2].strip()
        elif kind == "undef" and self.is_taken:
            self._macros.pop(rest.strip(), None)
            self._bodies.pop(rest.strip(), None)
        elif kind in ("if", "ifdef", "ifndef"):
            condition = self._condition(kind, rest)
            self._open.append((depth, self.is_taken, condition is True))
            self.is_taken = self.is_taken and condition is not False
        elif kind in ("else", "elif") and self._open:
            depth, is_outer, was_taken = self._open.pop()
            condition = None if kind == "else" else self._condition("if", rest)
            self.is_taken = is_outer and not was_taken and condition is not False
            self._open.append((depth, is_outer, was_taken or condition is True))
        elif kind == "endif" and self._open:
            _, self.is_taken, _ = self._open.pop()
        return depth

    def expanded(self, text: str, within: frozenset[str] = frozenset()) -> Iterator[Token]:
        """The tokens of a text, those of its body in the place of each macro that has no parameters. within: the macros
        whose bodies these are.
        """
        for token in tokens(text):
            name = token.text
            is_macro = name in self._bodies and name not in within and not token.is_field
            if is_macro and self._n_left > 0 and len(within) < _MOST_NESTED:
                self._n_left -= 1
                yield from self.expanded(self._bodies[name], within | {name})
            else:
                yield token

    def _condition(self, kind: str, rest: str) -> bool | None:
        """Whether a condition holds, None where that cannot be known here."""
        if kind != "if":
            return (rest.strip() in self._macros) == (kind == "ifdef")
        rest = _DEFINED.sub(lambda found: str(int(found[1] in self._macros)), rest)
        try:
            expression = parse(rest)
            return bool(expression.evaluate({name: float(self._macros.get(name, "0")) for name in expression.names}))
        except (BadInput, ValueError):
            return None


def hoisted(text: str) -> tuple[str, list[str]]:
    """A text without comments, whose lines #version, #extension and #line are empty, and those that editors for
    Shadertoy have, such as #iChannel0; and its #extension lines, which must stand at its begin.

    An extension that is required is enabled: where the driver lacks it, what uses it is the error. A macro without a
    blank before its body, as in `#define NEAR.001`, gets one: not every compiler does without.
    """
    extensions = ["#extension" + rest for kind, rest in _HOISTED.findall(text) if kind == "extension"]
    extensions = [re.sub(r"\brequire\b", "enable", one).strip() for one in extensions]
    return _UNPARTED.sub(r"\1 ", _HOISTED.sub("", text)), extensions
