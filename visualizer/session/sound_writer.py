"""Writes the sound of a session: in parts, with anchors that say when it was, and the steps of the analysis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .events import CLOCK_HZ, AnalysisEvent, DeviceEvent, Event, SoundEvent
from .layout import SessionFolder
from .sound import SoundPart, full_scale_for, on_grid
from .syncer import Syncer

#: length of a part of sound: damage costs one part at most
PART_S = 600.0
#: the sound of a part is anchored to the clock again when it is off by more than this
OFF_TICKS = CLOCK_HZ // 1000
#: steps of the analysis are joined up to this length
STEP_S = 0.25


class SoundWriter:
    """Writes the sound of a session, on the writing thread.

    folder: of the session. syncer: syncs the parts. write_line: writes an event; its second argument is the tick at
    which what it reports ends. rate_hz: of the newest sound, 0 before the first. n_bytes: of all parts so far.
    """

    def __init__(self, folder: SessionFolder, syncer: Syncer, write_line: Callable[[Event, int], None]) -> None:
        self.rate_hz = self.n_bytes = 0
        self._folder, self._syncer, self._write_line = folder, syncer, write_line
        self._part: SoundPart | None = None
        self._n_parts = 0
        self._anchor = (0, 0)  # a sample of the part, and its tick
        self._begins_part = False
        self._device = ("", "")
        self._step: AnalysisEvent | None = None
        self._step_end = 0

    def write(self, samples: np.ndarray, at: int, rate_hz: int, came: int | None) -> None:
        """Write samples, and that the analyzer was given them. Parameters: see `SessionWriter.sound`."""
        samples = on_grid(samples[:, np.newaxis] if samples.ndim == 1 else samples)
        part, n_channels, full_scale = self._part, samples.shape[1], full_scale_for(samples)
        if (
            part is None
            or self._begins_part
            or (rate_hz, n_channels) != (part.rate_hz, part.n_channels)
            or full_scale > part.full_scale
            or part.n_samples >= PART_S * rate_hz
        ):
            part = self._new_part(rate_hz, n_channels, full_scale)
            self._write_anchor(part, at)
        elif abs(at - self._tick_of_next(part)) > OFF_TICKS:
            self._write_anchor(part, at)
        n_bytes = part.n_bytes
        part.write(samples)
        self.n_bytes += part.n_bytes - n_bytes
        pairs = [] if came is None else [[len(samples), max(0, came - at)]]
        self._add_step(AnalysisEvent(at=at, step="sound", n_samples=len(samples), came=pairs))

    def takes(self, event: Event) -> bool:
        """Note an event that is to be written. Whether it is written later, joined with others; if not, all that
        came before it is written now.
        """
        if isinstance(event, AnalysisEvent):
            self.rate_hz = event.rate_hz or self.rate_hz
            if event.step == "silence":
                self._add_step(event)
                return True
        self.end_step()
        if isinstance(event, DeviceEvent):
            # a device that is back, and another one, begin a part; what a device is called may change while it is lost
            if event.state == "ok" and (event.state, event.label) != self._device:
                self._begins_part = True
            self._device = (event.state, event.label)
        return False

    def end_step(self) -> None:
        """Write the steps of the analysis that were joined so far."""
        if self._step is not None:
            step, self._step = self._step, None
            self._write_line(step, self._step_end)

    def end_part(self) -> None:
        """Finish the file of the present part."""
        if self._part is not None:
            part, self._part = self._part, None
            n_bytes = part.n_bytes
            part.finish()
            self.n_bytes += part.n_bytes - n_bytes
            self._syncer.finish(part.file)

    def _new_part(self, rate_hz: int, n_channels: int, full_scale: int) -> SoundPart:
        self.end_part()
        self._n_parts += 1
        self._begins_part, self.rate_hz = False, rate_hz
        self._part = SoundPart(self._folder.sound(self._n_parts), rate_hz, n_channels, full_scale)
        self._syncer.add(self._part.file)
        return self._part

    def _tick_of_next(self, part: SoundPart) -> int:
        """Where the next sample of a part is, as its last anchor says."""
        first, at = self._anchor
        return at + round((part.n_samples - first) * CLOCK_HZ / part.rate_hz)

    def _write_anchor(self, part: SoundPart, at: int) -> None:
        self.end_step()
        self._anchor = (part.n_samples, at)
        event = SoundEvent(
            at=at,
            file=part.path.name,
            rate_hz=part.rate_hz,
            channels=part.n_channels,
            first=part.n_samples,
            full_scale=part.full_scale,
        )
        self._write_line(event, at)

    def _add_step(self, step: AnalysisEvent) -> None:
        """Note that the analyzer was given sound or silence: joined with the step before where it goes on with it."""
        rate_hz, before = self.rate_hz or CLOCK_HZ, self._step
        if (
            before is not None
            and before.step == step.step
            and abs(step.at - self._step_end) <= OFF_TICKS
            and before.n_samples < STEP_S * rate_hz
        ):
            later = [[before.n_samples + n, ticks + step.at - before.at] for n, ticks in step.came]
            joined = {"n_samples": before.n_samples + step.n_samples, "came": before.came + later}
            self._step = before.model_copy(update=joined)
        else:
            self.end_step()
            self._step = step
        self._step_end = step.at + round(step.n_samples * CLOCK_HZ / rate_hz)
