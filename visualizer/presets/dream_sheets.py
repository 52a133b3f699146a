"""Sheets of dreams to compare: what every layer of a network makes of a picture, and all depths of one dream."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import Stopwatch
from ..dream.baking import bake
from ..errors import BadInput
from ..files.output_file import check_output_path
from ..networks import DEFAULT_NETWORK, NETWORKS
from ..settings import PLAIN_PRESET, DreamSettings
from .contact_sheet import SUFFIXES, Cell, cell_size, draw_sheet, save_sheet
from .image import load_image
from .loaded import Overrides, Variant, known_network, variants_of
from .network_files import weights_of
from .preset import load_preset

if TYPE_CHECKING:
    import numpy as np

#: width and height in px that a cell's picture is fitted into
DEFAULT_BOX = (360, 270)
MIN_BOX_PX, MAX_BOX_PX = 64, 2048
#: a cell is dreamt this many times larger and then scaled down: closer to the look of a show at full size
FINER = 2


@dataclass(frozen=True)
class Step:
    """One more depth is done.

    done, total: depths; what: the layer being dreamt; seconds: since the start; news: lines the user should read.
    """

    done: int
    total: int
    what: str
    seconds: float
    news: tuple[str, ...] = ()


def layers(
    image: Path,
    out: Path,
    *,
    network: str = DEFAULT_NETWORK,
    weights: Path | None = None,
    box: tuple[int, int] = DEFAULT_BOX,
    depth_index: int = 12,
    seed: int = 0,
) -> Generator[Step, None, None]:
    """Dream the picture `image` once with each layer, then write all of them to the sheet `out`.

    box: width and height in px that each picture is fitted into; depth_index: 1..20. Raises BadInput at once for
    arguments that cannot be used; DreamError; VisualizerError if the sheet cannot be written. If the generator is
    closed early, no file is written.
    """
    info = known_network(network)
    n_depths = DreamSettings().n_depths
    if not 1 <= depth_index <= n_depths:
        raise BadInput(f"depth {depth_index} is out of range; allowed: 1 .. {n_depths}")
    wanted = [
        DreamSettings.model_validate({"network": network, "layer": name, "seed": seed}) for name in info.layer_names
    ]
    return _layers(_Sheet(image, out, box), weights or weights_of(network), wanted, depth_index)


def _layers(
    sheet: _Sheet, weights: Path | None, wanted: list[DreamSettings], depth_index: int
) -> Generator[Step, None, None]:
    info = NETWORKS[wanted[0].network]
    cells = [Cell("the picture", "", sheet.picture)]
    total = len(wanted) * depth_index
    for settings in wanted:
        layer = info.layer(str(settings.layer))
        n_done = (len(cells) - 1) * depth_index
        with closing(bake(sheet.picture, settings, weights=weights)) as frames:
            for index, picture in frames:
                yield Step(n_done + index, total, layer.name, sheet.watch.elapsed_s(), tuple(sheet.news))
                if index == depth_index:
                    cells.append(Cell(layer.name, layer.dreams, picture))
                    break
    sheet.finish(f"{info.title}, depth {depth_index}", cells)


def depths(
    image: Path,
    out: Path,
    *,
    preset: str = PLAIN_PRESET,
    network: str | None = None,
    layer: str | None = None,
    weights: Path | None = None,
    box: tuple[int, int] = DEFAULT_BOX,
    seed: int | None = None,
) -> Generator[Step, None, None]:
    """Dream the picture `image` with the settings of `preset`, then write all its depths to the sheet `out`.

    network, layer, seed: instead of the preset's; for a network alone the layer most similar to the preset's is taken.
    weights: a file instead of the network's own. Raises as `layers` does.
    """
    variants, news = variants_of(
        load_preset(preset), Overrides(seed=seed, network=network, layer=layer, weights=weights)
    )
    return _depths(_Sheet(image, out, box), variants[0], news)


def _depths(sheet: _Sheet, variant: Variant, news: tuple[str, ...]) -> Generator[Step, None, None]:
    settings = variant.settings
    what = " + ".join(settings.layers)
    cells = []
    with closing(bake(sheet.picture, settings, guide=variant.guide, weights=variant.weights)) as frames:
        for index, picture in frames:
            cells.append(Cell(str(index) if index else "the picture", "", picture))
            yield Step(index, settings.n_depths, what, sheet.watch.elapsed_s(), (*news, *sheet.news))
    sheet.finish(f"{NETWORKS[settings.network].title}, {what}", cells)


class _Sheet:
    """The picture to be dreamt in, and the sheet to be written: both are checked before any work is done."""

    def __init__(self, image: Path, out: Path, box: tuple[int, int]) -> None:
        if not all(MIN_BOX_PX <= side <= MAX_BOX_PX for side in box):
            limits = f"{MIN_BOX_PX}x{MIN_BOX_PX} .. {MAX_BOX_PX}x{MAX_BOX_PX}"
            raise BadInput(f"cells of {box[0]}x{box[1]} px are out of range; allowed: {limits}")
        self._name = image.name
        self._out = check_output_path(out, SUFFIXES)
        self._cell = cell_size(image, box)
        self.news: list[str] = []
        size = (self._cell[0] * FINER, self._cell[1] * FINER)
        self.picture: np.ndarray = load_image(image, size, say=self.news.append)
        self.watch = Stopwatch()

    def finish(self, remark: str, cells: list[Cell]) -> None:
        save_sheet(self._out, draw_sheet(self._name, remark, cells, self._cell))
