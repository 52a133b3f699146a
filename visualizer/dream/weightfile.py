"""Reading a file of weights from an untrusted source: .safetensors, or .pth, of which only tensors are read.

A .pth is a pickle, and a pickle can run code when it is loaded. torch's weights-only reader knows tensors and plain
containers and stops at anything else, so that no code runs. Compressed archives are refused: a file cannot expand to
more than its own size.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 2_000_000_000  # the largest network here has 553 MB; a training checkpoint holds it three times
_MAX_HEADER_BYTES = 100_000_000  # safetensors' own bound

_NESTS = ("state_dict", "model_state_dict", "model")  # keys under which training checkpoints hold the weights
_PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
)  # prefixes that wrappers (several GPUs, compiled, training) add to each name


def read_weights(file: BinaryIO) -> dict[str, Tensor]:
    """Name -> tensor, as they are in `file`, on the CPU. file: open for reading.

    Raises ValueError, with a message that completes "the file ...", for any other file; OSError; MemoryError.
    """
    n_bytes = file.seek(0, 2)
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if n_bytes > MAX_BYTES:
        raise ValueError(f"has {n_bytes / 1e9:.1f} GB; weights take at most {MAX_BYTES / 1e9:.0f} GB")
    # 8 bytes of length and a JSON object; by chance it may begin like a pickle, so this is checked first
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _MAX_HEADER_BYTES:
        found = _load_safetensors(file)
    elif head[:4] == b"PK\x03\x04":
        _check_zip(file)
        found = _load_pickle(file)
    elif head[:1] == b"\x80":
        found = _load_pickle(file)
    else:
        raise ValueError("is not a file of weights; it must be .safetensors or .pth (torch.save of a state_dict)")
    return _unwrapped(found)


def _check_zip(file: BinaryIO) -> None:
    """Raise ValueError for a compressed zip: torch stores without compression."""
    try:
        with zipfile.ZipFile(file) as packed:
            entries = packed.infolist()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as fault:
        raise ValueError("is cut short or damaged") from fault
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.file_size > entry.compress_size for entry in entries):
        raise ValueError("is a compressed archive, not a state_dict that torch.save wrote")
    file.seek(0)


def _load_pickle(file: BinaryIO) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's warnings about a damaged file; the error is raised below
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        foreign = re.search(r"GLOBAL (\S+)", str(fault))
        if foreign is None:
            raise ValueError("is cut short, damaged or not a state_dict") from fault
        raise ValueError(
            f"holds {ascii(foreign[1])[1:-1]}, which is not weights but could run code, and was not opened; save the network's "
            "state_dict() instead"
        ) from fault
    except (OSError, MemoryError):
        raise
    except Exception as fault:
        if "allocate memory" in str(fault):  # torch's own allocator does not raise MemoryError
            raise MemoryError from fault
        # damaged bytes can make the reader raise anything
        raise ValueError("is cut short, damaged or not a state_dict") from fault


def _load_safetensors(file: BinaryIO) -> dict[str, Tensor]:
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load(file.read())
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as fault:
        raise ValueError("is cut short or damaged") from fault


def _unwrapped(found: Any) -> dict[str, Tensor]:
    """The tensors by name, without the containers and prefixes that training adds."""
    import torch

    for _ in _NESTS:
        nested = [found[key] for key in _NESTS if isinstance(found, dict) and isinstance(found.get(key), dict)]
        if nested:
            found = nested[0]
    if not isinstance(found, dict):
        raise ValueError(f"holds a {type(found).__name__}, not a state_dict")
    tensors = {name: value for name, value in found.items() if isinstance(name, str) and torch.is_tensor(value)}
    if not tensors:
        raise ValueError("holds no weights")
    for _ in _PREFIXES:
        for prefix in _PREFIXES:
            if all(name.startswith(prefix) for name in tensors):
                tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors
