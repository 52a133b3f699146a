"""The dream: what a network sees in an image, baked as frames that deepen.

Importing this room costs nothing: torch is loaded when the first dreamt frame is asked for.
"""

from .baking import Dreamt, bake, dream_on
from .checkpoint import Checkpoint
from .device import describe_device
from .identity import identity

__all__ = ["Checkpoint", "Dreamt", "bake", "describe_device", "dream_on", "identity"]
