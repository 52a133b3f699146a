"""Measures every figure of the README: `make bench`, or `python -m benchmarks [--quick] [NAME ...]`.

Prints a Markdown table with the machine and the date, for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import platform
import tempfile
from pathlib import Path

ALL = ("bake", "step", "show", "journey", "new_picture", "draw", "looks", "modulation", "panel", "latency", "recording")


def machine() -> str:
    """The machine: processor, cores, system, Python."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def main() -> None:
    """Run the named benchmarks, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ALL), metavar="NAME", help=f"of {', '.join(ALL)}")
    parser.add_argument("--quick", action="store_true", help="smaller and noisier")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(ALL))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are: {', '.join(ALL)}")
    print(f"{machine()}; {datetime.date.today().isoformat()}{' (quick)' if arguments.quick else ''}\n")
    print("| what | figure |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        # a cache of its own: a cold bake is cold, and the user's cache is left alone
        os.environ["VISUALIZER_CACHE_DIR"] = folder
        os.environ["VISUALIZER_LOG_DIR"] = folder
        for name in arguments.names:
            for what, figure in importlib.import_module(f"benchmarks.{name}").run(arguments.quick):
                print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
