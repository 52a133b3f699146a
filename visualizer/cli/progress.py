"""Progress bars on stderr for long work, which is written as generators that yield their progress."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

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


def show_export(steps: Generator[Progress, None, None]) -> tuple[int, float]:
    """Run an export with a bar for the dream and one for the video. Returns (display frames written, seconds taken)."""
    tasks: dict[str, TaskID] = {}
    bars, interrupts = bars_of(), _Interrupts()
    try:
        with closing(steps):
            for step in steps:
                bars.start()  # only now: if the first step fails, the error is the only line printed
                if step.stage not in tasks:
                    tasks[step.stage] = bars.add_task(step.stage, total=step.total, rate="")
                task = bars.tasks[tasks[step.stage]]
                rate = f"{task.finished_speed or task.speed or 0:.0f} fps" if step.stage == "exporting" else "depths"
                bars.update(task.id, completed=step.done, total=step.total, rate=rate)
                if step.stage == "exporting":
                    interrupts.hold()
                interrupts.check()
        if "exporting" not in tasks:
            return 0, 0.0
        task = bars.tasks[tasks["exporting"]]
        return int(task.completed), task.elapsed or 0.0
    finally:
        stop(bars)
        interrupts.release()


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
def show_analysis() -> Iterator[Callable[[float, float | None], None]]:
    """A bar for an analysis. Yields a function that takes the seconds done and the seconds in all (None if not known).

    The bar is drawn on a terminal only: a script that reads stderr gets nothing but errors.
    """
    bars = bars_of()
    task = bars.add_task("analyzing", total=None, rate="seconds")

    def move(done_s: float, total_s: float | None) -> None:
        if bars.console.is_terminal:
            bars.start()
            bars.update(task, completed=round(done_s), total=None if total_s is None else round(total_s))

    try:
        yield move
    finally:
        stop(bars)


def stop(bars: Bars) -> None:
    # stopping bars that were never drawn would print an empty line
    if bars.live.is_started:
        bars.stop()
