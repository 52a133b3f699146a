"""The status that the show of a rehearsal sends to the runner."""

from __future__ import annotations

import dataclasses

#: environment variable: options of the show and the address of the runner, as JSON
OPTIONS = "VISUALIZER_REHEARSAL"


@dataclasses.dataclass(frozen=True)
class Status:
    """The state of the show, and what happened since the status before.

    Parameters
    ----------
    time_s : when it was sent, `time.monotonic`, like all that end in _at_s.
    pid : process number of the show; all counts are of that process.
    n_frames, first_s : display frames shown so far, and when the first one was.
    gap_s, gap_at_s : longest time between the ends of two swaps since the status before, and when it ended.
    open_s : time since the newest swap.
    n_windows : windows opened so far.
    said : messages to the performer.
    logged : warnings and errors in the log.
    tracebacks : "ValueError: ..." of each.
    children : processes of the show, name -> process number.
    faults : parts of the show that have a fault.
    lines : status lines of the controllers.

    The others are those of Snapshot and LiveInput.
    """

    time_s: float
    pid: int = 0
    n_frames: int = 0
    first_s: float = 0.0
    gap_s: float = 0.0
    gap_at_s: float = 0.0
    open_s: float = 0.0
    n_windows: int = 0
    preset: str = ""
    wanted: str = ""
    n_baked: int = 0
    n_dreams: int = 0
    rate_hz: float = 0.0
    n_dropped: int = 0
    n_repeated: int = 0
    scale: float = 1.0
    is_fallback: bool = False
    input_state: str = ""
    n_losses: int = 0
    n_recoveries: int = 0
    n_kicks: int = 0
    faults: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()
    tracebacks: tuple[str, ...] = ()
    children: dict[str, int] = dataclasses.field(default_factory=dict)
    graphics: str = ""

    def has_said(self, text: str) -> bool:
        """Whether a message to the performer since the status before contains this text."""
        return any(text in line for line in self.said)
