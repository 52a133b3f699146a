"""The networks a dream may be dreamt with: where each is from, and its named layers. Facts only; torch is not needed.

A layer's name is what a preset says under `dream.layer`; its activation is taken after the ReLU. `dreams` says what the
layer makes of most pictures.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A named activation. n_channels: its feature maps; stand_in: the layer of STAND_IN that dreams most like it."""

    name: str
    n_channels: int
    dreams: str
    stand_in: str


@dataclass(frozen=True)
class NetworkInfo:
    """A network as published.

    origin: who made or published the weights, for people; url: where `networks get` fetches them, "" if they come with pip;
    file_name: what the file is called there and here. sha256: the file's, or as many of its first hex digits as its
    publisher tells; git_blob: the SHA-1 git gives the file, where no SHA-256 is published. n_bytes: its size, about.
    """

    name: str
    title: str
    year: int
    licence: str
    origin: str
    n_bytes: int
    layers: tuple[Layer, ...]
    url: str = ""
    file_name: str = ""
    sha256: str = ""
    git_blob: str = ""

    @property
    def layer_names(self) -> tuple[str, ...]:
        """From the image upwards."""
        return tuple(layer.name for layer in self.layers)

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


#: the network that comes with pip: always here, and dreamt with where another is missing
STAND_IN = "efficientnet-lite0"


def hash_fault(file: io.IOBase, sha256: str = "", git_blob: str = "") -> str:
    """Why the bytes of `file` are not those published: "SHA-256 is 0123..., not 4567..."; "" if they are, or no hash is given.

    sha256: all of its 64 hex digits or the first ones; git_blob: the SHA-1 of "blob SIZE\\0" and the bytes. Raises OSError.
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


def _layers(rows: str) -> tuple[Layer, ...]:
    """One layer a line: name, channels, stand-in block, what it dreams."""
    layers = []
    for row in rows.strip().splitlines():
        name, n_channels, block, dreams = row.split(maxsplit=3)
        layers.append(Layer(name, int(n_channels), dreams, f"block{block}.expand"))
    return tuple(layers)


NETWORKS: dict[str, NetworkInfo] = {
    info.name: info
    for info in (
        NetworkInfo(
            name="efficientnet-lite0",
            title="EfficientNet-Lite0",
            year=2020,
            licence="Apache-2.0",
            origin="Google, comes with pip",
            n_bytes=18_826_032,
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            layers=_layers("""
block1.expand 96 1 relief, hard edges
block2.expand 144 2 folds
block3.expand 144 3 lines, weave
block4.expand 240 4 ripples and lattices
block5.expand 240 5 curls, scales
block6.expand 480 6 ribbons
block7.expand 480 7 braids, arches
block8.expand 480 8 cities, tiles
block9.expand 672 9 towers, fur
block10.expand 672 10 animals
block11.expand 672 11 animals with eyes
block12.expand 1152 12 faces and eyes
block13.expand 1152 13 heads, grass
block14.expand 1152 14 bodies, tangle
block15.expand 1152 15 scenes, dense figures
"""),
        ),
        NetworkInfo(
            name="inception5h",
            title="Inception 5h (the first DeepDream)",
            year=2014,
            licence="Apache-2.0",
            origin="Google, via ProGamerGov",
            n_bytes=28_300_000,
            url="https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/inception5h.pth",
            file_name="inception5h.pth",
            git_blob="119f77db85c8352960933e025312b507d9a96ed7",
            layers=_layers("""
conv2d0 64 1 edges
conv2d1 64 2 fine lines
conv2d2 192 3 grain, hatching
mixed3a 256 5 waves, scales
mixed3b 480 6 arches and curls
mixed4a 508 8 patterns, buildings
mixed4b 512 9 buildings, wheels
mixed4c 512 10 dogs, birds, cars
mixed4d 528 10 dogs and pagodas
mixed4e 832 12 whole animals
mixed5a 832 13 dense creatures
mixed5b 1024 15 tangled scenes
"""),
        ),
        NetworkInfo(
            name="googlenet",
            title="GoogLeNet",
            year=2014,
            licence="BSD-3-Clause",
            origin="torchvision",
            n_bytes=52_100_000,
            url="https://download.pytorch.org/models/googlenet-1378be20.pth",
            file_name="googlenet-1378be20.pth",
            sha256="1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",
            layers=_layers("""
conv1 64 1 edges
conv2 64 2 fine lines
conv3 192 3 grain, hatching
inception3a 256 5 waves, scales
inception3b 480 6 arches and curls
inception4a 512 8 patterns, buildings
inception4b 512 9 buildings, eyes
inception4c 512 10 dogs, birds
inception4d 528 10 animals
inception4e 832 12 whole animals
inception5a 832 13 dense creatures
inception5b 1024 15 tangled scenes
"""),
        ),
        NetworkInfo(
            name="vgg16",
            title="VGG-16",
            year=2014,
            licence="BSD-3-Clause",
            origin="torchvision",
            n_bytes=553_433_881,
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
            file_name="vgg16-397923af.pth",
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            layers=_layers("""
conv1_1 64 1 edges
conv1_2 64 1 edges, colour
conv2_1 128 2 fine lines
conv2_2 128 3 hatching
conv3_1 256 4 weave
conv3_2 256 5 scales
conv3_3 256 6 curls
conv4_1 512 7 braids
conv4_2 512 8 eyes, tiles
conv4_3 512 9 eyes, arches
conv5_1 512 10 faces, feathers
conv5_2 512 11 animals
conv5_3 512 12 animals, towers
"""),
        ),
        NetworkInfo(
            name="resnet50",
            title="ResNet-50",
            year=2015,
            licence="BSD-3-Clause",
            origin="torchvision",
            n_bytes=102_530_333,
            url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
            file_name="resnet50-0676ba61.pth",
            sha256="0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
            layers=_layers("""
conv1 64 1 edges
layer1.0 256 2 fine lines
layer1.1 256 3 hatching
layer1.2 256 3 grain
layer2.0 512 4 weave
layer2.1 512 5 scales
layer2.2 512 6 curls
layer2.3 512 6 ribbons
layer3.0 1024 7 braids
layer3.1 1024 8 tiles
layer3.2 1024 9 towers
layer3.3 1024 10 eyes, fur
layer3.4 1024 10 animals
layer3.5 1024 11 animals
layer4.0 2048 13 figures
layer4.1 2048 14 scenes
layer4.2 2048 15 dense scenes
"""),
        ),
    )
}
