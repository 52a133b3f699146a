"""Progress bars on stderr, for long work that yields."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from ..presets.bake import Baked
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
    """Ctrl-C and a request to end, held back until a safe place; the second one is not.

    Raised in the middle of opening a file, an interruption could slip between making it and taking note of it.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._came = False

    def hold(self) -> None:
        """From here on interruptions wait for `check`."""
        if not self._before:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._came:
            raise KeyboardInterrupt
        self._came = True

    def check(self) -> None:
        """A safe place: raise what has come."""
        if self._came:
            raise KeyboardInterrupt

    def release(self) -> None:
        """As before `hold`."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def show_export(steps: Generator[Progress, None, None]) -> tuple[int, float]:
    """Run an export with a bar for the dream and one for the video; display frames written, seconds that took."""
    tasks: dict[str, TaskID] = {}
    bars, interrupts = bars_of(), _Interrupts()
    try:
        with closing(steps):
            for step in steps:
                bars.start()  # not before there is something to show: an error stays the only line
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


def show_bake(steps: Generator[Baked, None, None]) -> Baked | None:
    """Run a bake with a bar; its last step."""
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
    """A bar for an analysis, moved by calling it with the seconds done and in all. Only on a terminal: a script that reads stderr
    gets nothing but errors."""
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
    # bars that were never shown would leave an empty line
    if bars.live.is_started:
        bars.stop()
