"""What a cached dream depends on besides its image and settings: the weights, the guide and the recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ..networks import NETWORKS
from ..settings import DreamSettings
from .weights import weights_hash

#: Raise this by hand when the same image, settings and weights give other dream frames than before, and never for
#: anything else: every dream that users have baked is then baked again. tests/dream/test_identity.py fails when it is
#: due (docs/decisions/0018).
RECIPE: int = 3


def identity(settings: DreamSettings, guide: np.ndarray | None = None, weights: Path | None = None) -> str:
    """One line that changes whenever the same image and settings could give another dream. Does not load torch.

    guide: (height, width, 3) uint8, the picture that settings.guide names; weights: the file that `bake` is given.
    Raises DreamError if that cannot be read.
    """
    guided = ""
    if guide is not None:
        pixels = np.ascontiguousarray(guide, dtype=np.uint8)
        guided = f" guide {guide.shape} {hashlib.sha256(pixels.data).hexdigest()}"
    return f"{settings.network} weights {weights_hash(NETWORKS[settings.network], weights)}{guided} recipe {RECIPE}"
