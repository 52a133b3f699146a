"""Chains of looks: in which ways a look's picture is blended with the one before it."""

from __future__ import annotations

from typing import Literal, get_args

#: B is the look's picture, A the one before it; sRGB-coded, 0..1: normal B, add A + B, screen 1 - (1 - A)(1 - B), multiply
#: A B, lighten and darken the larger and the smaller of both, difference |A - B|, overlay multiply below 0.5 and screen
#: above
Blend = Literal["normal", "add", "screen", "multiply", "lighten", "darken", "difference", "overlay"]
BLENDS: tuple[Blend, ...] = get_args(Blend)
