"""Live: the picture follows a microphone or a line input."""

from __future__ import annotations

from math import log10

from ..audio.capture import Capture
from ..store.cache import FrameCache
from .clocks import monotonic
from .look import Look
from .onscreen import Report, run
from .sound import LiveSound


class Live:
    """Sound from an input device. It runs until the user ends it."""

    def __init__(self, capture: Capture, look: Look) -> None:
        self.sound = LiveSound(capture, look.settings.beat, look.n_depths, now=monotonic, n_rows=len(look.rows))
        self._capture = capture

    def start(self) -> None:
        self._capture.start()

    def position_s(self) -> float:
        return self.sound.position_s()

    def key(self, name: str) -> None:
        """Live has no keys of its own."""

    def keys(self) -> tuple[str, ...]:
        return ()

    def status(self) -> list[str]:
        peak = self.sound.take_peak()
        level = f"{20 * log10(peak):.0f} dBFS" if peak > 1e-5 else "silent"
        return [
            f"input\t{self._capture.device_name}  {level}",
            f"sound\toverruns {self._capture.n_overruns}  dropped {self._capture.n_dropped}",
        ]

    def news(self) -> str | None:
        return f"sound lost: {self._capture.lost}" if self._capture.lost else None

    def over(self) -> bool:
        return False


def live(
    look: Look,
    cache: FrameCache,
    *,
    device: str | int | None = None,
    fullscreen: bool = False,
    rate_hz: float | None = None,
) -> Report:
    """Show the chosen input in a window until the user ends it. Raises DeviceError, UnknownDevice, GraphicsError."""
    capture = Capture(device)
    try:
        return run(look, Live(capture, look), cache, title="live - visualizer", fullscreen=fullscreen, rate_hz=rate_hz)
    finally:
        capture.close()
