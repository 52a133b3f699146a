"""The results of a rehearsal: plain data, and what is computed from it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .faults import Trial
from .plan import KINDS, Plan

#: limits that a show must keep
GAP_LIMIT_S, RESTART_LIMIT_S = 0.25, 2.0
SLOPE_LIMIT_MB_H = 1.0
#: warm-up before memory counts, as a fraction of the time, at most so many seconds
WARM_FRACTION, WARM_S = 0.2, 300.0
#: the growth of memory is judged from this duration on: heaps and caches fill for about eight minutes
JUDGED_FROM_S = 1500.0
#: fewest samples, and shortest time, from which a slope is computed
MIN_SAMPLES, MIN_SPAN_S = 10, 120.0
#: the minimum of each of so many intervals counts; fewest points for a line
N_INTERVALS, MIN_POINTS = 12, 5


class Memory(NamedTuple):
    """Memory that the show's process has for itself. time_s: since the beginning; calm: there was no fault at that
    time.
    """

    time_s: float
    megabytes: float
    calm: bool


class Slope(NamedTuple):
    """Slope of a straight line through memory samples, MB per hour, its standard error, and the number of points."""

    mb_h: float
    error_mb_h: float
    n: int


def slope(memory: Sequence[Memory], total_s: float) -> Slope | None:
    """Fit a line by least squares to the minimum in each of N_INTERVALS intervals of the calm time after the warm-up.

    The minimum, because memory that a driver or an allocator holds for a while and then releases is no growth; a leak
    raises the minimum as well. Returns None for too few samples.
    """
    warm_s = min(WARM_FRACTION * total_s, WARM_S)
    calm = [one for one in memory if one.calm and one.time_s >= warm_s]
    if len(calm) < MIN_SAMPLES or calm[-1].time_s - calm[0].time_s < MIN_SPAN_S:
        return None
    interval_s = (calm[-1].time_s - calm[0].time_s) / N_INTERVALS
    lowest: dict[int, Memory] = {}
    for one in calm:
        interval = min(int((one.time_s - calm[0].time_s) / interval_s), N_INTERVALS - 1)
        if interval not in lowest or one.megabytes < lowest[interval].megabytes:
            lowest[interval] = one
    points = [(one.time_s / 3600, one.megabytes) for one in lowest.values()]
    if len(points) < MIN_POINTS:
        return None
    n = len(points)
    mean_h, mean_mb = sum(hour for hour, _ in points) / n, sum(mb for _, mb in points) / n
    spread = sum((hour - mean_h) ** 2 for hour, _ in points)
    found = sum((hour - mean_h) * (mb - mean_mb) for hour, mb in points) / spread
    left = sum((mb - mean_mb - found * (hour - mean_h)) ** 2 for hour, mb in points)
    return Slope(found, math.sqrt(left / (n - 2) / spread), n)


class Gap(NamedTuple):
    """A time between two display frames. at_s: when it ended, since the beginning; what: the fault at that time."""

    seconds: float
    at_s: float
    what: str


@dataclass
class Record:
    """The results of a rehearsal.

    Parameters
    ----------
    began_s : its beginning, `time.monotonic`, like the times in `trials`.
    gaps : the longest ones, longest first.
    others : processor load by other programs, 0..1, once a second.
    left_out : kinds of fault that this system cannot have, and why.
    late : kinds for which there was no time.
    unplanned : tracebacks that no planned fault explains.
    crash : how the show's process ended unexpectedly; "" if it did not.
    log : file with the show's log if something failed.
    """

    plan: Plan
    seed: int
    preset: str
    size: tuple[int, int]
    machine: dict[str, str]
    began_s: float = 0.0
    seconds: float = 0.0
    n_frames: int = 0
    n_dropped: int = 0
    n_repeated: int = 0
    n_kicks: int = 0
    trials: list[Trial] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    unplanned: list[str] = field(default_factory=list)
    crash: str = ""
    interrupted: bool = False
    log: str = ""

    @property
    def rate_hz(self) -> float:
        """Mean rate of the display frames, Hz."""
        return self.n_frames / self.seconds if self.seconds else 0.0

    @property
    def others_share(self) -> float | None:
        """Median processor load by other programs, 0..1; None if unknown."""
        return sorted(self.others)[len(self.others) // 2] if self.others else None

    @property
    def longest(self) -> Gap | None:
        """The longest gap between two display frames."""
        return self.gaps[0] if self.gaps else None

    def slope(self) -> Slope | None:
        """Growth of the memory; None for too few samples."""
        return slope(self.memory, self.plan.total_s)

    def note_gap(self, seconds: float, at_s: float, what: str) -> None:
        """Record a gap if it is one of the longest."""
        self.gaps = sorted([*self.gaps, Gap(seconds, at_s, what)], reverse=True)[:10]


class Verdict(NamedTuple):
    """A requirement, whether the show met it (None: unknown), and the measured value."""

    what: str
    held: bool | None
    figure: str


def verdicts(record: Record) -> list[Verdict]:
    """All requirements with their results."""
    longest, grown = record.longest, record.slope()
    is_judged = record.seconds >= JUDGED_FROM_S
    failed = [trial for trial in record.trials if trial.fault]
    n_back = sum(trial.back_s is not None for trial in record.trials)
    found = [
        Verdict(
            f"no gap between display frames is longer than {GAP_LIMIT_S * 1000:.0f} ms",
            longest is not None and longest.seconds < GAP_LIMIT_S,
            f"the longest was {longest.seconds * 1000:.0f} ms" if longest is not None else "no display frame was shown",
        ),
        Verdict(
            f"memory grows by less than {SLOPE_LIMIT_MB_H:g} MB per hour",
            grown.mb_h < SLOPE_LIMIT_MB_H if grown is not None and is_judged else None,
            _growth(grown, is_judged),
        ),
        *_after_kill(record),
        Verdict("the show never ends unexpectedly", not record.crash, record.crash or "it did not"),
        Verdict(
            "the show recovers from every fault",
            not failed and n_back == len(record.trials),
            f"{n_back} of {len(record.trials)}" + "".join(f"; {one.kind}: {one.fault}" for one in failed[:5]),
        ),
        Verdict(
            "nothing else fails",
            not record.unplanned,
            "; ".join(record.unplanned[:3]) or "no other traceback in the log",
        ),
    ]
    return found


def _growth(grown: Slope | None, is_judged: bool) -> str:
    if grown is None:
        return "too few samples"
    figure = f"{grown.mb_h:+.1f} +- {grown.error_mb_h:.1f} MB per hour"
    return figure if is_judged else f"{figure}; judged from {JUDGED_FROM_S / 60:.0f} minutes on"


def _after_kill(record: Record) -> list[Verdict]:
    """The longest time from killing the show's process to the first display frame of the next, if it was killed."""
    gaps = [trial.gap_s for trial in record.trials if trial.kind == "show killed"]
    if not gaps:
        return []
    return [
        Verdict(
            f"after the show's process was killed, there is a picture within {RESTART_LIMIT_S:g} s",
            max(gaps) < RESTART_LIMIT_S,
            f"at most {max(gaps):.1f} s",
        )
    ]


def is_passed(record: Record) -> bool:
    """Whether every requirement with a known result was met, and the rehearsal was not interrupted."""
    return not record.interrupted and all(verdict.held is not False for verdict in verdicts(record))


class KindSummary(NamedTuple):
    """All faults of one kind. noticed_s, back_s: median and maximum, seconds; None without any."""

    kind: str
    n: int
    noticed_s: tuple[float, float] | None
    back_s: tuple[float, float] | None
    gap_s: float
    n_failed: int


def summaries(record: Record) -> list[KindSummary]:
    """Summarise the faults by kind, in the order of `plan.KINDS`. back_s counts from the end of the fault."""
    found = []
    for kind in KINDS:
        trials = [trial for trial in record.trials if trial.kind == kind]
        if not trials:
            continue
        noticed = [
            one.noticed_s - one.struck_s for one in trials if one.noticed_s is not None and one.struck_s is not None
        ]
        back = [
            max(0.0, one.back_s - one.healed_s) for one in trials if one.back_s is not None and one.healed_s is not None
        ]
        found.append(
            KindSummary(
                kind,
                len(trials),
                _median_and_maximum(noticed),
                _median_and_maximum(back),
                max(one.gap_s for one in trials),
                sum(bool(one.fault) for one in trials),
            )
        )
    return found


def _median_and_maximum(values: list[float]) -> tuple[float, float] | None:
    if not values:
        return None
    ordered = sorted(max(0.0, value) for value in values)
    return ordered[len(ordered) // 2], ordered[-1]


def as_json(record: Record) -> dict[str, Any]:
    """The record as data for json.dumps, with times in seconds since the beginning."""
    grown, longest = record.slope(), record.longest
    began_s = record.began_s

    def since(moment_s: float | None) -> float | None:
        return None if moment_s is None else round(moment_s - began_s, 3)

    return {
        "passed": is_passed(record),
        "minutes": record.plan.total_s / 60,
        "seed": record.seed,
        "preset": record.preset,
        "width": record.size[0],
        "height": record.size[1],
        "machine": record.machine,
        "seconds": round(record.seconds, 1),
        "n_frames": record.n_frames,
        "rate_hz": round(record.rate_hz, 2),
        "n_dropped": record.n_dropped,
        "n_repeated": record.n_repeated,
        "longest_gap_ms": None if longest is None else round(longest.seconds * 1000, 1),
        "gaps": [
            {"ms": round(gap.seconds * 1000, 1), "at_s": round(gap.at_s, 1), "during": gap.what} for gap in record.gaps
        ],
        "memory": {
            "slope_mb_h": None if grown is None else round(grown.mb_h, 2),
            "error_mb_h": None if grown is None else round(grown.error_mb_h, 2),
            "samples": [[round(one.time_s, 1), round(one.megabytes, 2), one.calm] for one in record.memory],
        },
        "faults": [
            {
                "kind": trial.kind,
                "begun_s": since(trial.begun_s),
                "struck_s": since(trial.struck_s),
                "noticed_s": since(trial.noticed_s),
                "healed_s": since(trial.healed_s),
                "back_s": since(trial.back_s),
                "longest_gap_ms": round(trial.gap_s * 1000, 1),
                "said": trial.said,
                "failed": trial.fault,
            }
            for trial in record.trials
        ],
        "others_share": record.others_share,
        "left_out": record.left_out,
        "no_time_for": record.late,
        "unplanned": record.unplanned,
        "crash": record.crash,
        "interrupted": record.interrupted,
        "verdicts": [{"what": one.what, "held": one.held, "figure": one.figure} for one in verdicts(record)],
    }
