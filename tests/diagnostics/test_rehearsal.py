"""The plan of a rehearsal, what is reckoned from its figures, and the report: all of it without a show."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import psutil
import pytest

from visualizer.diagnostics.rehearsal.faults import FAULTS, Trial
from visualizer.diagnostics.rehearsal.hooks import FaultSwitches, FrameGaps
from visualizer.diagnostics.rehearsal.machine import held_bytes
from visualizer.diagnostics.rehearsal.plan import KINDS, plan
from visualizer.diagnostics.rehearsal.record import Memory, Record, as_json, is_passed, slope, summaries, verdicts
from visualizer.diagnostics.rehearsal.report import cells, figures, markdown, notes, verdict_lines
from visualizer.diagnostics.rehearsal.runner import rehearse
from visualizer.errors import BadInput

TAKES_S = sum(kind.takes_s for kind in KINDS.values())


def a_record(minutes: float = 30.0) -> Record:
    record = Record(plan(minutes, 7), 7, "clouds", (1280, 720), {"system": "a | system"}, began_s=1000.0)
    record.seconds, record.n_frames = minutes * 60, int(minutes * 3600)
    record.note_gap(0.12, 30.0, "sound lost")
    record.note_gap(0.2, 40.0, "busy machine")
    for kind, begun_s in (("sound lost", 1010.0), ("sound lost", 1110.0), ("busy machine", 1200.0)):
        trial = Trial(kind, begun_s, begun_s, begun_s + 0.4, begun_s + 2.0, begun_s + 3.0, begun_s + 3.5, 0.1)
        if kind == "busy machine":
            trial.noticed_s = None
        record.trials.append(trial)
    record.memory = [Memory(second, 300.0 + second / 3600 * 0.5, True) for second in range(0, int(minutes * 60), 5)]
    return record


def test_every_kind_can_be_done() -> None:
    assert set(FAULTS) == set(KINDS)


@pytest.mark.parametrize("minutes", [1, 3, 30, 300])
def test_a_plan_has_every_kind_and_a_quiet_end(minutes: float) -> None:
    made = plan(minutes, 3)
    assert {fault.kind for fault in made.faults} == set(KINDS)
    at_s = [fault.at_s for fault in made.faults]
    assert at_s == sorted(at_s) and 0 < at_s[0] <= 10 and at_s[-1] < made.quiet_from_s < made.total_s == minutes * 60
    assert made.total_s - made.quiet_from_s >= 5
    if made.patience == 1.0:  # each has had its time when the next comes
        for one, after in zip(made.faults, made.faults[1:], strict=False):
            assert after.at_s - one.at_s >= KINDS[one.kind].takes_s - 0.01 and one.kind != after.kind
        assert len(made.faults) / len(KINDS) * TAKES_S <= max(TAKES_S, 0.5 * made.total_s)


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    assert plan(10, 1) == plan(10, 1) != plan(10, 2)
    assert plan(10, 1, []).faults == () and {one.kind for one in plan(10, 1, ["disk full"]).faults} == {"disk full"}


@pytest.mark.parametrize("minutes", [0, 0.5, -1, 1441, float("nan"), float("inf")])
def test_minutes_that_cannot_be(minutes: float) -> None:
    with pytest.raises(BadInput, match="--minutes .* is out of range; allowed: 1 .. 1440"):
        rehearse(minutes)


def test_the_slope_of_memory_is_that_of_the_line_and_knows_its_error() -> None:
    rng = random.Random(0)
    found_mb_h, errors_mb_h = [], []
    for _ in range(60):
        memory = [Memory(second, 300 + 2.0 * second / 3600 + rng.gauss(0, 0.5), True) for second in range(1800)]
        memory += [Memory(second, 900.0, False) for second in range(0, 1800, 7)]  # while something was wrong
        memory += [Memory(second, 100.0, True) for second in range(0, 290)]  # before it was warm
        found = slope(memory, 1800.0)
        assert found is not None
        found_mb_h.append(found.mb_h)
        errors_mb_h.append(found.error_mb_h)
    mean = sum(found_mb_h) / 60
    spread = (sum((one - mean) ** 2 for one in found_mb_h) / 59) ** 0.5
    assert mean == pytest.approx(2.0, abs=4 * spread / 60**0.5)
    assert errors_mb_h[0] == pytest.approx(spread, rel=0.35)


def test_too_little_memory_says_nothing() -> None:
    short = [Memory(float(second), 300.0, True) for second in range(100)]
    assert slope(short, 100.0) is None and slope([], 1800.0) is None
    record = a_record(1.0)
    record.memory = short
    assert [one.held for one in verdicts(record) if "memory" in one.what] == [None] and is_passed(record)


@pytest.mark.parametrize("minutes, held", [(10.0, None), (24.9, None), (25.0, False), (60.0, False)])
def test_a_short_rehearsal_tells_how_memory_grew_and_does_not_judge_it(minutes: float, held: bool | None) -> None:
    record = a_record(minutes)
    record.memory = [one._replace(megabytes=300 + one.time_s / 1000) for one in record.memory]
    verdict = next(one for one in verdicts(record) if "memory" in one.what)
    assert verdict.held is held and verdict.figure.startswith("+3.6 +- 0.0 MB per hour")
    assert verdict.figure.endswith("; judged from 25 minutes on") == (held is None)
    assert is_passed(record) == (held is None)


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda record: record.note_gap(0.251, 50.0, "disk full"), "the longest was 251 ms"),
        (lambda record: setattr(record, "crash", "signal 11"), "signal 11"),
        (
            lambda record: setattr(record.trials[1], "fault", "not recovered after 30 s"),
            "sound lost: not recovered after 30 s",
        ),
        (lambda record: record.unplanned.append("disk full: ValueError: x"), "ValueError: x"),
        (
            lambda record: setattr(record, "memory", [m._replace(megabytes=m.time_s / 1000) for m in record.memory]),
            "+3.6 +- 0.0 MB",
        ),
        (lambda record: record.gaps.clear(), "no display frame was shown"),
    ],
)
def test_what_must_hold_and_does_not(spoil, words: str) -> None:
    record = a_record()
    assert is_passed(record) and all(one.held for one in verdicts(record))
    spoil(record)
    assert not is_passed(record) and any(words in one.figure for one in verdicts(record) if one.held is False)
    assert verdict_lines(record)[-1] == "NOT PASSED" and "Not passed." in markdown(record)
    assert as_json(record)["passed"] is False


def test_a_show_that_was_killed_may_take_two_seconds() -> None:
    record = a_record()
    record.trials.append(Trial("show killed", 1300.0, 1300.0, 1301.0, 1300.0, 1302.0, 1302.0, gap_s=1.2))
    assert is_passed(record)
    record.trials[-1].gap_s = 2.1
    assert not is_passed(record)


def test_an_interrupted_rehearsal_has_not_passed() -> None:
    record = a_record()
    record.interrupted = True
    assert not is_passed(record) and any("interrupted" in line for line in notes(record))


def test_the_report() -> None:
    record = a_record()
    record.left_out, record.others = {"bad packets": "OSC is not installed"}, [0.1, 0.5, 0.6]
    found = {row.kind: row for row in summaries(record)}
    assert found["sound lost"].n == 2 and found["sound lost"].noticed_s == pytest.approx((0.4, 0.4))
    assert found["sound lost"].back_s == pytest.approx((1.0, 1.0)) and found["busy machine"].noticed_s is None
    assert cells(record)[0][2:] == ("2", "0.4 s, at most 0.4 s", "1.0 s, at most 1.0 s", "100 ms")
    named = dict(figures(record))
    assert named["longest gap"] == "200 ms at 0:40: busy machine" and named["memory growth"].startswith("+0.50 +- 0.00")
    assert any("other programs kept" in line for line in notes(record))
    page = markdown(record)
    assert page.endswith(
        "- other programs kept this machine busy, which may have caused gaps; rehearse again without them\n"
    )
    assert "- left out: bad packets (OSC is not installed)" in page and "| system | a / system |" in page
    data = json.loads(json.dumps(as_json(record)))
    assert data["passed"] is True and data["longest_gap_ms"] == 200.0 and data["faults"][0]["struck_s"] == 10.0


def test_gaps_are_between_the_ends_of_two_swaps() -> None:
    now = [10.0]
    gaps = FrameGaps(now=lambda: now[0])
    assert gaps.take() == (0.0, 0.0, 0.0)
    for now[0] in (11.0, 11.1, 11.5, 11.6):
        gaps.shown()
    now[0] = 12.0
    longest_s, at_s, open_s = gaps.take()
    assert (longest_s, at_s, open_s) == pytest.approx((0.4, 11.5, 0.4)) and gaps.n_frames == 4 and gaps.first_s == 11.0
    gaps.shown()
    assert gaps.take()[:2] == pytest.approx((0.4, 12.0))


def test_switches_hold_for_their_time_or_until_they_are_taken() -> None:
    now = [0.0]
    switches = FaultSwitches(now=lambda: now[0])
    switches.turn_on("drawing", 1.0)
    assert switches.is_on("drawing") and not switches.is_on("analysis") and not switches.take("graphics")
    now[0] = 1.0
    assert not switches.is_on("drawing")
    switches.turn_on("graphics", 1.0)
    assert switches.take("graphics") and not switches.take("graphics")


def test_what_a_process_holds_for_itself_is_what_it_wrote_to():
    code = "import mmap; block = bytearray(b'x' * 50_000_000) if {write} else mmap.mmap(-1, 50_000_000); print('there', flush=True); input()"
    held = []
    for write in (False, True):
        process = subprocess.Popen(
            [sys.executable, "-c", code.format(write=write)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with process:
            process.stdout.readline()
            held.append(held_bytes(process.pid))
            process.kill()
    assert held[1] - held[0] == pytest.approx(50e6, rel=0.1)
    with pytest.raises((psutil.Error, OSError)):
        held_bytes(process.pid)
