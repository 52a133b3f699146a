"""Progress bars on stderr, for long work that yields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from ..show.bake import Baked
    from ..show.export import Progress


def _bars() -> Bars:
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


def show_export(steps: Iterable[Progress]) -> tuple[int, float]:
    """Run an export with a bar for the dream and one for the video; display frames written, seconds that took."""
    tasks: dict[str, TaskID] = {}
    with _bars() as bars:
        for step in steps:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage, total=step.total, rate="")
            task = bars.tasks[tasks[step.stage]]
            rate = f"{task.finished_speed or task.speed or 0:.0f} fps" if step.stage == "exporting" else "depths"
            bars.update(task.id, completed=step.done, total=step.total, rate=rate)
        if "exporting" not in tasks:
            return 0, 0.0
        task = bars.tasks[tasks["exporting"]]
        return int(task.completed), task.elapsed or 0.0


def show_bake(steps: Iterable[Baked]) -> Baked | None:
    """Run a bake with a bar; its last step."""
    last = None
    with _bars() as bars:
        task = bars.add_task("dreaming", total=None, rate="depths")
        for last in steps:
            bars.update(task, completed=last.depth_index, total=last.n_depths)
    return last
