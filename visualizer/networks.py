"""The networks a dream can be computed with: the facts of each, and where they are found. torch is not needed.

A network is one file of `dream/nets`: its facts, and the functions that build it. Several published networks share a
file where they share an architecture. A layer's name is what a preset writes under `dream.layer`; its activation is
taken after the ReLU.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

#: the network whose weights come with pip: always present, first in every list, and used where another is missing
DEFAULT_NETWORK = "efficientnet-lite0"


@dataclass(frozen=True)
class NetworkLayer:
    """A named activation.

    n_channels: its feature maps; dreams: what it makes of most pictures, for people; stand_in: the layer of
    DEFAULT_NETWORK whose dreams are most similar.
    """

    name: str
    n_channels: int
    dreams: str
    stand_in: str


@dataclass(frozen=True)
class NetworkInfo:
    """A published network.

    origin: who made or published the weights, for people; n_bytes: approximate size of the weights; layers: from the
    image upwards.
    url: where `networks get` fetches the weights, "" if they come with pip; file_name: the name of the file there and
    here. sha256: of the file, all 64 hex digits or the first ones, as far as published; git_blob: the SHA-1 that git
    gives the file, where no SHA-256 is published.
    values_per_px: numbers that a gradient step holds in memory per pixel of the picture, as measured on a CPU.
    prepare(image, compute): RGB in 0..1, (1, 3, h, w) float32, as the network expects it (`operations.Preparation`).
    build(weights, compute): yields the network as `operations.Node`s, from the image upwards; lazy, so that layers
    above the last one asked for are never built. tensor_shapes(): every tensor that the published file must have, by
    name, and its shape; batch norm's counters and side exits used in training only are left out.
    """

    name: str
    title: str
    year: int
    licence: str
    origin: str
    n_bytes: int
    layers: tuple[NetworkLayer, ...]
    values_per_px: int
    prepare: Callable[[Any, Any], Any]
    build: Callable[[dict[str, Any], Any], Iterator[Any]]
    tensor_shapes: Callable[[], dict[str, tuple[int, ...]]]
    url: str = ""
    file_name: str = ""
    sha256: str = ""
    git_blob: str = ""

    @property
    def layer_names(self) -> tuple[str, ...]:
        """From the image upwards."""
        return tuple(layer.name for layer in self.layers)

    def layer(self, name: str) -> NetworkLayer:
        """The layer of that name. Raises KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


def parse_layers(table: str) -> tuple[NetworkLayer, ...]:
    """The layers in a table of one layer a line: name, number of channels, block of DEFAULT_NETWORK as stand-in, what
    it dreams.
    """
    layers = []
    for line in table.strip().splitlines():
        name, n_channels, block, dreams = line.split(maxsplit=3)
        layers.append(NetworkLayer(name, int(n_channels), dreams, f"block{block}.expand"))
    return tuple(layers)


def channel_indices(channels: str | list[int], n_channels: int, layer: str) -> list[int] | None:
    """The indices of the feature maps that `channels` selects, sorted; None for all.

    channels: "all", "5", "0:3" (0, 1, 2), "0:3, 17", or a list; layer: its name, for messages. Raises ValueError for
    anything else, and for an index outside 0 .. n_channels - 1.
    """
    if channels == "all":
        return None
    found: set[int] = set()
    for part in channels.split(",") if isinstance(channels, str) else channels:
        first, colon, end = str(part).strip().partition(":")
        try:
            low, high = int(first), int(end) if colon else int(first) + 1
        except ValueError:
            raise ValueError(f"{part!r} is not a number or a range; write all, 5, 0:3 or 0:3, 17") from None
        if not 0 <= low < high <= n_channels:
            raise ValueError(f"{part} is out of range; {layer} has channels 0 .. {n_channels - 1}")
        found.update(range(low, high))
    return sorted(found)


def find_networks(*packages: str) -> dict[str, NetworkInfo]:
    """Every network in the modules of these packages, by name: DEFAULT_NETWORK first, then by year and size.

    packages: full names of Python packages; each module in them declares `NETWORKS`, a tuple of `NetworkInfo`. They are
    listed by Python's import system, so it works from a folder, a wheel and a zip file alike.
    """
    found: list[NetworkInfo] = []
    for package in packages:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            found += importlib.import_module(module.name).NETWORKS
    found.sort(key=lambda info: (info.name != DEFAULT_NETWORK, info.year, info.n_bytes, info.name))
    return {info.name: info for info in found}


def hash_fault(file: io.IOBase, sha256: str = "", git_blob: str = "") -> str:
    """Why the bytes of `file` are not those published: "SHA-256 is 0123..., not 4567..."; "" if they are, or no hash is
    given.

    sha256: all of its 64 hex digits or the first ones; git_blob: the SHA-1 of "blob SIZE\\0" and the bytes. Raises
    OSError.
    """
    wanted = sha256 or git_blob
    if not wanted:
        return ""
    digest = hashlib.sha256() if sha256 else hashlib.sha1(usedforsecurity=False)
    if git_blob and not sha256:
        digest.update(f"blob {file.seek(0, os.SEEK_END)}\0".encode())
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
    found = digest.hexdigest()
    name = "SHA-256" if sha256 else "git hash"
    return "" if found.startswith(wanted.lower()) else f"{name} is {found[:12]}…, not {wanted[:12]}…"


#: the networks of this program, by name
NETWORKS = find_networks("visualizer.dream.nets")
