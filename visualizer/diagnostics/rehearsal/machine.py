"""Facts about the machine, the memory of a process, and the load by other programs."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

from ... import __version__


def machine() -> dict[str, str]:
    """Facts about the machine for the report, without names of persons or places."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "visualizer": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": f"{model}, {cores} core{'s' * (cores != 1)}",
    }


def held_bytes(pid: int) -> int:
    """Memory that a process has written to and does not share, bytes. Raises psutil.Error, OSError.

    On Linux pages of libraries that it only reads are left out: whether they are shared depends on whether another
    program uses the same driver, which makes a difference of twenty megabytes.
    """
    import psutil

    rollup = Path("/proc") / str(pid) / "smaps_rollup"
    if rollup.exists():
        kilobytes = dict(line.split()[:2] for line in rollup.read_text().splitlines()[1:])
        if kilobytes:  # empty for a process that has ended
            return 1024 * (int(kilobytes["Private_Dirty:"]) + int(kilobytes["Swap:"]))
    held = psutil.Process(pid).memory_full_info()
    return int(getattr(held, "uss", held.rss))


class OtherPrograms:
    """Measures the processor time of all programs except this one and its children."""

    def __init__(self) -> None:
        self._before: tuple[float, float, frozenset[int]] | None = None

    def load(self) -> list[float]:
        """Their load since the last call, 0..1 of all cores, as a list of one; empty if it cannot be measured."""
        import psutil

        times = psutil.cpu_times()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        total_s = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
        own_s, family = 0.0, set()
        me = psutil.Process()
        with contextlib.suppress(psutil.Error):
            for process in (me, *me.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    spent = process.cpu_times()
                    own_s += spent.user + spent.system
                    family.add(process.pid)
        now = (total_s - own_s, total_s + idle_s, frozenset(family))
        before, self._before = self._before, now
        # the times of a child that has ended are no longer known
        if before is None or before[2] != now[2] or now[1] <= before[1]:
            return []
        return [min(max((now[0] - before[0]) / (now[1] - before[1]), 0.0), 1.0)]
