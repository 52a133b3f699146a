"""Colours and fonts of the panel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..render.text import system_font_files

Colour = tuple[int, int, int, int]  # red, green, blue, opacity, 0..255

BACKGROUND: Colour = (11, 13, 17, 255)
CARD: Colour = (34, 39, 48, 255)
TRACK: Colour = (34, 39, 48, 255)
RAISED: Colour = (42, 48, 59, 255)
HOVERED: Colour = (56, 64, 78, 255)
TEXT: Colour = (234, 239, 245, 255)
FAINT: Colour = (150, 161, 176, 255)
FILL: Colour = (38, 92, 140, 255)
FILL_HELD: Colour = (56, 132, 196, 255)
BLUE: Colour = (96, 184, 255, 255)
GREEN: Colour = (62, 208, 142, 255)
AMBER: Colour = (255, 184, 46, 255)
ORANGE: Colour = (255, 140, 40, 255)
RED: Colour = (255, 48, 48, 255)
DEEP_RED: Colour = (190, 10, 16, 255)
ICE: Colour = (88, 208, 255, 255)
DEEP_ICE: Colour = (14, 104, 150, 255)
VIOLET: Colour = (190, 130, 255, 255)
WHITE: Colour = (255, 255, 255, 255)
BLACK: Colour = (0, 0, 0, 255)

# font sizes in units; a unit is a pixel at a monitor scale of 1
SMALL, BODY, LARGE, HUGE = 15.0, 18.0, 25.0, 46.0


@dataclass(frozen=True)
class Fonts:
    """imgui's fonts; each is sharp at any size."""

    plain: Any
    bold: Any


def load_fonts(imgui: Any) -> Fonts:
    """Load imgui-bundle's Roboto, or imgui's own font if its files are missing, with the system's fonts for other
    scripts.
    """
    import imgui_bundle

    folder = Path(imgui_bundle.__file__).parent / "assets" / "fonts" / "Roboto"
    fonts = imgui.get_io().fonts
    found = []
    for name in ("Roboto-Regular.ttf", "Roboto-Bold.ttf"):
        path = folder / name
        found.append(
            fonts.add_font_from_file_ttf(str(path), BODY) if path.is_file() else fonts.add_font_default_vector()
        )
        for other in system_font_files()[:2]:  # each takes some megabytes of memory
            if Path(other).suffix.lower() in (".ttf", ".otf", ".ttc"):
                config = imgui.ImFontConfig()
                config.merge_mode = True
                fonts.add_font_from_file_ttf(other, BODY, config)
    return Fonts(*found)


def packed(colour: Colour, opacity: float = 1.0) -> int:
    """Pack a colour into the integer that imgui's draw lists expect. opacity: 0..1, multiplies that of the colour."""
    red, green, blue, alpha = colour
    return red | green << 8 | blue << 16 | round(alpha * min(max(opacity, 0.0), 1.0)) << 24


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours. share: of the second, 0..1."""
    share = min(max(share, 0.0), 1.0)
    red, green, blue, alpha = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue, alpha
