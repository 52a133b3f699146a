"""What the stage of a rehearsal tells its conductor."""

from __future__ import annotations

import dataclasses

#: environment variable: what the stage is to show and where its conductor is, as JSON
ORDERS = "VISUALIZER_REHEARSAL"


@dataclasses.dataclass(frozen=True)
class Answer:
    """The show at one moment, and what happened since the answer before.

    time_s: `time.monotonic`, as all that ends in _at_s. pid: of the show's process, as all counts are. n_frames: display frames
    shown so far, the first at first_s. gap_s: the longest time between the ends of two swaps since the last answer, that ended
    at gap_at_s; open_s: since the newest swap. n_windows: windows opened so far. said: lines told to the performer; logged:
    warnings and errors; tracebacks: "ValueError: ..." of each. children: processes of the show, name -> process id. faults: parts
    that are degraded; lines: the status of controllers. Others: as in Snapshot and LiveInput.
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
    moves_by_itself: bool = False
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

    def told(self, words: str) -> bool:
        """Whether a line said to the performer since the last answer holds these words."""
        return any(words in line for line in self.said)
