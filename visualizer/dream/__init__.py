"""The dream: what a network sees in an image, baked as frames that deepen.

Importing this room costs nothing: torch is loaded when the first dreamt frame is asked for.
"""

from .baking import bake
from .device import describe_device
from .identity import identity

__all__ = ["bake", "describe_device", "identity"]
