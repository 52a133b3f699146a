"""Foreign text in messages: one line, and nothing in it that a terminal would obey."""

from __future__ import annotations


def plain(text: object, most: int | None = 300) -> str:
    """`text` (a path, a key, a decoder's complaint) with control characters escaped, cut after `most` characters (None: whole)."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[:most])
