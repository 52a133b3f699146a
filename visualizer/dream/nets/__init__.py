"""The networks, a short file each, in one style.

Each has PREPARATION, what becomes of an image first; `grow()`, the network built of the published weights, stage by stage
from the image upwards; and `names_and_shapes()`, the tensors that the published file must have.
"""

from __future__ import annotations

from types import ModuleType

from . import efficientnet, googlenet, inception5h, resnet, vgg

#: by the name that settings know
NETS: dict[str, ModuleType] = {
    "efficientnet-lite0": efficientnet,
    "inception5h": inception5h,
    "googlenet": googlenet,
    "vgg16": vgg,
    "resnet50": resnet,
}


def names_and_shapes(network: str) -> dict[str, tuple[int, ...]]:
    """Every tensor that the network's published file must have, by name. Raises KeyError for a network there is not.

    Left out is what may be there or not: batch norm's counters, and the side exits that GoogLeNet was trained with.
    """
    found: dict[str, tuple[int, ...]] = NETS[network].names_and_shapes()
    return found
