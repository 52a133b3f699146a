"""Progress bars on stderr for long work, which is written as generators that yield their progress."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..clock import Stopwatch
from .messages import print_message

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from ..presets.bake import BakeProgress
    from ..show.export import Progress


def bars_of() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=36),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


class _Interrupts:
    """Defers SIGINT and SIGTERM until `check` is called; the second signal interrupts at once.

    Otherwise an interruption could come after a file was created and before the program knows that it must delete it.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._came = False

    def hold(self) -> None:
        """From now on, signals are deferred until `check`."""
        if not self._before:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._came:
            raise KeyboardInterrupt
        self._came = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came."""
        if self._came:
            raise KeyboardInterrupt

    def release(self) -> None:
        """Restore the signal handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def show_export(steps: Generator[Progress, None, None], out: Path, *, json_wanted: bool = False) -> None:
    """Run an export that writes the file `out`, with a bar for each of its stages on stderr, and a line at the end.

    json_wanted: print lines of JSON to stdout instead, see `_JsonLines`.
    """
    shown: _ExportBars | _JsonLines = _JsonLines() if json_wanted else _ExportBars()
    interrupts, n_frames = _Interrupts(), 0
    watch: Stopwatch | None = None
    try:
        with closing(steps):
            for step in steps:
                shown.show(step)
                if step.stage != "dreaming":
                    watch = watch or Stopwatch()
                    interrupts.hold()
                    n_frames = step.done if step.stage == "exporting" else 0
                interrupts.check()
        shown.done(out, n_frames, watch.elapsed_s() if watch is not None else 0.0)
    finally:
        shown.close()
        interrupts.release()


class _ExportBars:
    """The progress of an export as bars on stderr."""

    def __init__(self) -> None:
        self._bars = bars_of()
        self._tasks: dict[str, TaskID] = {}

    def show(self, step: Progress) -> None:
        self._bars.start()  # only now: if the first step fails, the error is the only line printed
        if step.stage not in self._tasks:
            self._tasks[step.stage] = self._bars.add_task(step.stage, total=step.total, rate="")
        task = self._bars.tasks[self._tasks[step.stage]]
        rate = "depths" if step.stage == "dreaming" else f"{task.finished_speed or task.speed or 0:.0f} fps"
        self._bars.update(task.id, completed=step.done, total=step.total, rate=rate)

    def done(self, out: Path, n_frames: int, seconds: float) -> None:
        self.close()
        speed = f", {n_frames / seconds:.0f} fps" if seconds else ""
        print_message(f"{out}: {n_frames} display frames in {seconds:.1f} s{speed}")

    def close(self) -> None:
        stop(self._bars)


class _JsonLines:
    """The progress of an export as lines on stdout, each a JSON object; docs/export.md explains the fields.

    The first and the last step of a stage have a line each; between, there are at most two lines a second.
    """

    EVERY_S = 0.5

    def __init__(self) -> None:
        self._watch = Stopwatch()
        self._stage, self._next_s = "", 0.0

    def show(self, step: Progress) -> None:
        now_s = self._watch.elapsed_s()
        if step.stage != self._stage or step.done == step.total or now_s >= self._next_s:
            self._stage, self._next_s = step.stage, now_s + self.EVERY_S
            self._print(stage=step.stage, done=step.done, total=step.total)

    def done(self, out: Path, n_frames: int, seconds: float) -> None:
        self._print(stage="done", file=str(out), frames=n_frames)

    def close(self) -> None:
        """Nothing is open."""

    def _print(self, **fields: object) -> None:
        # at once: a program that reads it is not kept waiting
        print(json.dumps({**fields, "elapsed_s": round(self._watch.elapsed_s(), 3)}), flush=True)


def show_bake(steps: Generator[BakeProgress, None, None]) -> BakeProgress | None:
    """Run a bake with a bar. Returns its last step, None if there was none."""
    last = None
    bars = bars_of()
    task = bars.add_task("dreaming", total=None, rate="depths")
    try:
        with closing(steps):
            for last in steps:
                bars.start()
                bars.update(task, completed=last.done, total=last.total)
    finally:
        stop(bars)
    return last


@contextmanager
def _terminal_bar(what: str, unit: str, total: float | None = None) -> Iterator[Callable[[float, float | None], None]]:
    """A bar. Yields a function that takes what is done and what there is in all (None: `total`, None if not known).

    The bar is drawn on a terminal only: a script that reads stderr gets nothing but errors.
    """
    bars = bars_of()
    task = bars.add_task(what, total=None, rate=unit)

    def move(done: float, in_all: float | None) -> None:
        if bars.console.is_terminal:
            in_all = total if in_all is None else in_all
            bars.start()
            bars.update(task, completed=round(done), total=None if in_all is None else round(in_all))

    try:
        yield move
    finally:
        stop(bars)


def show_analysis() -> AbstractContextManager[Callable[[float, float | None], None]]:
    """A bar for an analysis, on a terminal: a function that takes the seconds done and the seconds in all."""
    return _terminal_bar("analyzing", "seconds")


def show_checks(n_looks: int) -> AbstractContextManager[Callable[[float, float | None], None]]:
    """A bar for the check of looks, on a terminal: a function that takes how many are done."""
    return _terminal_bar("checking", "looks", n_looks)


@contextmanager
def show_reading(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for reading a session, on a terminal: a function that takes the bytes read and the bytes in all."""
    with _terminal_bar(what, "MB") as move:
        yield lambda n_read, n_bytes: move(n_read / 1e6, n_bytes / 1e6)


def stop(bars: Bars) -> None:
    # stopping bars that were never drawn would print an empty line
    if bars.live.is_started:
        bars.stop()
