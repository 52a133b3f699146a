"""The results of a rehearsal as text for a terminal, and as a page in markdown."""

from __future__ import annotations

from pathlib import Path

from ...files.output_file import atomic_write, check_output_path
from ...oneline import time_text
from .plan import KINDS
from .record import WARM_FRACTION, WARM_S, KindSummary, Record, is_passed, summaries, verdicts

BUSY_LOAD = 0.3  # the display and the sound server are other programs, too
HEADINGS = ("fault", "what is done", "times", "noticed after", "recovered after", "longest gap")


def figures(record: Record) -> list[tuple[str, str]]:
    """Names and values of the measurements."""
    width, height = record.size
    found = [
        ("rehearsed", f"{record.seconds / 60:.1f} of {record.plan.total_s / 60:g} minutes, seed {record.seed}"),
        ("shown", f"preset {record.preset} at {width}x{height}"),
        *record.machine.items(),
        (
            "display frames",
            f"{record.n_frames} drawn, {record.rate_hz:.1f} per second; {record.n_dropped} dropped, "
            f"{record.n_repeated} repeated",
        ),
        ("kicks", f"{record.n_kicks} detected"),
    ]
    if (longest := record.longest) is not None:
        found.append(("longest gap", f"{longest.seconds * 1000:.0f} ms at {time_text(longest.at_s)}: {longest.what}"))
        more = [f"{gap.seconds * 1000:.0f} ms ({gap.what})" for gap in record.gaps[1:5]]
        if more:
            found.append(("next longest", ", ".join(more)))
    if (share := record.others_share) is not None:
        found.append(("other programs", f"used {share:.0%} of the processor"))
    if record.memory:
        warm_s = min(WARM_FRACTION * record.plan.total_s, WARM_S)
        calm = [one for one in record.memory if one.calm and one.time_s >= warm_s] or record.memory
        first, warm, last = record.memory[0], calm[0], calm[-1]
        found.append(
            (
                "memory",
                f"{first.megabytes:.0f} MB at the beginning, {warm.megabytes:.0f} MB after the warm-up, "
                f"{last.megabytes:.0f} MB at the end",
            )
        )
    if (grown := record.slope()) is not None:
        found.append(
            (
                "memory growth",
                f"{grown.mb_h:+.2f} +- {grown.error_mb_h:.2f} MB per hour, from the minima of {grown.n} intervals after the warm-up",
            )
        )
    return found


def cells(record: Record) -> list[tuple[str, ...]]:
    """Rows of the table of faults under HEADINGS."""
    return [_cells(row) for row in summaries(record)]


def _cells(row: KindSummary) -> tuple[str, ...]:
    times = str(row.n) if not row.n_failed else f"{row.n}, {row.n_failed} FAILED"
    return (
        row.kind,
        KINDS[row.kind].words,
        times,
        _seconds(row.noticed_s, row.n),
        _seconds(row.back_s, row.n),
        f"{row.gap_s * 1000:.0f} ms",
    )


def _seconds(found: tuple[float, float] | None, n: int) -> str:
    if found is None:
        return "-"
    return f"{found[0]:.1f} s" if n == 1 else f"{found[0]:.1f} s, at most {found[1]:.1f} s"


def notes(record: Record) -> list[str]:
    """Further notes, one per line."""
    lines = [f"left out: {kind} ({why})" for kind, why in record.left_out.items()]
    if (record.others_share or 0.0) > BUSY_LOAD:
        lines.append("other programs kept this machine busy, which may have caused gaps; rehearse again without them")
    if record.late:
        lines.append(f"no time for: {', '.join(record.late)}")
    if record.interrupted:
        lines.append("interrupted: these are the results until then")
    lines += [f"unplanned: {line}" for line in record.unplanned[:10]]
    lines += [
        f"{one.kind} at {time_text(one.begun_s - record.began_s)}: {one.fault}" for one in record.trials if one.fault
    ]
    if record.log:
        lines.append(f"the show's log is in {record.log}")
    return lines


def verdict_lines(record: Record) -> list[str]:
    """The requirements with their results, and the overall result."""
    words = {True: "met", False: "NOT MET", None: "unknown"}
    lines = [f"{words[one.held]:<9} {one.what}: {one.figure}" for one in verdicts(record)]
    return [*lines, "passed" if is_passed(record) else "NOT PASSED"]


def markdown(record: Record) -> str:
    """The report in markdown, without the names of the user's folders."""
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {_plain(value)} |" for name, value in figures(record)]
    lines += ["", f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in cells(record)]
    lines += ["", "| requirement | | |", "|---|---|---|"]
    words = {True: "met", False: "**not met**", None: "unknown"}
    lines += [f"| {one.what} | {words[one.held]} | {_plain(one.figure)} |" for one in verdicts(record)]
    lines += ["", f"{'Passed' if is_passed(record) else 'Not passed'}."]
    shown = [line for line in notes(record) if not line.startswith("the show's log")]
    if shown:
        lines += ["", *(f"- {_plain(line)}" for line in shown)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def checked_report(path: Path) -> Path:
    """Check that a report can be written to `path`; returns it. Raises BadInput."""
    return check_output_path(path)


def write_report(path: Path, record: Record) -> None:
    """Write the report to `path`, completely or not at all. Raises VisualizerError."""
    with atomic_write(path) as part:
        part.write_text(markdown(record), encoding="utf-8")
