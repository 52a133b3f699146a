"""What a rehearsal found: plain data, and what is reckoned from it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .faults import Trial
from .plan import KINDS, Plan

#: what a show must hold
GAP_LIMIT_S, DEATH_LIMIT_S = 0.25, 2.0
SLOPE_LIMIT_MB_H = 1.0
#: memory is looked at after this share of the time, at most so long, seconds
WARM_SHARE, WARM_S = 0.2, 300.0
#: a shorter rehearsal is not judged by it: heaps and caches fill for eight minutes or so, and every megabyte is many an hour then
JUDGED_FROM_S = 1500.0
#: fewer figures than this, or from less than so many seconds, say nothing of an hour
LEAST_SAMPLES, LEAST_SPAN_S = 10, 120.0
#: the least of each of so many stretches counts; fewer points than this are no line
N_STRETCHES, LEAST_POINTS = 12, 5


class Memory(NamedTuple):
    """What the show's process holds for itself. time_s: since the beginning; calm: whether nothing was wrong just then."""

    time_s: float
    megabytes: float
    calm: bool


class Slope(NamedTuple):
    """A straight line through figures of memory: MB an hour, and its standard error."""

    mb_h: float
    error_mb_h: float
    n: int


def slope(memory: Sequence[Memory], total_s: float) -> Slope | None:
    """By least squares through the least that was held in each of N_STRETCHES stretches of the calm moments after the warm-up; None
    where there is too little of it.

    The least: what a driver or an allocator holds for a while and then gives back is no growth; what is lost is in the least as well.
    """
    warm_s = min(WARM_SHARE * total_s, WARM_S)
    calm = [one for one in memory if one.calm and one.time_s >= warm_s]
    if len(calm) < LEAST_SAMPLES or calm[-1].time_s - calm[0].time_s < LEAST_SPAN_S:
        return None
    stretch_s = (calm[-1].time_s - calm[0].time_s) / N_STRETCHES
    least: dict[int, Memory] = {}
    for one in calm:
        stretch = min(int((one.time_s - calm[0].time_s) / stretch_s), N_STRETCHES - 1)
        if stretch not in least or one.megabytes < least[stretch].megabytes:
            least[stretch] = one
    points = [(one.time_s / 3600, one.megabytes) for one in least.values()]
    if len(points) < LEAST_POINTS:
        return None
    n = len(points)
    mean_h, mean_mb = sum(hour for hour, _ in points) / n, sum(mb for _, mb in points) / n
    spread = sum((hour - mean_h) ** 2 for hour, _ in points)
    found = sum((hour - mean_h) * (mb - mean_mb) for hour, mb in points) / spread
    left = sum((mb - mean_mb - found * (hour - mean_h)) ** 2 for hour, mb in points)
    return Slope(found, math.sqrt(left / (n - 2) / spread), n)


class Gap(NamedTuple):
    """The time between two pictures. at_s: when it ended, since the beginning; what: what was going on."""

    seconds: float
    at_s: float
    what: str


@dataclass
class Record:
    """A rehearsal as it went. began_s: `time.monotonic` of its beginning, as all in `trials`; gaps: the longest, longest first.

    others: share of the processor that other programs took, every second. left_out: kinds that could not be done here, and why; late: those for which no time was left; unplanned: tracebacks that no fault
    accounts for; crash: how the show's process ended before its time, "" if it did not.
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
        """Display frames a second, mean."""
        return self.n_frames / self.seconds if self.seconds else 0.0

    @property
    def others_share(self) -> float | None:
        """Median share of the processor that other programs took, 0..1; None where it is not known."""
        return sorted(self.others)[len(self.others) // 2] if self.others else None

    @property
    def longest(self) -> Gap | None:
        """The longest gap between two pictures."""
        return self.gaps[0] if self.gaps else None

    def slope(self) -> Slope | None:
        """How the memory grew; None where too little is known of it."""
        return slope(self.memory, self.plan.total_s)

    def note_gap(self, seconds: float, at_s: float, what: str) -> None:
        """Keep a gap if it is one of the longest."""
        self.gaps = sorted([*self.gaps, Gap(seconds, at_s, what)], reverse=True)[:10]


class Verdict(NamedTuple):
    """One thing a show must hold, and whether it did; None where it could not be told."""

    what: str
    held: bool | None
    figure: str


def verdicts(record: Record) -> list[Verdict]:
    """What a show must hold, each with what was found."""
    longest, grown = record.longest, record.slope()
    is_judged = record.seconds >= JUDGED_FROM_S
    failed = [trial for trial in record.trials if trial.fault]
    n_back = sum(trial.back_s is not None for trial in record.trials)
    found = [
        Verdict(
            f"no picture stands longer than {GAP_LIMIT_S * 1000:.0f} ms",
            longest is not None and longest.seconds < GAP_LIMIT_S,
            f"the longest stood {longest.seconds * 1000:.0f} ms" if longest is not None else "no picture was seen",
        ),
        Verdict(
            f"memory grows by less than {SLOPE_LIMIT_MB_H:g} MB an hour",
            grown.mb_h < SLOPE_LIMIT_MB_H if grown is not None and is_judged else None,
            _growth(grown, is_judged),
        ),
        *_after_death(record),
        Verdict("the show never ends by itself", not record.crash, record.crash or "it did not"),
        Verdict(
            "every fault is recovered from",
            not failed and n_back == len(record.trials),
            f"{n_back} of {len(record.trials)}" + "".join(f"; {one.kind}: {one.fault}" for one in failed[:5]),
        ),
        Verdict(
            "nothing fails but what was made to",
            not record.unplanned,
            "; ".join(record.unplanned[:3]) or "no other traceback in the log",
        ),
    ]
    return found


def _growth(grown: Slope | None, is_judged: bool) -> str:
    if grown is None:
        return "too short to tell"
    figure = f"{grown.mb_h:+.1f} +- {grown.error_mb_h:.1f} MB an hour"
    return figure if is_judged else f"{figure}; {JUDGED_FROM_S / 60:.0f} minutes or more can tell"


def _after_death(record: Record) -> list[Verdict]:
    """Where the show's process was killed: how long it took until another one showed its picture."""
    gaps = [trial.gap_s for trial in record.trials if trial.kind == "show killed"]
    if not gaps:
        return []
    return [
        Verdict(
            f"after the show's process was killed a picture is back within {DEATH_LIMIT_S:g} s",
            max(gaps) < DEATH_LIMIT_S,
            f"at most {max(gaps):.1f} s",
        )
    ]


def is_passed(record: Record) -> bool:
    """Whether all that could be told held, to the end."""
    return not record.interrupted and all(verdict.held is not False for verdict in verdicts(record))


class Row(NamedTuple):
    """All faults of one kind. Seconds are medians and the longest; None where there were none."""

    kind: str
    n: int
    noticed_s: tuple[float, float] | None
    back_s: tuple[float, float] | None
    gap_s: float
    n_failed: int


def rows(record: Record) -> list[Row]:
    """The faults by kind, in the order of `plan.KINDS`. back_s: since the fault was undone."""
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
            Row(
                kind,
                len(trials),
                _median_and_most(noticed),
                _median_and_most(back),
                max(one.gap_s for one in trials),
                sum(bool(one.fault) for one in trials),
            )
        )
    return found


def _median_and_most(values: list[float]) -> tuple[float, float] | None:
    if not values:
        return None
    ordered = sorted(max(0.0, value) for value in values)
    return ordered[len(ordered) // 2], ordered[-1]


def as_json(record: Record) -> dict[str, Any]:
    """The record as plain data for json.dumps, times in seconds since the beginning."""
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
