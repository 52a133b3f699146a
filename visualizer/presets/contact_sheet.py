"""Contact sheets: labelled pictures in a grid on a dark background, written as one picture file."""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import BadInput
from ..files.output_file import atomic_write
from ..oneline import plain
from .image import open_picture, orientation

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_SIDE_PX = 16_000  # of a sheet: every viewer opens this, and a JPEG cannot have more than 65535
MAX_SHAPE = 4.0  # a longer or taller picture is cut to this many times its shorter side

_BACKGROUND, _TEXT, _FAINT_TEXT, _BORDER = (20, 18, 29), (232, 230, 240), (150, 145, 175), (46, 42, 62)
_ELLIPSIS = "…"


class Cell(NamedTuple):
    """A picture (height, width, 3) uint8 and what is written below it: a name, and a short remark."""

    name: str
    remark: str
    picture: np.ndarray


class Grid(NamedTuple):
    """The layout of cells: the first takes span x span places of n_columns x n_rows, the others one each."""

    span: int
    n_columns: int
    n_rows: int


def cell_size(path: Path, box: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) px inside `box` that has the shape of the picture in the file `path`, upright.

    Both are even; a shape beyond MAX_SHAPE is cut to that. Raises BadInput as load_image does.
    """
    with open_picture(path, plain(path)) as picture:
        width, height = picture.size
        if orientation(picture) >= 5:
            width, height = height, width
    shape = min(max(width / height, 1 / MAX_SHAPE), MAX_SHAPE)
    scale = min(box[0] / shape, box[1])
    return max(2, round(scale * shape / 2) * 2), max(2, round(scale / 2) * 2)


def grid_of(n_cells: int, shape: float) -> Grid:
    """The best grid for n_cells pictures of `shape` (width / height).

    Few empty places come first, then a sheet about as wide as a screen. The first picture, from which the others come,
    may take four places.
    """

    def cost(grid: Grid) -> float:
        n_empty = grid.n_columns * grid.n_rows - (n_cells - 1 + grid.span**2)
        looks = math.log(shape * grid.n_columns / grid.n_rows / 1.9)
        return n_empty * 0.5 + abs(looks) + 0.1 * (grid.span - 1)

    found = []
    for span in (1, 2):
        n_places = n_cells - 1 + span**2
        for n_columns in range(span, n_places + 1):
            n_rows = max(span, -(-n_places // n_columns))
            found.append(Grid(span, n_columns, n_rows))
    return min(found, key=cost)


def draw_sheet(
    title: str, remark: str, cells: Sequence[Cell], size: tuple[int, int], grid: Grid | None = None
) -> np.ndarray:
    """The sheet as (height, width, 3) uint8: the title and a remark above, then the cells, the first is the original.

    cells: at least one; their pictures are shown at `size` = (width, height) px. grid: None for the best.
    Raises BadInput when the sheet would be larger than MAX_SIDE_PX.
    """
    from PIL import Image, ImageDraw

    width, height = size
    measures = _Measures.of(width, height, cells)
    grid = grid or grid_of(len(cells), width / height)
    whole = measures.sheet(grid)
    if max(whole) > MAX_SIDE_PX:
        raise BadInput(f"a sheet of {whole[0]}x{whole[1]} px is too large to look at; ask for a smaller --size")
    page = Image.new("RGB", whole, _BACKGROUND)
    draw = ImageDraw.Draw(page)
    _write_title(draw, measures, title, remark, whole[0])
    places = _places(grid, len(cells))
    for cell, (column, row) in zip(cells, places, strict=True):
        span = grid.span if (column, row) == (0, 0) else 1
        _put(page, draw, cell, measures, column, row, span)
    return np.asarray(page)


def save_sheet(path: Path, pixels: np.ndarray) -> None:
    """Write the sheet to `path`, all of it or nothing. Raises VisualizerError, one line."""
    from PIL import Image

    options: dict[str, Any] = {"quality": 92, "subsampling": 0} if path.suffix.lower() != ".png" else {}
    with atomic_write(path) as part, part.open("xb") as file:
        Image.fromarray(pixels).save(file, "PNG" if path.suffix.lower() == ".png" else "JPEG", **options)


class _Measures(NamedTuple):
    """Every length of a sheet, px. two_lines: a cell's remark is written below its name, where there is no space
    beside it.
    """

    width: int
    height: int
    gutter: int
    margin: int
    name_px: int
    remark_px: int
    title_px: int
    two_lines: bool

    @classmethod
    def of(cls, width: int, height: int, cells: Sequence[Cell]) -> _Measures:
        name_px = min(max(round(math.sqrt(width * height) / 17), 13), 40)
        remark_px = max(12, round(name_px * 0.86))
        gutter = max(10, round(name_px * 0.9))
        crowded = any(
            _length(cell.name, name_px) + _length(cell.remark, remark_px) + name_px > width
            for cell in cells
            if cell.remark
        )
        return cls(width, height, gutter, gutter * 2, name_px, remark_px, round(name_px * 1.5), crowded)

    @property
    def label(self) -> int:
        """Height of the text below a picture."""
        return round(self.name_px * 1.55) + (round(self.remark_px * 1.3) if self.two_lines else 0)

    @property
    def head(self) -> int:
        """Height of the title with the space below it."""
        return round(self.title_px * 2.0)

    def across(self, n: int) -> int:
        """Width of n cells side by side."""
        return n * self.width + (n - 1) * self.gutter

    def down(self, n: int) -> int:
        """Height of n cells one below the other, with their labels."""
        return n * (self.height + self.label) + (n - 1) * self.gutter

    def sheet(self, grid: Grid) -> tuple[int, int]:
        """Width and height of all of it."""
        return (
            self.across(grid.n_columns) + 2 * self.margin,
            self.margin + self.head + self.down(grid.n_rows) + self.margin,
        )


def _places(grid: Grid, n_cells: int) -> list[tuple[int, int]]:
    """(column, row) of each cell: the first at the top left, the others row by row around it."""
    free = [
        (column, row)
        for row in range(grid.n_rows)
        for column in range(grid.n_columns)
        if column >= grid.span or row >= grid.span
    ]
    return [(0, 0), *free[: n_cells - 1]]


def _put(
    page: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, measures: _Measures, column: int, row: int, span: int
) -> None:
    from PIL import Image

    left = measures.margin + column * (measures.width + measures.gutter)
    top = measures.margin + measures.head + row * (measures.height + measures.label + measures.gutter)
    space = (measures.across(span), measures.down(span) - measures.label)
    scale = min(space[0] / measures.width, space[1] / measures.height)
    size = (round(scale * measures.width), round(scale * measures.height))
    at = (left + (space[0] - size[0]) // 2, top)
    picture = Image.fromarray(cell.picture)
    page.paste(picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS), at)
    draw.rectangle((at[0] - 1, at[1] - 1, at[0] + size[0], at[1] + size[1]), outline=_BORDER)
    name_px = measures.name_px if span == 1 else measures.title_px  # several places have space for larger text
    baseline = top + size[1] + round(name_px * 1.22)
    draw.text((at[0], baseline), _fit(cell.name, name_px, size[0]), _TEXT, _font(name_px), anchor="ls")
    if cell.remark:
        if measures.two_lines:
            remark_at, anchor = (at[0], baseline + round(measures.remark_px * 1.3)), "ls"
        else:
            remark_at, anchor = (at[0] + size[0], baseline), "rs"
        draw.text(
            remark_at,
            _fit(cell.remark, measures.remark_px, size[0]),
            _FAINT_TEXT,
            _font(measures.remark_px),
            anchor=anchor,
        )


def _write_title(draw: ImageDraw.ImageDraw, measures: _Measures, title: str, remark: str, width: int) -> None:
    baseline = measures.margin + round(measures.title_px * 0.85)
    space = width - 2 * measures.margin
    shown = _fit(title, measures.title_px, space)
    draw.text((measures.margin, baseline), shown, _TEXT, _font(measures.title_px), anchor="ls")
    rest = space - _length(shown, measures.title_px) - measures.title_px
    if rest > 8 * measures.name_px:
        remark = _fit(remark, measures.name_px, rest)
        draw.text((width - measures.margin, baseline), remark, _FAINT_TEXT, _font(measures.name_px), anchor="rs")


@functools.lru_cache(maxsize=8)
def _font(text_px: int) -> Any:
    """The font that is part of Pillow, so that it is there on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(text_px)


def _length(text: str, text_px: int) -> int:
    return math.ceil(_font(text_px).getlength(text))


@functools.lru_cache(maxsize=1024)
def _written(char: str, text_px: int) -> str:
    """The character, if the font has it; else its base letter, or "?"."""
    font = _font(text_px)
    if char == " " or bytes(font.getmask(char)) != bytes(font.getmask("\uffff")):
        return char
    return "".join(base for base in unicodedata.normalize("NFKD", char) if base.isascii() and base.isprintable()) or "?"


def _fit(text: str, text_px: int, space_px: int) -> str:
    """`text` in characters that the font has, cut with an ellipsis where it would be wider than space_px."""
    # macOS stores accents in file names as separate characters
    text = "".join(_written(char, text_px) for char in unicodedata.normalize("NFC", plain(text)))
    if _length(text, text_px) <= space_px:
        return text
    while text and _length(text.rstrip() + _ELLIPSIS, text_px) > space_px:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS
