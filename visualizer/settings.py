"""Every setting of the program: default, bounds and unit, declared once.

Presets (YAML) and the command line both read these models. They are frozen: a show never changes a setting in place, it
makes a new object (`settings.model_copy(update={...})`). The descriptions appear in error messages, on the panel and in
the tables of docs/presets.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from .errors import nearest
from .networks import DEFAULT_NETWORK, NETWORKS, NetworkInfo, channel_indices

#: the preset that is shown, exported or baked where none is given
SHOW_PRESET = "worlds"
#: the preset that a machine is checked and measured with: one dream, so the same on all of them
PLAIN_PRESET = "clouds"
#: width and height of dream frames in px, where none are given
DEFAULT_SIZE = (1280, 720)
#: limits of a song's volume, dB
VOLUME_DB = (-60.0, 0.0)
#: limits of the delay of a song's picture, ms; below 0: earlier
DELAY_MS = (-500.0, 1000.0)


class _Settings(BaseModel):
    # allow_inf_nan: a NaN passes every `ge`/`le` check, and would reach the picture
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


#: so many stations a journey that comes back to its image has at least: more than are seen at once
LEAST_LOOP = 5
#: the settings that bound a dream
BOUNDS = ("contrast_growth", "saturation_growth", "fine_growth", "clipped_growth")
#: the smoothing of a preset that has no bounds, where it sets only one of the two
_FORMER_SMOOTHING = {"smoothing_px": 0.9, "smoothing_growth_px": 1.0}


class BeatSettings(_Settings):
    """How the kick drum is detected, and how the level falls after it."""

    low_hz: Annotated[
        float, Field(ge=0, le=500, description="lower edge of the band in which a kick's strength is measured, Hz")
    ] = 0.0
    high_hz: Annotated[
        float, Field(ge=20, le=1000, description="upper edge of the band in which a kick's strength is measured, Hz")
    ] = 120.0
    motion: Annotated[
        Literal["decay", "punch", "breathe", "pump", "steps", "energy"],
        Field(description="how the level moves with a kick; energy: with the energy of the band instead"),
    ] = "decay"
    without_kicks: Annotated[
        Literal["breathe", "rest"],
        Field(description="while there are no kicks: move with loudness and notes, or rest on the image"),
    ] = "breathe"
    decay: Annotated[float, Field(ge=0.1, le=0.999, description="fraction of the level kept every 1/30 s")] = 0.93
    smoothing_ms: Annotated[
        float, Field(ge=0, le=1000, description="time constant of a low-pass filter on the level, ms")
    ] = 0.0
    sensitivity: Annotated[
        float, Field(ge=0.1, le=10, description="factor applied to the level before it is limited to 1")
    ] = 1.0
    gain_release_s: Annotated[
        float,
        Field(
            ge=0.5,
            le=120,
            description="time constant with which the reference, the loudest recent kick, falls, seconds",
        ),
    ] = 4.0
    floor_db: Annotated[
        float, Field(ge=-120, le=0, description="level that counts as silence, dB of a full-scale sine")
    ] = -66.0
    threshold: Annotated[
        float,
        Field(
            gt=0, le=1, description="how certain a kick must be, 0..1: higher, fewer false ones, but more are missed"
        ),
    ] = 0.13
    lead_ms: Annotated[
        float,
        Field(ge=0, le=200, description="live only: how much earlier kicks predicted from the beat are shown, ms"),
    ] = 0.0
    bass_low_hz: Annotated[float, Field(ge=20, le=500, description="lower edge of the bass band, Hz")] = 120.0
    mid_low_hz: Annotated[
        float,
        Field(
            ge=100,
            le=4000,
            validate_default=True,
            description="upper edge of the bass band, lower edge of the mids, Hz",
        ),
    ] = 480.0
    high_low_hz: Annotated[
        float,
        Field(
            ge=500, le=12000, validate_default=True, description="upper edge of the mids, lower edge of the highs, Hz"
        ),
    ] = 2940.0
    high_high_hz: Annotated[
        float, Field(ge=1000, le=20000, validate_default=True, description="upper edge of the highs, Hz")
    ] = 7020.0
    band_attack_s: Annotated[
        float,
        Field(ge=0.001, le=5, description="time constant with which the levels of bass, mids and highs rise, seconds"),
    ] = 0.01
    band_release_s: Annotated[
        float,
        Field(ge=0.001, le=30, description="time constant with which the levels of bass, mids and highs fall, seconds"),
    ] = 0.25

    @field_validator("motion", mode="before")
    @classmethod
    def _former_name(cls, motion: Any) -> Any:
        return "decay" if motion == "seed" else motion  # its name in earlier versions

    # a validator of single fields, not of the model: an error then names the line of its own key
    @field_validator("mid_low_hz", "high_low_hz", "high_high_hz")
    @classmethod
    def _bands_go_up(cls, edge_hz: float, info: ValidationInfo) -> float:
        names = ["bass_low_hz", "mid_low_hz", "high_low_hz", "high_high_hz"]
        below = names[names.index(str(info.field_name)) - 1]
        below_hz = info.data.get(below)
        if below_hz is not None and edge_hz - below_hz < 20:
            raise ValueError(f"{info.field_name} ({edge_hz:g}) must be at least 20 Hz above {below} ({below_hz:g})")
        return edge_hz

    @model_validator(mode="after")
    def _band_is_not_empty(self) -> BeatSettings:
        if self.high_hz - self.low_hz < 20:
            raise ValueError(f"high_hz ({self.high_hz:g}) must be at least 20 Hz above low_hz ({self.low_hz:g})")
        return self


#: what a number of a look can be moved by, besides by an expression; all of them are 0..1
SOURCES = ("kick", "bass", "mid", "high", "level", "loudness", "energy", "snare", "hat", "bass_note", "beat", "bar")
#: settings of the beat that may change at every display frame. The edges of bands and their times are not among them:
#: with others the analysis of the bands begins again.
MAY_MOVE = (
    "low_hz",
    "high_hz",
    "decay",
    "smoothing_ms",
    "sensitivity",
    "gain_release_s",
    "floor_db",
    "threshold",
    "lead_ms",
)


class DreamSettings(_Settings):
    """What is dreamt in the image, and how strongly."""

    network: Annotated[str, Field(description="network that dreams; `visualizer networks` lists them")] = (
        DEFAULT_NETWORK
    )
    layer: Annotated[
        str | dict[str, float],
        Field(
            validate_default=True,  # the default is a layer of the default network only
            description="layer whose activation is raised, or several with a weight each",
        ),
    ] = "block10.expand"
    channels: Annotated[
        str | list[int],
        Field(description='feature maps of the layer that are raised: all, a range like 0:3, a list like "0:3, 17"'),
    ] = "all"
    guide: Annotated[
        str, Field(description="file in the preset's folder: another picture, whose features are dreamt of")
    ] = ""
    n_depths: Annotated[int, Field(ge=1, le=40, description="number of dream frames that are baked")] = 20
    n_octaves: Annotated[
        int,
        Field(
            ge=1,
            le=10,
            description="number of sizes of the image that are dreamt in, for a picture 720 px high: the levels of an "
            "image pyramid",
        ),
    ] = 7
    octave_scale: Annotated[float, Field(ge=1.1, le=2.5, description="size ratio of two neighbouring octaves")] = 1.4
    blend: Annotated[
        float,
        Field(ge=0, le=1, description="fraction of the coarser octave's detail removed at each finer octave, 0..1"),
    ] = 0.1
    steps_per_depth: Annotated[
        int,
        Field(ge=1, le=8, description="gradient steps at the finest octave in each depth; coarser octaves take fewer"),
    ] = 2
    step_size: Annotated[
        float,
        Field(gt=0, le=0.1, description="mean change of a pixel at each octave in each depth; the image range is 0..1"),
    ] = 0.012
    smoothing_px: Annotated[
        float, Field(ge=0, le=8, description="sigma of the gradient's blur at depth 1, px of a picture 720 px high")
    ] = 3.5
    smoothing_growth_px: Annotated[
        float,
        Field(ge=0, le=8, description="how much larger sigma is at the deepest depth, px of a picture 720 px high"),
    ] = 2.0
    colour: Annotated[
        float, Field(ge=0, le=1, description="0 keeps the image's colours, 1 dreams in red, green and blue separately")
    ] = 0.25
    jitter_px: Annotated[
        int,
        Field(ge=0, le=256, description="largest random shift of the image before a step, px of a picture 720 px high"),
    ] = 32
    contrast_growth: Annotated[
        float, Field(ge=0, le=1, description="how much local contrast may grow over the image's, 0..1; 1: no bound")
    ] = 0.09
    saturation_growth: Annotated[
        float, Field(ge=0, le=1, description="how much saturation may grow over the image's, 0..1; 1: no bound")
    ] = 0.05
    fine_growth: Annotated[
        float, Field(ge=0, le=1, description="how much the finest detail may grow over the image's, 0..1; 1: no bound")
    ] = 0.02
    clipped_growth: Annotated[
        float,
        Field(ge=0, le=1, description="how much the fraction of black or white values may grow, 0..1; 1: no bound"),
    ] = 0.01
    tone: Annotated[
        Literal["image", "complementary", "duotone", "picture"],
        Field(
            description="colours of the deepest frames: the image's, its main hue and the opposite one, those of "
            "tone_colours, or those of tone_picture"
        ),
    ] = "image"
    tone_strength: Annotated[
        float, Field(ge=0, le=1, description="fraction of the colours that are replaced at the deepest depth, 0..1")
    ] = 1.0
    tone_colours: Annotated[
        list[Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]],
        Field(
            min_length=1,
            max_length=8,
            description='colours of a duotone, from dark to light: 1 to 8 like "#ff8f3f"; brightness stays',
        ),
    ] = ["#2a1a6e", "#ff9a4a"]
    tone_picture: Annotated[
        str,
        Field(
            validate_default=True,
            description="file in the preset's folder: another picture, whose colours are used",
        ),
    ] = ""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="seed of the random shifts")] = 0

    @property
    def layers(self) -> dict[str, float]:
        """Every layer that is raised, and its weight."""
        return {self.layer: 1.0} if isinstance(self.layer, str) else dict(self.layer)

    # validators of single fields, not of the model: an error then names the line of its own key
    @field_validator("network")
    @classmethod
    def _network_exists(cls, network: str, info: ValidationInfo) -> str:
        networks = _networks(info)
        if network not in networks:
            raise ValueError(f"unknown network {network!r}{nearest(network, networks)}; allowed: {', '.join(networks)}")
        return network

    @field_validator("layer")
    @classmethod
    def _layers_exist(cls, layer: str | dict[str, float], info: ValidationInfo) -> str | dict[str, float]:
        network = info.data.get("network")
        if network is None:  # invalid itself, and reported
            return layer
        names = _networks(info)[network].layer_names
        weights = {layer: 1.0} if isinstance(layer, str) else layer
        if not weights:
            raise ValueError("needs at least one layer")
        for name, weight in weights.items():
            if name not in names:
                raise ValueError(
                    f"unknown layer {name!r} of {network}{nearest(name, names)}; allowed: {', '.join(names)}"
                )
            if not 0 < weight <= 100:
                raise ValueError(f"the weight of {name} must be above 0 and at most 100, not {weight:g}")
        return layer

    @model_validator(mode="before")
    @classmethod
    def _former_presets_are_not_bounded(cls, data: Any) -> Any:
        """A preset that sets its smoothing and none of the bounds was made before there were bounds: it keeps its look."""
        if isinstance(data, dict) and _FORMER_SMOOTHING.keys() & data.keys() and not data.keys() & set(BOUNDS):
            return {**_FORMER_SMOOTHING, **dict.fromkeys(BOUNDS, 1.0), **data}
        return data

    @field_validator("tone_picture")
    @classmethod
    def _picture_is_named(cls, picture: str, info: ValidationInfo) -> str:
        if info.data.get("tone") == "picture" and not picture:
            raise ValueError("tone: picture needs a picture; name a file in the preset's folder")
        return picture

    @field_validator("channels")
    @classmethod
    def _channels_exist(cls, channels: str | list[int], info: ValidationInfo) -> str | list[int]:
        network, layer = info.data.get("network"), info.data.get("layer")
        if network is not None and layer is not None:
            for name in [layer] if isinstance(layer, str) else layer:
                channel_indices(channels, _networks(info)[network].layer(name).n_channels, name)
        return channels


def _networks(info: ValidationInfo) -> Mapping[str, NetworkInfo]:
    """The networks that may be named: model_validate's context["networks"] where given, else those of this program."""
    networks: Mapping[str, NetworkInfo] = (info.context or {}).get("networks", NETWORKS)
    return networks


#: how a look of a chain is laid over the picture before it
Blend = Literal["normal", "add", "screen", "multiply", "lighten", "darken", "difference", "overlay"]
#: the name of a look, as `looks.look.find_look` takes it
LookName = Annotated[
    str,
    Field(
        pattern=r"^[^A-Z\s./]+$",
        description="name of the look, in small letters and without the file's ending: `3d-rotate` for 3D Rotate.fs",
    ),
]


def _number_or_expression(value: Any) -> Any:
    """A number 0..1, or an expression, which is checked where the look is opened."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (is_number and 0 <= value <= 1) or isinstance(value, str):
        return value
    shown = repr(value) if isinstance(value, int | float) else "this value"
    raise ValueError(f"{shown.lower()} cannot be used; allowed: a number, 0 .. 1, or an expression: 0.5 + 0.5*bass")


def _named(value: Any) -> Any:
    """A name alone stands for a look without anything else."""
    if not isinstance(value, str | dict | BaseModel | None):
        raise ValueError("must be the name of a look, or a section with the key look")
    return {"look": value} if isinstance(value, str) else value


def _one_or_none(value: Any) -> Any:
    """A name alone stands for a list of it, and a section with every line commented out for an empty one."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


class LinkSettings(_Settings):
    """One look of a chain. Its numbers may be expressions, see docs/modulation.md."""

    look: LookName
    parameters: Annotated[dict[str, Any], Field(description="the look's own parameters, by name")] = {}
    mix: Annotated[
        float | str,
        BeforeValidator(_number_or_expression),
        Field(description="how much of it is seen, 0..1; 0: the picture before it"),
    ] = 1.0
    blend: Annotated[Blend, Field(description="how it is laid over the picture before it")] = "normal"


class TransitionSettings(_Settings):
    """How a preset comes after the one before."""

    look: LookName
    seconds: Annotated[float, Field(gt=0, le=30, description="how long it takes, seconds")] = 0.7
    parameters: Annotated[dict[str, Any], Field(description="the look's own parameters, by name")] = {}


class RenderSettings(_Settings):
    """How the dream frames are drawn."""

    shader: Annotated[str, Field(pattern=r"^[^A-Z\s./]+$", description="name of the look")] = "crossfade"
    parameters: Annotated[
        dict[str, Any], Field(description="the look's own parameters: those that its header declares, by name")
    ] = {}
    looks: Annotated[
        list[Annotated[LinkSettings, BeforeValidator(_named)]],
        BeforeValidator(_one_or_none),
        Field(max_length=16, description="several looks in order, each drawn from the picture before it"),
    ] = []
    transition: Annotated[
        TransitionSettings | None,
        BeforeValidator(_named),
        Field(description="a look that leads from the preset before to this one; without: a crossfade"),
    ] = None

    budget_ms: Annotated[
        float,
        Field(
            ge=1,
            le=10_000,
            description="longest time that a look may take for a display frame, ms: one that takes longer for a second "
            "is turned off",
        ),
    ] = 100.0

    @field_validator("looks")
    @classmethod
    def _one_or_several(cls, looks: list[LinkSettings], info: ValidationInfo) -> list[LinkSettings]:
        if looks and (info.data.get("parameters") or info.data.get("shader", "crossfade") != "crossfade"):
            raise ValueError("looks takes the place of shader and parameters; name the shader as the first of looks")
        return looks

    @property
    def chain(self) -> list[LinkSettings]:
        """The looks in order, at least one."""
        return self.looks or [LinkSettings(look=self.shader, parameters=self.parameters)]


class JourneySettings(_Settings):
    """An endless zoom in which every dream begins inside the one before: its stations are dreams of their own."""

    zoom_per_bar: Annotated[
        float,
        Field(ge=0, le=2, description="stations passed in a bar, where the tempo is known; each is twice as large"),
    ] = 0.25
    zoom_per_s: Annotated[
        float, Field(ge=0, le=1, description="stations passed in a second, where the tempo is not known")
    ] = 0.1
    direction: Annotated[Literal["in", "out"], Field(description="into the picture, or out of it")] = "in"
    centre: Annotated[
        Literal["fixed", "wander", "dreamt"],
        Field(description="where in a station the next one begins: the middle, beside it, or where most is dreamt"),
    ] = "wander"
    rotation: Annotated[
        float,
        Field(
            ge=-45, le=45, description="how far a station is turned, degrees; less where the picture is wide or tall"
        ),
    ] = 12.0
    depth: Annotated[
        int,
        Field(ge=0, le=40, description="depth of the dream frame in which the next station begins, at most n_depths"),
    ] = 10
    way_back: Annotated[
        float,
        Field(ge=0, le=1, description="how far light and colour of a station are led back to the image's, 0..1"),
    ] = 0.5
    loop: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            validate_default=True,
            description="number of stations after which it comes back to the image; 0: never",
        ),
    ] = 0
    stations: Annotated[
        list[DreamSettings],
        Field(
            max_length=100,
            description="the dreams of the stations, again and again in this order; each is like dream except for the "
            "keys it names",
        ),
    ] = []
    pictures: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        BeforeValidator(_one_or_none),
        Field(max_length=1000, description="files in the preset's folder: pictures that stations begin with, in turn"),
    ] = []
    picture_every: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="every so many stations one begins with the next of the pictures; 0: only when asked for",
        ),
    ] = 4

    def picture_at(self, station: int) -> str | None:
        """The picture that a station begins with; None where it begins in the one before."""
        if not self.pictures or not self.picture_every or station <= 0 or station % self.picture_every:
            return None
        return self.pictures[(station // self.picture_every - 1) % len(self.pictures)]

    def picture_around(self, station: int) -> str | None:
        """The picture that a station has around the one after it, where it lies before the first or is dreamt again in the
        place of one that the cache has lost; None for the image.
        """
        if not self.pictures or not self.picture_every:
            return None
        return self.pictures[(-station - 1) % len(self.pictures)]

    # of single fields, not of the model: an error then names the line of its own key
    @field_validator("loop")
    @classmethod
    def _loop_is_long_enough(cls, loop: int) -> int:
        if 0 < loop < LEAST_LOOP:
            raise ValueError(f"must be 0, or at least {LEAST_LOOP}: so many stations are seen at once")
        return loop


class Preset(_Settings):
    """A preset: an image, what is dreamt in it, what is heard, and how it is drawn."""

    title: Annotated[str, Field(min_length=1, max_length=60)]
    description: Annotated[str, Field(max_length=300)] = ""
    image: Annotated[str, Field(min_length=1, description="image file, relative to the preset's folder")] = "image.jpg"
    dream: DreamSettings = DreamSettings()
    variants: Annotated[
        list[DreamSettings],
        Field(max_length=7, description="further dreams of the image, each like `dream` except for the keys it names"),
    ] = []
    journey: Annotated[
        JourneySettings | None,
        Field(description="an endless zoom from dream to dream; without: the dreams of one image"),
    ] = None
    beat: BeatSettings = BeatSettings()
    render: RenderSettings = RenderSettings()
    _expressions: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def expressions(self) -> dict[str, str]:
        """The settings of the beat that are expressions, by name; `beat` holds their defaults."""
        return self._expressions

    @model_validator(mode="wrap")
    @classmethod
    def _take_expressions(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Take text where the beat has a number for an expression. It is checked where the preset's look is opened."""
        found: dict[str, str] = {}
        beat = data.get("beat") if isinstance(data, dict) else None
        if isinstance(beat, dict):
            found = {key: value for key, value in beat.items() if key in MAY_MOVE and isinstance(value, str)}
            if found:
                data = {**data, "beat": {key: value for key, value in beat.items() if key not in found}}
        preset = handler(data)
        if found:
            preset._expressions = found
        return preset

    @model_validator(mode="before")
    @classmethod
    def _others_are_like_dream(cls, data: Any) -> Any:
        """Complete each variant, and each station of a journey, with the keys of `dream`. Values of a wrong type are
        left for the fields to report.
        """
        if isinstance(data, dict) and "rows" in data and "variants" not in data:  # its name in earlier versions
            data = {("variants" if key == "rows" else key): value for key, value in data.items()}
        if isinstance(data, dict) and data.get("variants", []) is None:  # a section with every line commented out
            data = {**data, "variants": []}
        if not isinstance(data, dict) or not isinstance(data.get("dream") or {}, dict):
            return data
        dream = data.get("dream") or {}
        if isinstance(data.get("variants"), list):
            data = {**data, "variants": _like(dream, data["variants"], "variants")}
        journey = data.get("journey")
        if isinstance(journey, dict):
            stations = [] if journey.get("stations") is None else journey["stations"]
            if isinstance(stations, list):
                stations = _like(dream, stations, "journey.stations")
            data = {**data, "journey": {**journey, "stations": stations}}
        return data

    @field_validator("journey")
    @classmethod
    def _journey_has_no_variants(cls, journey: JourneySettings | None, info: ValidationInfo) -> JourneySettings | None:
        if journey is not None and info.data.get("variants"):
            raise ValueError("a preset has either variants or a journey; name the dreams as stations of the journey")
        return journey


def _like(dream: dict[str, Any], others: list[Any], key: str) -> list[Any]:
    """Each of the others completed with the keys of `dream`."""
    for one in others:
        if isinstance(one, dict) and "n_depths" in one:
            raise ValueError(f"{key}: n_depths is the same for all {key.rpartition('.')[2]}; set it under dream")
    return [{**dream, **one} if isinstance(one, dict) else one for one in others]


class CacheSettings(_Settings):
    """How much disk baked dreams may take."""

    max_gb: Annotated[float, Field(gt=0, le=10_000, description="largest size of the frame cache, gigabytes")] = 5.0


class UserSettings(_Settings):
    """What a user sets once for this machine, in settings.yaml in the platform's config folder."""

    cache: CacheSettings = CacheSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
