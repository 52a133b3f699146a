"""What there is to choose from: presets, sound devices, the bundled song, a display."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..audio.devices import Device, close_portaudio, list_devices, open_portaudio, rates_of
from ..errors import VisualizerError
from ..files.remembered import remembered_input, remembered_output
from ..presets.preset import PresetFolder, list_presets
from ..render.monitors import Monitor, list_monitors
from ..render.window import display_available
from ..resources import shipped


@dataclass(frozen=True)
class Catalogue:
    """Presets that can be used, and a line for each that cannot."""

    presets: list[PresetFolder]
    faults: list[str]


@dataclass(frozen=True)
class Listed:
    """A sound device, the sample rates it takes, Hz, and whether `live` remembers it as its input, or `play` as its output."""

    device: Device
    rates_hz: tuple[int, ...]
    is_remembered: bool


def presets() -> Catalogue:
    """Every preset, by name."""
    faults: list[str] = []
    return Catalogue(list_presets(on_fault=faults.append), faults)


def devices() -> list[Listed]:
    """Every sound device, by index. Raises DeviceError if sound cannot be reached at all."""
    chosen_input, chosen_output = remembered_input(), remembered_output()
    portaudio = open_portaudio()
    try:
        return [
            Listed(
                device,
                rates_of(portaudio, device),
                (device.n_inputs > 0 and device.name == chosen_input)
                or (device.n_outputs > 0 and device.name == chosen_output),
            )
            for device in list_devices(portaudio)
        ]
    finally:
        close_portaudio(portaudio)


def monitors() -> list[Monitor]:
    """Every monitor, by index. Raises GraphicsError if there is no display."""
    return list_monitors()


def has_display() -> bool:
    """True if there is a display to open a window on."""
    return display_available()


def demo_song() -> Path:
    """The bundled song. Raises VisualizerError if the installation lacks it."""
    song = shipped("demo") / "song.opus"
    if not song.is_file():
        raise VisualizerError(f"the bundled song is missing from {song.parent}; reinstall the program")
    return song
