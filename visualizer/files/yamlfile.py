"""Settings files: YAML read into a pydantic model; errors say FILE:LINE: key: what is wrong; what is allowed.

Scalars follow the YAML 1.2 core schema, not 1.1, so that a file means what it seems to mean: `1e-3` is a number, `no`
and `12:30` are text, `010` is ten. Types are strict: "20" is text and never becomes 20. Anchors, aliases and tags are
refused: no settings file needs them, and attacks by size and by code are built with them.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import BadInput
from ..oneline import plain, reason_of
from .constraints import describe_field, fill_empty_sections, known_keys, suggest_key

MAX_BYTES = 1_000_000
MAX_NESTING = 16

_Model = TypeVar("_Model", bound=BaseModel)

# libyaml where the wheel has it: the pure Python parser takes 10 s for the largest file allowed
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"(~|null|Null|NULL|)")
_BOOL = re.compile(r"(true|True|TRUE|false|False|FALSE)")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read_settings(path: Path, model: type[_Model], former: Mapping[str, str] = MappingProxyType({})) -> _Model:
    """The settings in the YAML file `path` (UTF-8, at most 1 MB, an empty file gives the defaults) as a `model`.

    former: for keys at the top that the model also takes by an earlier name, that name: {"variants": "rows"}.
    Raises BadInput with one line: `FILE:LINE: dotted.key: what is wrong; allowed: ...`. Of several faults the message
    has the first in the file, and the number of others.
    """
    text = _read_text(path)
    try:
        tree = _Composer(text).document()
    except _Fault as fault:
        raise BadInput(fault.message(path)) from None
    except yaml.YAMLError as error:
        raise BadInput(_syntax(path, text, error)) from None
    faults = list(tree.faults)
    try:
        result = model.model_validate(fill_empty_sections(model, tree.value), strict=True)
    except ValidationError as error:
        faults += [_explain(one, tree, model, former) for one in error.errors(include_url=False)]
    if faults:
        # missing keys come last: a mistyped key that explains one has a line of its own
        faults.sort(key=lambda fault: (fault.is_missing, fault.line))
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise BadInput(faults[0].message(path) + more)
    return result


def place_of(path: Path, place: tuple[str | int, ...]) -> tuple[int, int]:
    """The line in which the value at `place` stands in a settings file, of the section around it if it is not there,
    and the column where its text begins; 1 is the first, 0 is a column that is not known.

    place: keys and indices of lists from the top: ("render", "shader"). For errors found after the file was read.
    Raises BadInput for an unreadable file.
    """
    try:
        node = _Composer(_read_text(path)).document()
    except (_Fault, yaml.YAMLError):  # the file was changed since
        return 1, 0
    line = node.line
    for key in place:
        if key not in node.below:
            return line, 0
        line, node = node.key_lines[key], node.below[key]
    return (line, node.column) if line == node.line else (line, 0)


@dataclass
class _Fault(Exception):
    line: int  # 1 is the first
    what: str
    is_missing: bool = False

    def message(self, path: Path) -> str:
        return f"{plain(path)}:{self.line}: {self.what}"


@dataclass
class _Node:
    """A parsed value, its line and column, and (for mappings and lists) the nodes below it by key or index.

    column: of the first character of a text on one line, 1 is the first; else 0.
    """

    value: Any
    line: int
    column: int = field(default=0, kw_only=True)
    below: dict[str | int, _Node] = field(default_factory=dict)
    key_lines: dict[str | int, int] = field(default_factory=dict)
    faults: list[_Fault] = field(default_factory=list)


class _Composer:
    """Builds nodes from parser events: of bounded depth, and only mappings, lists and plain scalars."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._faults: list[_Fault] = []

    def document(self) -> _Node:
        root = _Node(None, 1)
        n_documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                n_documents += 1
                if n_documents > 1:
                    raise _Fault(_line(event), "a second document ('---') begins here; one file holds one")
                root = self._node(next(self._events), 0, "")
                if not isinstance(root.value, dict) and root.value is not None:
                    raise _Fault(root.line, f"{_shown(root.value)} is not a mapping; expected lines like 'key: value'")
        root.faults = self._faults
        return root

    def _node(self, event: Any, depth: int, where: str) -> _Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _Fault(line, f"{where}anchors (&) and aliases (*) are not used here; write the value out")
        if event.tag is not None:
            raise _Fault(line, f"{where}the tag {_shown(event.tag)} is not used here; write the value without it")
        if depth > MAX_NESTING:
            raise _Fault(line, f"nested deeper than {MAX_NESTING} levels")
        if isinstance(event, yaml.ScalarEvent):
            value = scalar(event.value) if event.implicit[0] else event.value
            return _Node(value, line, column=_column(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(line, depth, where)
        return self._mapping(line, depth, where)

    def _list(self, line: int, depth: int, where: str) -> _Node:
        node = _Node([], line)
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            index = len(node.value)
            child = self._node(event, depth + 1, where)
            node.below[index], node.key_lines[index] = child, child.line
            node.value.append(child.value)
        return node

    def _mapping(self, line: int, depth: int, where: str) -> _Node:
        node = _Node({}, line)
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise _Fault(_line(event), f"{where}a key must be plain text")
            key = self._key(event, where)
            dotted = f"{where.removesuffix(': ')}.{key}" if where else key
            child = self._node(next(self._events), depth + 1, plain(dotted) + ": ")
            if key in node.value:
                first = node.key_lines[key]
                self._faults.append(_Fault(_line(event), f"{plain(dotted)}: given twice, first in line {first}"))
                continue
            node.below[key], node.key_lines[key] = child, _line(event)
            node.value[key] = child.value
        return node

    def _key(self, event: Any, where: str) -> str:
        if event.anchor is not None or event.tag is not None:
            raise _Fault(_line(event), f"{where}anchors (&), aliases (*) and tags (!) are not used here")
        return str(event.value)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _column(event: Any) -> int:
    """Where the text of a scalar begins, behind its quote; 0 where it is on several lines or written with escapes."""
    begin, end = event.start_mark, event.end_mark
    n_quotes = 1 if event.style in ("'", '"') else 0
    is_as_written = begin.line == end.line and end.column - begin.column == len(event.value) + 2 * n_quotes
    return int(begin.column) + n_quotes + 1 if is_as_written else 0


def scalar(text: str) -> Any:
    """What a plain scalar means, by the core schema of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if len(text) > 64:  # no sensible number; and int() of thousands of digits raises
        return text
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _read_text(path: Path) -> str:
    shown = plain(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadInput(f"{shown}: is a folder, not a settings file")
        if not stat.S_ISREG(mode):  # reading a pipe would block
            raise BadInput(f"{shown}: is not an ordinary file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadInput(f"{shown}: no such file") from None
    except (OSError, ValueError) as fault:  # ValueError: a null byte in the name
        raise BadInput(f"{shown}: cannot be read: {reason_of(fault)}") from fault
    if len(data) > MAX_BYTES:
        raise BadInput(f"{shown}: larger than {MAX_BYTES // 1_000_000} MB, which no settings file is")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise BadInput(f"{shown}:{line}: not UTF-8 text (byte 0x{data[fault.start]:02x}); save it as UTF-8") from None
    return text


def _syntax(path: Path, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        line = min(mark.line, text.count("\n")) + 1
    else:  # a character YAML does not allow: only the place is known, in characters or (libyaml) in bytes
        line = text[: int(getattr(error, "position", 0) or 0)].count("\n") + 1
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be parsed"
    return f"{plain(path)}:{line}: not valid YAML: {plain(problem)}"


def _explain(error: Any, tree: _Node, model: type[BaseModel], former: Mapping[str, str]) -> _Fault:
    """A pydantic error as a fault with its line, and with the name of the key that is in the file."""
    node, line, place = tree, tree.line, list(error["loc"])
    if place and place[0] not in tree.below:
        place[0] = former.get(place[0], place[0])
    for part in place:
        if part not in node.below:
            break
        line = node.key_lines[part]
        node = node.below[part]
    dotted = plain(".".join(str(part) for part in place if part != "[key]"))
    where = f"{dotted}: " if dotted else ""
    kind = error["type"]
    if kind == "extra_forbidden":
        hint = suggest_key(model, error["loc"])
        return _Fault(line, f"{where}unknown key{hint}; allowed: {', '.join(known_keys(model, error['loc'][:-1]))}")
    if kind == "value_error":  # from a validator of this program: it says what is allowed
        return _Fault(line, where + plain(error["ctx"]["error"]))
    allowed = describe_field(model, error["loc"])
    allowed = f"; allowed: {allowed}" if allowed else ""
    if kind == "missing":
        return _Fault(line, f"{where}missing{allowed}", is_missing=True)
    of_many = f" of {len(error['input'])}" if kind == "too_long" and isinstance(error["input"], list) else ""
    return _Fault(line, f"{where}{_shown(error['input'])}{of_many} cannot be used{allowed}")


def _shown(value: Any) -> str:
    """A value for a message: one line, at most 40 characters, no control characters."""
    if value is None:
        return "an empty value"
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'}"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 40 else text[:39] + "…"
