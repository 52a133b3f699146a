"""Text for messages: text from outside (paths, names of devices) without control characters, reasons, sizes, times."""

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


def size_text(n_bytes: float) -> str:
    """A number of bytes as text: "58 MB", "5.0 GB"."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def time_text(seconds: float | None) -> str:
    """A position in time, or a length of time, rounded down to seconds: "0:07", "59:59", "3:25:00"; "?" if unknown."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
