"""Saving what was turned in a show as a new preset, in a thread."""

from __future__ import annotations

import dataclasses
import logging
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..control.parameters import Value
from ..control.state import KEPT, ShowState
from ..errors import BadInput, VisualizerError
from ..files.durable import write_folder
from ..files.paths import config_folder
from ..files.yamltext import yaml_text
from ..oneline import plain, preset_label, reason_of
from ..presets.loaded import LoadedPreset, dreams_of
from ..presets.preset import FILE_NAME, load_preset, preset_names
from ..render.chain import Link
from ..session.preset_copy import copy_of
from ..settings import BOUNDS, BeatSettings, DreamSettings
from .chain_control import written_looks
from .open_looks import open_links

log = logging.getLogger(__name__)

#: settings of the dream that are written together: without the bounds the others would be those of an earlier version
_TOGETHER = ("smoothing_px", "smoothing_growth_px", *BOUNDS)
_HIGHEST = 1000  # number of a preset of the same name


class PresetSaver:
    """Writes presets while a show runs, and reports which were written."""

    def __init__(self) -> None:
        self._answers: deque[str] = deque(maxlen=4)
        self._thread: threading.Thread | None = None

    def save(self, loaded: LoadedPreset, links: Sequence[Link], state: ShowState) -> str | None:
        """Begin to write the preset that is shown, with all that was set by hand; returns why not."""
        if self._thread is not None and self._thread.is_alive():
            return "a preset is still being saved; try again in a moment"
        self._thread = threading.Thread(target=self._save, args=(loaded, tuple(links), state), name="save preset")
        self._thread.start()
        return None

    def answer(self) -> str | None:
        """Whether a preset was written, and where: once."""
        return self._answers.popleft() if self._answers else None

    def close(self) -> None:
        """Wait until a preset that is being saved is written."""
        if self._thread is not None:
            self._thread.join()

    def _save(self, loaded: LoadedPreset, links: tuple[Link, ...], state: ShowState) -> None:
        try:
            folder = save_preset(loaded, links, state)
            self._answers.append(f"saved as preset {folder.name}, in {plain(folder)}")
        except VisualizerError as fault:
            log.warning("%s", fault)
            self._answers.append(str(fault))
        except Exception as fault:
            log.exception("the preset was not saved")
            self._answers.append(f"the preset was not saved ({type(fault).__name__})")


def save_preset(loaded: LoadedPreset, links: Sequence[Link], state: ShowState, folder: Path | None = None) -> Path:
    """Write the preset that is shown, with all that was set by hand, as a new one; its folder.

    It is named NAME-2, NAME-3 ... folder: that it is put into; `presets` of the config folder if None. Its own picture
    and looks are copied; looks from elsewhere are named. Raises VisualizerError, and leaves nothing then.
    """
    folder = config_folder() / "presets" if folder is None else folder
    copy = copy_of(loaded, only_own_looks=True)
    name, number = _free_name(preset_label(loaded.reference), {*preset_names(), *_names_in(folder)})
    data = preset_data(loaded, links, state, number)
    if copy.image:
        data["image"] = copy.image
    comment = f"# saved in a show, of the preset {plain(preset_label(loaded.reference))}\n"
    files: dict[str, bytes | Path] = {**copy.files, FILE_NAME: (comment + yaml_text(data)).encode()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_folder(folder / name, files, lambda part: _check(loaded, part))
    except OSError as fault:
        raise VisualizerError(f"the preset cannot be saved in {plain(folder)}: {reason_of(fault)}") from fault
    return folder / name


def preset_data(loaded: LoadedPreset, links: Sequence[Link], state: ShowState, number: int) -> dict[str, Any]:
    """What the file of a preset says, for it to be as it is now: what is as usual is left out. number: in its title."""
    found = load_preset(loaded.reference)
    overrides = dataclasses.replace(loaded.overrides, dream=tuple(state.dream_by_hand().items()))
    dream, *variants = dreams_of(found, overrides)
    journey = None
    if loaded.journey is not None:
        changed = dreams_of(found, overrides, loaded.journey.stations) if loaded.journey.stations else variants
        stations = [_dream(one, dream) for one in changed]
        journey, variants = {**loaded.journey.model_dump(exclude={"stations"}), "stations": stations}, []
    title = re.sub(r" \d+$", "", loaded.settings.title)
    data: dict[str, Any] = {
        "title": f"{title[:54]} {number}",
        "description": loaded.settings.description,
        "image": loaded.settings.image,
        "dream": _dream(dream, DreamSettings()),
        "variants": [_dream(one, dream) for one in variants],
        "journey": journey,
        "beat": _beat(loaded, state),
        "render": _render(loaded, links, state.look_by_hand()),
    }
    return {key: value for key, value in data.items() if value}


def _dream(dream: DreamSettings, usual: DreamSettings) -> dict[str, Any]:
    values, others = dream.model_dump(), usual.model_dump()
    found = {key: value for key, value in values.items() if value != others[key]}
    if found.keys() & set(_TOGETHER):
        found |= {key: values[key] for key in _TOGETHER}
    return {key: found[key] for key in values if key in found}  # in the order of the settings


def _beat(loaded: LoadedPreset, state: ShowState) -> dict[str, Any]:
    """The settings of the beat; those of room and machine as the preset has them."""
    usual, own = BeatSettings().model_dump(), loaded.settings.beat.model_dump()
    by_hand: Mapping[str, Value] = {
        name.removeprefix("beat."): value
        for name, value in state.by_hand.items()
        if name.startswith("beat.") and name not in KEPT
    }
    values: dict[str, Any] = {**own, **by_hand}
    expressions = {key: text for key, text in loaded.settings.expressions.items() if key not in by_hand}
    if state.sensitivity_factor != 1.0:
        values["sensitivity"] = float(f"{state.beat_settings().sensitivity:.6g}")
        if text := expressions.pop("sensitivity", ""):
            expressions["sensitivity"] = f"{state.sensitivity_factor:.6g}*({text})"
    values |= expressions
    return {key: value for key, value in values.items() if value != usual[key]}


def _render(loaded: LoadedPreset, links: Sequence[Link], by_hand: Mapping[str, Value]) -> dict[str, Any]:
    render, looks = loaded.settings.render, written_looks(loaded, links, by_hand)
    found: dict[str, Any] = {}
    if len(looks) == 1 and looks[0].keys() <= {"look", "parameters"}:
        found = {"shader": looks[0]["look"], "parameters": looks[0].get("parameters", {})}
    else:
        found["looks"] = [one["look"] if len(one) == 1 else one for one in looks]
    found |= render.model_dump(exclude_defaults=True, exclude={"shader", "parameters", "looks"})
    return {key: value for key, value in found.items() if value}


def _check(loaded: LoadedPreset, folder: Path) -> None:
    """Raise VisualizerError where a preset that was written cannot be opened."""
    try:
        found = load_preset(str(folder))
        open_links(dataclasses.replace(loaded, settings=found.preset, folder=folder))
    except BadInput as fault:
        raise VisualizerError(f"the preset cannot be saved: {fault}") from fault


def _free_name(label: str, taken: set[str]) -> tuple[str, int]:
    """The name of a new preset like that of another, and its number."""
    name = re.sub(r"-\d+$", "", re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-"))[:60] or "preset"
    lowered = {one.lower() for one in taken}  # on some file systems A and a are the same
    for number in range(2, _HIGHEST):
        if f"{name}-{number}".lower() not in lowered:
            return f"{name}-{number}", number
    raise VisualizerError(f"there are {_HIGHEST} presets called {name}-N already; remove some of them")


def _names_in(folder: Path) -> list[str]:
    try:
        return [one.name for one in folder.iterdir()]
    except OSError:
        return []
