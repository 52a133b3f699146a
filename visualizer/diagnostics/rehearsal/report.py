"""What a rehearsal found, for people to read: lines for a terminal, and a page in markdown."""

from __future__ import annotations

from pathlib import Path

from ...files.output_file import atomic_write, check_output_path
from .plan import KINDS
from .record import WARM_S, WARM_SHARE, Record, Row, is_passed, rows, verdicts

BUSY_SHARE = 0.3  # the display and the sound server are other programs, too
HEADINGS = ("fault", "what is done", "times", "noticed after", "back after", "longest gap")


def figures(record: Record) -> list[tuple[str, str]]:
    """Name and value of what was measured, in order."""
    width, height = record.size
    found = [
        ("rehearsed", f"{record.seconds / 60:.1f} of {record.plan.total_s / 60:g} minutes, seed {record.seed}"),
        ("shown", f"preset {record.preset} at {width}x{height}"),
        *record.machine.items(),
        (
            "display frames",
            f"{record.n_frames} drawn, {record.rate_hz:.1f} a second; {record.n_dropped} dropped, "
            f"{record.n_repeated} shown again",
        ),
        ("kicks", f"{record.n_kicks} heard"),
    ]
    if (longest := record.longest) is not None:
        found.append(("longest gap", f"{longest.seconds * 1000:.0f} ms at {_clock(longest.at_s)}: {longest.what}"))
        more = [f"{gap.seconds * 1000:.0f} ms ({gap.what})" for gap in record.gaps[1:5]]
        if more:
            found.append(("next longest", ", ".join(more)))
    if (share := record.others_share) is not None:
        found.append(("other programs", f"took {share:.0%} of the processor"))
    if record.memory:
        warm_s = min(WARM_SHARE * record.plan.total_s, WARM_S)
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
                "memory's slope",
                f"{grown.mb_h:+.2f} +- {grown.error_mb_h:.2f} MB an hour, through the least of {grown.n} stretches after the warm-up",
            )
        )
    return found


def cells(record: Record) -> list[tuple[str, ...]]:
    """A table of the faults under HEADINGS: median, and the longest where there were several."""
    return [_cells(row) for row in rows(record)]


def _cells(row: Row) -> tuple[str, ...]:
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
    """What else is to be known, a line each."""
    lines = [f"left out: {kind} ({why})" for kind, why in record.left_out.items()]
    if (record.others_share or 0.0) > BUSY_SHARE:
        lines.append("other programs kept this machine busy: gaps may be theirs; rehearse again when it is quiet")
    if record.late:
        lines.append(f"no time was left for: {', '.join(record.late)}")
    if record.interrupted:
        lines.append("interrupted: this is what was known until then")
    lines += [f"unplanned: {line}" for line in record.unplanned[:10]]
    lines += [
        f"{one.kind} at {_clock(one.begun_s - record.began_s)}: {one.fault}" for one in record.trials if one.fault
    ]
    if record.log:
        lines.append(f"the show's log is kept in {record.log}")
    return lines


def verdict_lines(record: Record) -> list[str]:
    """What a show must hold and whether it did, and the sum of it."""
    words = {True: "held", False: "NOT HELD", None: "not told"}
    lines = [f"{words[one.held]:<9} {one.what}: {one.figure}" for one in verdicts(record)]
    return [*lines, "passed" if is_passed(record) else "NOT PASSED"]


def markdown(record: Record) -> str:
    """The report as a page's part in markdown; nothing in it names a folder of the user."""
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {_plain(value)} |" for name, value in figures(record)]
    lines += ["", f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in cells(record)]
    lines += ["", "| must hold | | |", "|---|---|---|"]
    words = {True: "held", False: "**not held**", None: "not told"}
    lines += [f"| {one.what} | {words[one.held]} | {_plain(one.figure)} |" for one in verdicts(record)]
    lines += ["", f"{'Passed' if is_passed(record) else 'Not passed'}."]
    told = [line for line in notes(record) if not line.startswith("the show's log")]
    if told:
        lines += ["", *(f"- {_plain(line)}" for line in told)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60):02d}:{int(seconds % 60):02d}"


def checked_report(path: Path) -> Path:
    """Where a report named `path` will be. Raises BadInput if no file can be written there."""
    return check_output_path(path)


def write_report(path: Path, record: Record) -> None:
    """Write the page to `path`, whole or not at all. Raises VisualizerError."""
    with atomic_write(path) as part:
        part.write_text(markdown(record), encoding="utf-8")
