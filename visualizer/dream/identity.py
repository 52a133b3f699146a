"""What a cached dream depends on besides its image and settings: the weights, the guide and this room's own code."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np

from ..settings import DreamSettings
from .weights import weights_hash


@functools.cache
def _source_hash() -> str:
    """SHA-256 over the names and bytes of this room's files: a changed recipe must never be served from a cache."""
    digest = hashlib.sha256()
    room = Path(__file__).parent
    for file in sorted(room.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(room).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def identity(settings: DreamSettings, guide: np.ndarray | None = None, weights: Path | None = None) -> str:
    """One line that changes whenever the same image and settings could dream differently. Does not load torch.

    guide: (height, width, 3) uint8, the picture that settings.guide names; weights: the file that `bake` is handed. Raises
    DreamError if that cannot be read.
    """
    guided = ""
    if guide is not None:
        pixels = np.ascontiguousarray(guide, dtype=np.uint8)
        guided = f" guide {guide.shape} {hashlib.sha256(pixels.data).hexdigest()}"
    return f"{settings.network} weights {weights_hash(settings.network, weights)}{guided} code {_source_hash()}"
