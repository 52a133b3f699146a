"""The JSON header of a shader: a comment at the begin of its file, as in the Interactive Shader Format (ISF)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NoReturn

from ..errors import BadInput
from ..oneline import plain

MAX_NESTING = 16

#: where a value stands in the header: keys, and indices of lists, from the outside in
Place = tuple[str | int, ...]

# what may stand before the header: space, lines like #version, `precision`, and comments that are none
_BEFORE = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|precision\b[^;]*;|/\*(?!\s*\{).*?\*/)*", re.DOTALL)
_BEGIN = re.compile(r"/\*\s*\{")
# behind another comment: code that is commented out may begin with {, too
_SURE_BEGIN = re.compile(r'/\*\s*\{\s*["}]')
_TOKEN = re.compile(
    r"""(?P<mark>[{}\[\]:,])
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])
      | (?P<word>true|false|null)\b""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Header:
    """A header's values, and the line of the file in which each stands. path: of the file, for messages."""

    path: FilePath
    values: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)

    def fault(self, place: Place, what: str) -> BadInput:
        """The error for the value at a place: "FILE:LINE: INPUTS.0.MIN: what"."""
        line = next((self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines), 1)
        dotted = ".".join(map(str, place))
        return BadInput(f"{plain(self.path)}:{line}: {plain(dotted)}{': ' if dotted else ''}{what}")


def read_header(text: str, path: FilePath) -> Header | None:
    """The header of a shader: the first comment that begins with {, before any code. None without.

    text: the whole file. path: for messages. Raises BadInput, with file and line, for a header that is not a JSON
    object.
    """
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    end = text.find("*/", start)
    begin = _SURE_BEGIN if "/*" in text[:start] else _BEGIN
    if not begin.match(text, start):
        return None
    if end < 0:
        line = text.count("\n", 0, start) + 1
        raise BadInput(f"{plain(path)}:{line}: the comment with the header has no end; write */ behind it")
    return _Parser(text, start + 2, end, path).document()


class _Parser:
    """Python's json does not say in which line a value stands, so this reads JSON by itself."""

    def __init__(self, text: str, start: int, end: int, path: FilePath) -> None:
        self._text, self._at, self._end, self._path = text, start, end, path
        self._line, self._counted = text.count("\n", 0, start) + 1, start
        self._lines: dict[Place, int] = {}

    def document(self) -> Header:
        values = self._value((), self._token())
        if (kind_and_token := self._token()) is not None:
            self._fail(f"{_shown(kind_and_token[1])} follows the end of the header")
        return Header(self._path, values, self._lines)

    def _token(self) -> tuple[str, str] | None:
        """The next token and its kind; None at the end."""
        self._at = _SPACE.match(self._text, self._at, self._end).end()  # type: ignore[union-attr]  # matches anything
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        if self._at >= self._end:
            return None
        found = _TOKEN.match(self._text, self._at, self._end)
        if found is None:
            self._fail(f"not valid JSON at {_shown(self._text[self._at : min(self._at + 20, self._end)])}")
        self._at = found.end()
        return str(found.lastgroup), found[0]

    def _value(self, place: Place, found: tuple[str, str] | None) -> Any:
        if found is None:
            self._fail("not valid JSON: the header ends too early")
        kind, token = found
        self._lines[place] = self._lines.get(place, self._line)
        if len(place) > MAX_NESTING:
            self._fail(f"nested deeper than {MAX_NESTING} levels")
        if token == "{":
            return dict(self._pairs(place))
        if token == "[":
            return list(self._items(place))
        if kind == "mark":
            self._fail(f"not valid JSON: {token} where a value is expected")
        if kind == "word":
            return _WORDS[token]
        try:
            if kind == "text":
                return json.loads(token, strict=False)
            number = float(token) if re.search("[.eE]", token) else int(token)
        except ValueError as fault:
            self._fail(f"not valid JSON: {plain(fault)}")
        # a whole number of 400 digits is no float
        if not -1e300 < number < 1e300 or not math.isfinite(number):
            self._fail(f"the number {_shown(token)} is too large")
        return number

    def _pairs(self, place: Place) -> Iterator[tuple[str, Any]]:
        while (found := self._token()) is not None and found[0] == "text":
            try:
                key = json.loads(found[1], strict=False)
            except ValueError as fault:
                self._fail(f"not valid JSON: {plain(fault)}")
            self._lines[*place, key] = self._line
            self._expect(":")
            yield key, self._value((*place, key), self._token())
            if self._expect(",}") == "}":
                return
        if found is None or found[1] != "}":
            self._fail('not valid JSON: a key in double quotes is expected, or }, as in {"NAME": "glow"}')

    def _items(self, place: Place) -> Iterator[Any]:
        index = 0
        while (found := self._token()) is not None and found[1] != "]":
            yield self._value((*place, index), found)
            index += 1
            if self._expect(",]") == "]":
                return
        if found is None:
            self._fail("not valid JSON: the list has no ]")

    def _expect(self, marks: str) -> str:
        found = self._token()
        if found is None or found[1] not in tuple(marks):
            said = "the header ends" if found is None else _shown(found[1])
            self._fail(f"not valid JSON: {said} where {' or '.join(marks)} is expected")
        return found[1]

    def _fail(self, what: str) -> NoReturn:
        raise BadInput(f"{plain(self._path)}:{self._line}: {what}")


def _shown(text: str) -> str:
    """A piece of the header for a message: one line, at most 40 characters."""
    short = plain(text, 40)
    return repr(short)
