"""Live: the picture follows a microphone or a line input, and goes on without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from math import log10
from typing import TYPE_CHECKING

from ..audio.capture import Capture
from ..audio.input import OK, LiveInput
from ..clock import monotonic
from ..control.controller import Controller
from ..control.snapshot import Meters
from ..files.remembered import DEFAULT_INPUT, remember_input, remembered_input
from ..presets.cache import FrameCache
from ..presets.loaded import LoadedPreset
from .onscreen import Report, Staging, run
from .sound import LiveSound
from .telemetry import OpensPanel

if TYPE_CHECKING:
    from ..supervision.lifeline import Lifeline

# A tempo less sure than this is not worth reading.
LEAST_SURE = 0.1
# A peak of no more than this, full scale = 1, is silence; the levels of so many channels are shown one by one.
SILENT, MOST_LEVELS = 1e-5, 4


class Live:
    """Sound from an input device. It runs until the user ends it."""

    def __init__(self, source: LiveInput | Capture, loaded: LoadedPreset) -> None:
        self.sound = LiveSound(source, loaded.settings.beat, now=monotonic, n_variants=len(loaded.variants))
        self._source = source
        self._channel_peaks: dict[str, tuple[float, ...]] = {"heard": (), "status": ()}  # for each that reads them

    def listen(self, timeout_s: float) -> bool:
        """See `LiveSound.listen`."""
        return self.sound.listen(timeout_s)

    def start(self) -> None:
        self._source.start()

    def position_s(self) -> float:
        return self.sound.position_s()

    def set_preset(self, loaded: LoadedPreset) -> None:
        """Another preset, or another sensitivity; the tempo stays."""
        self.sound.set_beat(loaded.settings.beat, len(loaded.variants))

    def heard(self) -> Meters:
        """What there is to show of the sound."""
        source, state = self._source, ""
        if isinstance(source, LiveInput) and source.state != OK:
            state = f"{source.state}: {source.reason.partition(';')[0]}"
        name = source.label if isinstance(source, LiveInput) else source.device_name
        peaks = self._take_channel_peaks("heard")
        return self.sound.heard()._replace(input=name, input_state=state, channel_peaks=peaks)

    def values(self) -> Mapping[str, float]:
        """See `Act.values`: the gain of the input."""
        return {"input.gain_db": self._source.gain_db}

    def set_value(self, name: str, value: float) -> None:
        """See `Act.set_value`."""
        if name == "input.gain_db":
            self._source.set_gain(value)

    @property
    def input_name(self) -> str:
        """The input that is listened to or looked for."""
        return self._source.device_name

    def take_up(self, bpm: float, beat_s: float) -> None:
        """See `LiveSound.take_up`."""
        self.sound.take_up(bpm, beat_s)

    def lead_tempo(self, bpm: float, beat_s: float) -> None:
        """See `LiveSound.lead_tempo`."""
        self.sound.lead_tempo(bpm, beat_s)

    def do(self, action: str) -> str | None:
        """tap, tempo_half, tempo_double or next_input -> a line to be said, if there is one; others are ignored."""
        if action == "tap":
            self.sound.tap(self.sound.position_s())
            return f"{self.sound.tempo_bpm:.0f} BPM"
        if action in ("tempo_half", "tempo_double"):
            self.sound.scale_tempo(0.5 if action == "tempo_half" else 2.0)
            return f"{self.sound.tempo_bpm:.0f} BPM"
        if action == "next_input" and isinstance(self._source, LiveInput):
            self._source.next_input()
            return "looking for the next input"
        return None

    def status(self) -> list[str]:
        source, sound = self._source, self.sound
        peaks = (sound.take_peak(), *self._take_channel_peaks("status"))
        if max(peaks) <= SILENT:
            level = "silent"
        else:
            shown = peaks[1:] if 2 <= len(peaks[1:]) <= MOST_LEVELS else peaks[:1]
            level = f"{' / '.join(_in_db(peak) for peak in shown)} dBFS"
        sure = sound.confidence
        tempo = f"{sound.tempo_bpm:.1f} BPM  sure {sure:.2f}" if sure >= LEAST_SURE else "none yet"
        counts = f"xruns {source.n_overruns}  dropped {source.n_dropped / source.sample_rate_hz:.1f} s"
        if isinstance(source, LiveInput):
            if source.state != OK:
                level = f"{source.state}: {source.reason.partition(';')[0]}"
            counts += f"  stalls {source.n_stalls}  lost {source.n_losses}  back {source.n_recoveries}"
            name = source.label
        else:
            name = source.device_name
        return [
            f"input\t{name}  {level}",
            f"tempo\t{tempo}{'   (moves by itself)' if sound.moves_by_itself else ''}",
            f"sound\t{counts}",
        ]

    def _take_channel_peaks(self, reader: str) -> tuple[float, ...]:
        """The largest sample of each channel of the input since the last call by the same reader."""
        new = self._source.take_peaks() if isinstance(self._source, LiveInput) else ()
        for name, before in self._channel_peaks.items():
            self._channel_peaks[name] = tuple(map(max, before, new)) if len(before) == len(new) else new
        peaks, self._channel_peaks[reader] = self._channel_peaks[reader], ()
        return peaks

    def news(self) -> str | None:
        if isinstance(self._source, LiveInput):
            return self._source.news()
        return f"sound lost: {self._source.lost}" if self._source.lost else None

    def over(self) -> bool:
        return False


def _in_db(peak: float) -> str:
    """A level of full scale = 1 for reading."""
    return f"{20 * log10(peak):.0f}" if peak > SILENT else "-"


def open_input(
    device: str | int | None, *, channels: Sequence[int] = (), gain_db: float = 0.0, was_there: bool = False
) -> LiveInput:
    """The input a show listens to: the one asked for, else the one remembered, else the system's default.

    What is asked for is remembered; "default" forgets it. was_there: it was listened to a moment ago, and is waited for. An input that is not there is an error, for it may be mistyped, but
    not if it was there once: then it is waited for. Raises UnknownDevice, BadInput, and DeviceError where there is no sound at all.
    """
    remembered = remembered_input()
    if device == DEFAULT_INPUT:
        remember_input(None)
        device = remembered = None
    known = was_there or (
        remembered is not None
        and isinstance(device, str)
        and device.strip() != ""
        and device.lower() in remembered.lower()
    )
    return LiveInput(
        device,
        channels=channels,
        gain_db=gain_db,
        must_be_there=not known,
        remembered=remembered,
        on_choice=remember_input,
    )


def live(
    loaded: LoadedPreset,
    cache: FrameCache,
    *,
    device: str | int | None = None,
    channels: Sequence[int] = (),
    gain_db: float = 0.0,
    staging: Staging | None = None,
    controllers: Callable[[], Sequence[Controller]] = tuple,
    opens_panel: OpensPanel | None = None,
    lifeline: Lifeline | None = None,
) -> Report:
    """Show the chosen input in a window until the user ends it; see `open_input` and `run`. Raises as these.

    controllers: opens them; they are closed when it is over. opens_panel: opens the performer's panel. lifeline: to whoever starts the show again when it dies; a show that goes on takes the
    input that was listened to.
    """
    resume = lifeline.resume if lifeline is not None else None
    if resume is not None and resume.input and not channels:
        device = resume.input
    with ExitStack() as stack:

        def act() -> Live:
            source = open_input(device, channels=channels, gain_db=gain_db, was_there=resume is not None)
            return Live(stack.enter_context(source), loaded)

        return run(
            loaded,
            act,
            cache,
            title="live - visualizer",
            staging=staging,
            controllers=controllers,
            opens_panel=opens_panel,
            lifeline=lifeline,
        )
