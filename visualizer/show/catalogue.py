"""What there is to choose from: presets, sound devices, the bundled song, a display."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..audio.devices import Device, list_devices
from ..errors import VisualizerError
from ..render.window import display_available
from ..resources import shipped
from ..store.presets import PresetFolder, list_presets


@dataclass(frozen=True)
class Catalogue:
    """Presets that can be used, and a line for each that cannot."""

    presets: list[PresetFolder]
    faults: list[str]


def presets() -> Catalogue:
    """Every preset, by name."""
    faults: list[str] = []
    return Catalogue(list_presets(on_fault=faults.append), faults)


def devices() -> list[Device]:
    """Every sound device, by index. Raises DeviceError if sound cannot be reached at all."""
    return list_devices()


def has_display() -> bool:
    """True if there is a display to open a window on."""
    return display_available()


def demo_song() -> Path:
    """The bundled song. Raises VisualizerError if the installation lacks it."""
    song = shipped("demo") / "song.opus"
    if not song.is_file():
        raise VisualizerError(f"the bundled song is missing from {song.parent}; reinstall the program")
    return song
