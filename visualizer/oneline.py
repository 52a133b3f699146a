"""Text from outside (paths, names of devices) made safe for messages: one line without control characters."""

from __future__ import annotations

from pathlib import PurePath


def plain(text: object, most: int | None = 300) -> str:
    """`text` with control characters escaped. most: cut after so many characters, None for no limit."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[:most])


def reason_of(fault: BaseException) -> str:
    """Why an operation failed, for people: in the words of the system where it gave a reason."""
    return plain((fault.strerror if isinstance(fault, OSError) else None) or str(fault) or type(fault).__name__)


def preset_label(reference: str) -> str:
    """The name of a preset for people. reference: its name, or the path of its folder, see
    `presets.preset.PresetFolder`.
    """
    return PurePath(reference).name or reference
