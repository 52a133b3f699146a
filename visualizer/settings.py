"""Every setting of the program: default, bounds and unit, declared once.

Presets (YAML) and the command line both read these models. They are frozen: a show never changes a setting in place, it
takes a new object (`settings.model_copy(update={...})`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .errors import nearest

# What is shown when nothing is said: the preset's name, and width and height in px.
DEFAULT_PRESET = "clouds"
DEFAULT_SIZE = (1280, 720)

# Layers that may be dreamt towards, by network. A layer is named after the block whose 1x1 expansion it is.
NETWORK_LAYERS: dict[str, tuple[str, ...]] = {
    "efficientnet-lite0": tuple(f"block{index}.expand" for index in range(1, 16)),
}


class _Settings(BaseModel):
    # allow_inf_nan: a NaN passes every `ge`/`le` check, and would travel into the picture
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BeatSettings(_Settings):
    """How the kick drum is heard and how the depth falls after it."""

    low_hz: Annotated[float, Field(ge=0, le=500, description="lower edge of the kick band, Hz")] = 0.0
    high_hz: Annotated[float, Field(ge=20, le=1000, description="upper edge of the kick band, Hz")] = 120.0
    decay: Annotated[float, Field(ge=0.1, le=0.999, description="share of the level kept every 1/30 s")] = 0.93
    sensitivity: Annotated[float, Field(ge=0.1, le=10, description="factor on the level before it is capped at 1")] = (
        1.0
    )
    gain_release_s: Annotated[
        float, Field(ge=0.5, le=120, description="time constant with which the loudest kick is forgotten, seconds")
    ] = 4.0
    floor_db: Annotated[
        float, Field(ge=-120, le=0, description="band level that counts as silence, dB of a full-scale sine")
    ] = -44.0
    onset_rise: Annotated[float, Field(gt=0, le=1, description="rise of the level that counts as a kick")] = 0.25

    @model_validator(mode="after")
    def _band_is_not_empty(self) -> BeatSettings:
        if self.high_hz - self.low_hz < 20:
            raise ValueError(f"high_hz ({self.high_hz:g}) must be at least 20 Hz above low_hz ({self.low_hz:g})")
        return self


class DreamSettings(_Settings):
    """What the network is asked to see in the image, and how gently."""

    network: Literal["efficientnet-lite0"] = "efficientnet-lite0"
    layer: Annotated[str, Field(description="named activation whose strength is raised")] = "block10.expand"
    n_depths: Annotated[int, Field(ge=1, le=40, description="how many dream frames are baked")] = 20
    n_octaves: Annotated[int, Field(ge=1, le=10, description="levels of the image pyramid")] = 7
    octave_scale: Annotated[float, Field(ge=1.1, le=2.5, description="size ratio between two octaves")] = 1.4
    steps_per_depth: Annotated[int, Field(ge=1, le=8, description="ascent steps per octave and depth")] = 2
    n_single_octaves: Annotated[
        int, Field(ge=0, le=10, description="finest octaves that take a depth's way in one step")
    ] = 2
    step_size: Annotated[float, Field(gt=0, le=0.1, description="length of a step, image range is 0..1")] = 0.006
    smoothing_px: Annotated[float, Field(ge=0, le=8, description="sigma of the gradient's blur at depth 1, px")] = 0.9
    smoothing_growth_px: Annotated[
        float, Field(ge=0, le=8, description="what sigma has gained at the deepest depth, px")
    ] = 1.3
    colour: Annotated[
        float, Field(ge=0, le=1, description="0 keeps the image's colours, 1 lets each colour dream alone")
    ] = 0.25
    jitter_px: Annotated[int, Field(ge=0, le=256, description="largest random roll before a step, px")] = 32
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="seed of the random rolls")] = 0

    @field_validator("layer")
    @classmethod
    def _layer_exists(cls, layer: str) -> str:
        layers = {name for names in NETWORK_LAYERS.values() for name in names}
        if layer not in layers:
            first, last = NETWORK_LAYERS["efficientnet-lite0"][0], NETWORK_LAYERS["efficientnet-lite0"][-1]
            raise ValueError(f"unknown layer {layer!r}{nearest(layer, layers)}; allowed: {first} .. {last}")
        return layer


class RenderSettings(_Settings):
    """How the dream frames are drawn."""

    shader: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", description="name of a file in shaders/, without .frag")] = (
        "crossfade"
    )


class Preset(_Settings):
    """A look: an image, what to dream in it, what to hear, how to draw."""

    title: Annotated[str, Field(min_length=1, max_length=60)]
    description: Annotated[str, Field(max_length=300)] = ""
    image: Annotated[str, Field(min_length=1, description="image file, relative to the preset's folder")] = "image.jpg"
    dream: DreamSettings = DreamSettings()
    beat: BeatSettings = BeatSettings()
    render: RenderSettings = RenderSettings()


class CacheSettings(_Settings):
    """How much disk baked dreams may take."""

    max_gb: Annotated[float, Field(gt=0, le=10_000, description="size cap of the frame cache, gigabytes")] = 5.0


class UserSettings(_Settings):
    """What a user sets once for this machine, in settings.yaml in the platform's config folder."""

    cache: CacheSettings = CacheSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
