"""What a cached dream depends on besides its image and settings: the weights and this room's own code."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from ..settings import DreamSettings
from .weights import SHA256


@functools.cache
def _source_hash() -> str:
    """SHA-256 over the names and bytes of this room's files: a changed recipe must never be served from a cache."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def identity(settings: DreamSettings) -> str:
    """One line that changes whenever the same image and settings could dream differently. Does not load torch."""
    return f"{settings.network} weights {SHA256} code {_source_hash()}"
