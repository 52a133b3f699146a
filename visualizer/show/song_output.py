"""The sound output of `play` and `replay`: which one is used, and its remembered delay."""

from __future__ import annotations

from ..audio.playback import PREROLL_S, Playback
from ..audio.reading import Playable
from ..audio.volume import Volume
from ..files.remembered import (
    DEFAULT_OUTPUT,
    remember_delay_ms,
    remember_output,
    remembered_delay_ms,
    remembered_output,
)
from ..processes import reserve_environment


class OutputDelay:
    """The delay of the loudspeaker, of the output in use; remembered for each output by its name.

    ms: the picture is shown this much later, or earlier if below 0. A delay given, or set before the output is known,
    is used for the first output instead of the remembered one.
    """

    def __init__(self, given_ms: float | None = None) -> None:
        self._ms = given_ms or 0.0
        self._is_given = given_ms is not None
        self._output: str | None = None

    @property
    def ms(self) -> float:
        """The delay, ms; see `settings.DELAY_MS`."""
        return self._ms

    @ms.setter
    def ms(self, ms: float) -> None:
        self._ms = ms
        self._is_given = self._output is None

    def follow(self, output: str | None) -> None:
        """Use the delay of this output, by its full name; None: not known yet."""
        if output is None or output == self._output:
            return
        self.keep()
        self._output = output
        if not self._is_given:
            self._ms = remembered_delay_ms(output)
        self._is_given = False

    def keep(self) -> None:
        """Remember the delay of the output in use."""
        if self._output is not None:
            remember_delay_ms(self._output, self.ms)


def open_playback(
    songs: Playable, device: str | int | None, *, was_there: bool = False, preroll_s: float | None = PREROLL_S
) -> Playback:
    """Playback through the given output, else the remembered one, else the default of the system; see `Playback`.

    A given output is remembered; "default" forgets it. was_there: it was in use a moment ago. An output that is missing
    is waited for if it was in use or chosen before; otherwise it is an error. preroll_s: see `Playback`. Raises
    UnknownDevice.
    """
    remembered = remembered_output()
    if device == DEFAULT_OUTPUT:
        remember_output(None)
        device = remembered = None
    if device is not None or remembered is not None:
        reserve_environment(chooses_output=True)
    is_known = was_there or (
        remembered is not None
        and isinstance(device, str)
        and device.strip() != ""
        and device.lower() in remembered.lower()
    )
    return Playback(
        songs,
        preroll_s=preroll_s,
        device=device,
        remembered=remembered,
        on_choice=remember_output,
        must_be_there=not is_known,
    )


def volume_parameters(volume: Volume) -> dict[str, float]:
    """The parameters of a volume, see `Source.parameters`."""
    return {"output.volume_db": volume.level_db, "output.mute": float(volume.is_muted)}


def set_volume_parameter(volume: Volume, name: str, value: float) -> None:
    """Set one of `volume_parameters`; any other name is ignored."""
    if name == "output.volume_db":
        volume.level_db = value
    elif name == "output.mute":
        volume.is_muted = value >= 0.5


def volume_text(volume: Volume) -> str:
    """A volume for people."""
    return "muted" if volume.is_muted else f"volume {volume.level_db:.0f} dB"
