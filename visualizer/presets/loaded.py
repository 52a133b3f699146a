"""Loading a preset: its settings with the user's overrides applied, its image, and its weights found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ..dream.palette import colours_of
from ..errors import BadInput, DreamError, nearest
from ..networks import DEFAULT_NETWORK, NETWORKS, NetworkInfo, channel_indices
from ..settings import DEFAULT_SIZE, PLAIN_PRESET, DreamSettings, JourneySettings, Preset
from .image import load_image
from .network_files import known_network, weights_of
from .preset import PresetFolder, load_preset, reference_of

#: width and height in px that a guide, or a picture whose colours are used, is scaled to: its pixels do not matter
GUIDE_PX = 320
#: the settings of a preset that decide what is dreamt
DREAM_KEYS = ("image", "dream", "variants", "journey")
#: the settings of a journey that it takes over while it is shown
PACE_KEYS = ("zoom_per_bar", "zoom_per_s", "direction")
#: a dream is baked with at most as many pixels as this size has unless another is asked for
LARGEST_BAKED = (1920, 1080)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One dream of the image: everything that it depends on.

    guide: (height, width, 3) uint8, the picture whose features are dreamt of; weights: the network's file, None for the
    one that comes with pip.
    """

    settings: DreamSettings
    guide: np.ndarray | None = None
    weights: Path | None = None


@dataclasses.dataclass(frozen=True)
class Overrides:
    """What the user asks for instead of the preset's values; None keeps the preset's.

    weights: the network's file; dream: dream settings changed during a show, as (name, value), such as ("colour", 0.5);
    journey: make it a journey that comes back to the image after so many stations, 0: never.
    """

    image: Path | None = None
    seed: int | None = None
    network: str | None = None
    layer: str | None = None
    weights: Path | None = None
    dream: tuple[tuple[str, float | str], ...] = ()
    journey: int | None = None


@dataclasses.dataclass(frozen=True)
class LoadedPreset:
    """A preset ready to be baked and shown.

    name: the preset's, for people; settings: with the overrides applied; image: (height, width, 3) uint8 sRGB, depth 0
    of every dream; variants: the dreams, all of settings.dream.n_depths depths; stations: of a journey the dreams of
    its stations, which are used again and again in this order, empty without a journey; reference: what `open_preset`
    opens the preset with again, see `PresetFolder`; news: lines the user should read, such as a network that is missing
    and what is used instead; overrides: what was asked for instead of the preset's values; folder: the preset's, in
    which it may have a look of its own, None where there is none; written: its settings as its file has them, without
    overrides, None where it was not opened from a file.
    """

    name: str
    settings: Preset
    image: np.ndarray
    variants: tuple[Variant, ...]
    reference: str
    news: tuple[str, ...] = ()
    overrides: Overrides = Overrides()
    folder: Path | None = None
    stations: tuple[Variant, ...] = ()
    written: Preset | None = None

    @property
    def journey(self) -> JourneySettings | None:
        """The settings of the preset's journey, None if it has none."""
        return self.settings.journey

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the dream frames, px."""
        height, width = self.image.shape[:2]
        return width, height

    @property
    def n_depths(self) -> int:
        """The deepest dream frame's index, the same in every variant."""
        return self.settings.dream.n_depths


def dream_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size in which the dream of a window or video of `size` is baked unless another is asked for: the same, or as
    large as `LARGEST_BAKED` in the same shape. A larger one takes hours to bake and gigabytes of graphics memory, and
    the graphics card scales it without a visible loss of sharpness.
    """
    most = LARGEST_BAKED[0] * LARGEST_BAKED[1]
    scale = min(1.0, math.sqrt(most / (size[0] * size[1])))
    return max(16, round(size[0] * scale)), max(16, round(size[1] * scale))


def open_preset(
    preset: str = PLAIN_PRESET, *, size: tuple[int, int] = DEFAULT_SIZE, overrides: Overrides | None = None
) -> LoadedPreset:
    """Load the preset of that name or folder, with the overrides applied. size: width and height of the dream frames,
    px.

    With a network or layer in the overrides only one variant is dreamt. Where the preset's own network has not been
    fetched, the default network is used, and `news` says so. Raises BadInput; DreamError for a network in the overrides
    that has not been fetched.
    """
    overrides = overrides or Overrides()
    found = load_preset(preset)
    variants, news = variants_of(found, overrides)
    journey, stations = journey_of(found.preset, overrides), variants
    if journey is not None:
        if journey.stations:
            stations, station_news = variants_of(found, overrides, journey.stations)
            news = tuple(dict.fromkeys((*news, *station_news)))
        variants = variants[:1]
    settings = found.preset.model_copy(
        update={
            "dream": variants[0].settings,
            "variants": [variant.settings for variant in variants[1:]],
            "journey": journey,
        }
    )
    said: list[str] = []
    image = load_image(overrides.image if overrides.image is not None else found.image_path, size, say=said.append)
    return LoadedPreset(
        found.name,
        settings,
        image,
        variants,
        found.reference,
        (*news, *said),
        overrides,
        found.folder,
        stations if journey is not None else (),
        found.preset,
    )


def edited(loaded: LoadedPreset, now: Preset) -> LoadedPreset:
    """A preset whose file was edited while it is shown: with all its settings but those of its image and its dream.
    now: what the file says.
    """
    kept = {key: getattr(loaded.settings, key) for key in DREAM_KEYS}
    if loaded.journey is not None and now.journey is not None:
        kept["journey"] = with_pace_of(loaded.journey, now.journey)
    return dataclasses.replace(loaded, settings=now.model_copy(update=kept), written=now)


def is_another_dream(now: Preset, before: Preset) -> bool:
    """Whether the image or the dream of a preset whose file was edited must be opened again."""
    if before.journey is not None and now.journey is not None:
        before = before.model_copy(update={"journey": with_pace_of(before.journey, now.journey)})
    return any(getattr(now, key) != getattr(before, key) for key in DREAM_KEYS)


def with_pace_of(journey: JourneySettings, other: JourneySettings) -> JourneySettings:
    """A journey that goes as fast as another one, in its direction."""
    return journey.model_copy(update={key: getattr(other, key) for key in PACE_KEYS})


def is_preset(asked: str, reference: str) -> bool:
    """Whether the preset of that name or folder is the one of that reference. False if it no longer exists."""
    try:
        return reference_of(asked) == reference
    except BadInput:
        return False


def journey_of(preset: Preset, overrides: Overrides) -> JourneySettings | None:
    """The journey of a preset with the overrides applied, None if it has none. Raises BadInput for a loop that is too
    short.
    """
    if overrides.journey is None:
        return preset.journey
    journey = preset.journey or JourneySettings()
    try:
        return JourneySettings.model_validate({**journey.model_dump(), "loop": overrides.journey})
    except ValidationError as fault:
        raise BadInput(
            f"--journey {overrides.journey}: {fault.errors()[0]['msg'].removeprefix('Value error, ')}"
        ) from fault


def variants_of(
    found: PresetFolder, overrides: Overrides, dreams: Sequence[DreamSettings] | None = None
) -> tuple[tuple[Variant, ...], tuple[str, ...]]:
    """The variants of a preset with the overrides applied, and lines for the user. Raises as `open_preset` does.

    dreams: other dreams of the preset in their place, such as the stations of its journey.
    """
    news: list[str] = []
    variants = []
    for one in dreams_of(found, overrides, dreams):
        if overrides.weights is not None:
            weights: Path | None = overrides.weights
        else:
            try:
                weights = weights_of(one.network)
            except DreamError as missing:
                if overrides.network is not None:
                    raise
                stand_in = for_default_network(one)
                news.append(f"{missing}; {' + '.join(stand_in.layers)} of {DEFAULT_NETWORK} is used instead")
                one, weights = stand_in, None
        guide = _open_small(found.folder / one.guide, news.append) if one.guide else None
        if one.tone == "picture":
            colours = colours_of(_open_small(found.folder / one.tone_picture, news.append))
            one = one.model_copy(update={"tone_colours": colours})
        variants.append(Variant(one, guide, weights))
    return tuple(variants), tuple(dict.fromkeys(news))


def dreams_of(
    found: PresetFolder, overrides: Overrides, dreams: Sequence[DreamSettings] | None = None
) -> list[DreamSettings]:
    """The settings of each variant of a preset with the overrides applied, whether or not its network was fetched.
    Raises BadInput. dreams: other dreams of the preset in their place, at least one.
    """
    changed = [found.preset.dream, *found.preset.variants] if dreams is None else list(dreams)
    if overrides.network is not None or overrides.layer is not None:
        changed = [with_network(changed[0], overrides.network, overrides.layer)]
    if overrides.seed is not None:
        changed = [one.model_copy(update={"seed": overrides.seed}) for one in changed]
    if overrides.dream:
        changed = [with_changes(one, dict(overrides.dream)) for one in changed]
    return changed


def _open_small(path: Path, say: Callable[[str], None]) -> np.ndarray:
    return load_image(path, (GUIDE_PX, GUIDE_PX), say=say)


def open_settings(preset: str = PLAIN_PRESET) -> Preset:
    """Only the settings of a preset, without its image and weights. Raises BadInput."""
    return load_preset(preset).preset


def with_network(settings: DreamSettings, network: str | None, layer: str | None) -> DreamSettings:
    """`settings` with another network or layer. For a network alone its most similar layer is taken, with all channels.

    Raises BadInput for an unknown network or layer.
    """
    info = known_network(network or settings.network)
    changes: dict[str, Any] = {"network": info.name}
    if info.name != settings.network:
        changes["channels"] = "all"  # channel numbers mean nothing in another network
    if layer is not None:
        if layer not in info.layer_names:
            known = ", ".join(info.layer_names)
            raise BadInput(f"{info.name} has no layer {layer!r}{nearest(layer, info.layer_names)}; there are: {known}")
        changes["layer"] = layer
    elif info.name != settings.network:
        changes["layer"] = _most_similar_layer(settings, info)
    result = settings.model_copy(update=changes)
    for name in result.layers:
        try:
            channel_indices(result.channels, info.layer(name).n_channels, name)
        except ValueError as fault:
            raise BadInput(f"the preset's channels do not fit: {fault}") from fault
    return result


def with_changes(settings: DreamSettings, changes: dict[str, float | str]) -> DreamSettings:
    """`settings` with some values changed. Raises BadInput for values that are not allowed."""
    try:
        return DreamSettings.model_validate({**settings.model_dump(), **changes})
    except ValidationError as fault:
        first = fault.errors()[0]
        raise BadInput(f"dream.{'.'.join(map(str, first['loc']))}: {first['msg']}") from fault


def for_default_network(settings: DreamSettings) -> DreamSettings:
    """`settings` for the default network: the stand-in of each layer, all channels."""
    info = NETWORKS[settings.network]
    weights: dict[str, float] = {}
    for name, weight in settings.layers.items():
        block = info.layer(name).stand_in
        weights[block] = weights.get(block, 0.0) + weight
    layer = next(iter(weights)) if len(weights) == 1 else weights
    return settings.model_copy(update={"network": DEFAULT_NETWORK, "layer": layer, "channels": "all"})


def _most_similar_layer(settings: DreamSettings, info: NetworkInfo) -> str:
    """The layer most similar to the one of greatest weight in `settings`: the nearest stand-in of DEFAULT_NETWORK."""
    blocks = {name: index for index, name in enumerate(NETWORKS[DEFAULT_NETWORK].layer_names)}
    strongest = max(settings.layers, key=lambda name: settings.layers[name])
    goal = blocks[NETWORKS[settings.network].layer(strongest).stand_in]
    return min(info.layers, key=lambda layer: abs(blocks[layer.stand_in] - goal)).name
