"""An example of one more network: this file alone adds it. Two convolutions; its weights are made by the test that
dreams with it.
"""

from visualizer.dream.operations import ConvReLU, MaxPool, Node, Preparation, PublishedWeights
from visualizer.networks import NetworkInfo, parse_layers


def build(weights, compute):
    published = PublishedWeights(weights, compute)
    yield Node(ConvReLU(published.conv("first", padding=1)), "first")
    yield Node(MaxPool(2, 2))
    yield Node(ConvReLU(published.conv("second", padding=1)), "second")


def tensor_shapes():
    return {"first.weight": (8, 3, 3, 3), "first.bias": (8,), "second.weight": (16, 8, 3, 3), "second.bias": (16,)}


NETWORKS = (
    NetworkInfo(
        name="edges",
        title="Edges",
        year=2012,
        licence="MIT",
        origin="this test",
        n_bytes=6_000,
        file_name="edges.pth",
        layers=parse_layers("""
            first 8 1 edges
            second 16 2 corners
        """),
        values_per_px=40,
        prepare=Preparation(2.0, (-1.0,)),
        build=build,
        tensor_shapes=tensor_shapes,
    ),
)
