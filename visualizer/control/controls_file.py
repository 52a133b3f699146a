"""controls.yaml in the config folder: the bindings of the user. Read like keys.yaml, and changed by learning."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from filelock import FileLock

from ..errors import BadInput, VisualizerError
from ..files.output_file import atomic_write
from ..files.paths import config_folder
from ..files.yamlfile import read_settings
from ..oneline import plain, reason_of
from .bindings import Binding, Controls, MidiBinding, OscBinding

log = logging.getLogger(__name__)

FILE_NAME = "controls.yaml"
# How long a change waits for another process that changes the file, seconds.
WAIT_S = 10.0
# What a newly learned binding takes over from the one before.
_KEPT = ("low", "high", "value", "hold", "pickup")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.]*(:[A-Za-z0-9_-]+)?|/[A-Za-z0-9_./-]*")
_WORDS = {"true", "false", "null"}

_Some = TypeVar("_Some", MidiBinding, OscBinding)


def controls_file() -> Path:
    """The path of the file, which need not exist."""
    return config_folder() / FILE_NAME


def load_controls() -> Controls:
    """The bindings; none if there is no file. Raises BadInput with FILE:LINE for errors in it."""
    path = controls_file()
    try:
        exists = os.path.lexists(path)
    except (OSError, ValueError):
        exists = False
    return read_settings(path, Controls) if exists else Controls()


def stamp() -> tuple[int, int] | None:
    """Time of the last change and length of the file, to notice a change. None if there is no file."""
    try:
        found = controls_file().stat()
    except (OSError, ValueError, BadInput):
        return None
    return found.st_mtime_ns, found.st_size


def with_binding(controls: Controls, new: MidiBinding | OscBinding) -> Controls:
    """`controls` with a new binding in place of the one that had its control and the one that had its target. It
    takes over the range, value, hold and pickup of the latter.
    """
    if isinstance(new, MidiBinding):
        new = _like_before(new, controls.midi)
        return controls.model_copy(update={"midi": _placed(new, controls.midi, lambda one: one.shares_control(new))})
    new = _like_before(new, list(controls.osc.values()))
    placed = _placed(new, list(controls.osc.values()), lambda one: one.address == new.address)
    return controls.model_copy(update={"osc": {one.address: one for one in placed}})


def without(controls: Controls, target: str) -> Controls:
    """`controls` without the bindings of a target."""
    midi = [one for one in controls.midi if one.does != target]
    osc = {address: one for address, one in controls.osc.items() if one.does != target}
    return controls.model_copy(update={"midi": midi, "osc": osc})


def learn(binding: MidiBinding | OscBinding) -> None:
    """Add a binding to controls.yaml, see `with_binding`. Raises as `change_controls`."""
    change_controls(lambda now: with_binding(now, binding))


def change_controls(change: Callable[[Controls], Controls]) -> None:
    """Apply `change` to the bindings in controls.yaml. Lines that stay the same are kept, with comments; the file is
    replaced as a whole.

    Other threads and processes that change it wait meanwhile, so that no change is lost. Raises what `change` raises,
    BadInput if the file has errors (it is then not changed), VisualizerError if it cannot be written.
    """
    path = controls_file()
    try:
        path = path.resolve()  # replacing the file would otherwise replace a link to it
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=WAIT_S):
            before = load_controls()
            new = change(before)
            if new != before:
                _write(path, before, new)
    except (OSError, ValueError, RuntimeError) as fault:
        raise VisualizerError(f"{plain(path)} cannot be written: {reason_of(fault)}") from fault


def _write(path: Path, before: Controls, new: Controls) -> None:
    text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    changed = _edited(text, before, new)
    with atomic_write(path) as part:
        part.write_text(changed, encoding="utf-8")
        if not _holds(part, new):
            log.warning("%s is rewritten without its comments", path)
            part.write_text(_whole(new), encoding="utf-8")
            if not _holds(part, new):
                raise ValueError("the new binding cannot be written as YAML")


def _holds(path: Path, controls: Controls) -> bool:
    try:
        return read_settings(path, Controls) == controls
    except BadInput:
        return False


def _placed(new: _Some, before: list[_Some], clashes: Callable[[_Some], bool]) -> list[_Some]:
    """The bindings with `new` in place of the first one with its target, or at the end, and without those it
    replaces.
    """
    placed: list[_Some] = []
    for one in before:
        if one.does == new.does and new not in placed:
            placed.append(new)
        elif one.does != new.does and not clashes(one):
            placed.append(one)
    if new not in placed:
        placed.append(new)
    return placed


def _like_before(new: _Some, before: list[_Some]) -> _Some:
    """`new` with what it takes over from the first binding with its target, see _KEPT."""
    old = next((one for one in before if one.does == new.does), None)
    if old is None:
        return new
    kept = {key: getattr(old, key) for key in _KEPT}
    try:
        return type(new).model_validate({**new.model_dump(), **kept})
    except ValueError:  # a pad cannot have the range of a knob
        return new


def _edited(text: str, before: Controls, new: Controls) -> str:
    """The text of the file without the lines of removed bindings, and with lines for new ones."""
    lines = text.splitlines()
    was: dict[str, list[tuple[Any, Any]]] = {"midi": list(enumerate(before.midi)), "osc": list(before.osc.items())}
    will: dict[str, list[Any]] = {"midi": list(new.midi), "osc": list(new.osc.values())}
    sections = dict(_pairs(yaml.compose(text, Loader=yaml.SafeLoader)))
    cut: set[int] = set()
    put: dict[int, list[str]] = {}  # new lines by the number of old lines before them
    for name in was:
        section = sections.get(name)
        entries = {key: place for key, *place in _entries(section)}
        stay = [one for _, one in was[name] if one in will[name]]
        gone = {key: one for key, one in was[name] if one not in will[name]}
        for key in gone.keys() & entries.keys():
            cut |= set(range(entries[key][0], entries[key][1] + 1))
        for one in will[name]:
            if one in stay:
                continue
            line = f"- {_flow(one)}" if isinstance(one, MidiBinding) else _osc_line(one)
            before_it = next((key for key, old in gone.items() if old.does == one.does and key in entries), None)
            if section is None:
                put.setdefault(len(lines), []).extend([f"{name}:", f"  {line}"])
                section = yaml.ScalarNode("", "")  # a placeholder: the section exists from here on
            elif before_it is not None:
                first, _, column = entries[before_it]
                put.setdefault(first, []).append(" " * column + line)
            elif entries:
                _, last, column = list(entries.values())[-1]
                put.setdefault(last + 1, []).append(" " * column + line)
            elif section.start_mark is None:
                put[len(lines)].append(f"  {line}")
            else:  # an empty section
                put.setdefault(section.start_mark.line + 1, []).append(f"  {line}")
    edited: list[str] = []
    for index in range(len(lines) + 1):
        edited += put.get(index, [])
        if index < len(lines) and index not in cut:
            edited.append(lines[index])
    return "\n".join(edited) + "\n"


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value


def _entries(section: Any) -> Iterator[tuple[Any, int, int, int]]:
    """(index or key, first line, last line, column) of each entry of a section that is in block style."""
    if isinstance(section, yaml.SequenceNode) and not section.flow_style:
        for index, item in enumerate(section.value):
            yield index, item.start_mark.line, _last_line(item), section.start_mark.column
    elif isinstance(section, yaml.MappingNode) and not section.flow_style:
        for key, value in section.value:
            yield str(key.value), key.start_mark.line, _last_line(value), section.start_mark.column


def _last_line(node: Any) -> int:
    """The line on which a node ends. The end mark of a block comes after the comments that follow it, so it is of no
    use.
    """
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        mark = node.end_mark
        return int(mark.line) if mark.column else max(int(mark.line) - 1, int(node.start_mark.line))
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _whole(controls: Controls) -> str:
    lines = ["midi:", *(f"  - {_flow(one)}" for one in controls.midi)] if controls.midi else []
    lines += ["osc:", *(f"  {_osc_line(one)}" for one in controls.osc.values())] if controls.osc else []
    return "\n".join(lines) + "\n"


def _osc_line(binding: OscBinding) -> str:
    what = _flow(binding) if len(_fields(binding)) > 1 else _scalar(binding.does)
    return f"{_scalar(binding.address)}: {what}"


def _flow(binding: Binding) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in _fields(binding).items()) + "}"


def _fields(binding: Binding) -> dict[str, Any]:
    """The fields that differ from their defaults: the control first, the target, then the rest."""
    fields = binding.model_dump(exclude_defaults=True, exclude={"address"})
    does: dict[str, Any] = {"does": fields.pop("does")}
    control: dict[str, Any] = {
        key: fields.pop(key) for key in ("cc", "note", "program", "bend", "channel", "port") if key in fields
    }
    return {**control, **does, **fields}


def _scalar(value: Any) -> str:
    """A YAML scalar that is read back as the same value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, str):
        return (
            value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value, ensure_ascii=False)
        )
    return str(value)
