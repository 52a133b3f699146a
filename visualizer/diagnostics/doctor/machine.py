"""Check the versions of the program, Python and packages, and the resolution of the clock."""

from __future__ import annotations

import os
import platform
import re
import sys
import threading
import tomllib
from collections.abc import Iterator
from importlib import metadata
from statistics import median
from typing import Any

from ...resources import project_file
from .finding import FAULT, OK, WARNING, Finding

_NAME = "kickdream"
# A refresh at 60 Hz takes 16.7 ms: a wait that ends 4 ms late is still in time, one that ends 8 ms late often is not.
COARSE_WAIT_S, WAIT_S, N_WAITS = 0.005, 0.001, 15
COARSE_STEP_S = 0.001

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?")
_BOUND = re.compile(r"\s*(===|==|!=|~=|>=|<=|>|<)\s*([0-9][\w.+*!-]*)\s*")


def program() -> Iterator[Finding]:
    """Check the versions of the program, of Python and of the packages that the program requires."""
    from ... import __version__

    needed_python, needed = required()
    python = platform.python_version()
    memory = _memory_bytes()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    facts: dict[str, Any] = {
        "visualizer": __version__,
        "python": python,
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": cores,
        "memory_bytes": memory,
        "is_root": hasattr(os, "geteuid") and os.geteuid() == 0,
    }
    size = f", {memory / 2**30:.0f} GB of memory" if memory else ""
    yield Finding(
        "machine",
        OK,
        f"visualizer {__version__} on {platform.system()} {platform.machine()}, {cores} core{'s' * (cores != 1)}{size}",
        facts=facts,
    )
    if needed_python and not fits(python, needed_python):
        yield Finding(
            "Python",
            FAULT,
            f"{python}, but {needed_python} is required",
            "install a newer Python, and the program with it",
        )
    else:
        bits = "" if sys.maxsize > 2**32 else ", 32 bit"
        yield Finding("Python", OK, f"{python}{bits}" + (f" ({needed_python} is required)" if needed_python else ""))
    yield from _packages(needed)


def _packages(needed: dict[str, str]) -> Iterator[Finding]:
    """Check that the required packages are installed. needed: package -> version bounds like ">=2.0"."""
    if not needed:
        yield Finding(
            "packages",
            WARNING,
            "the required packages are unknown, because the program is not installed",
            "install it with `pip install .` in its folder",
        )
        return
    versions: dict[str, str | None] = {}
    wrong = []
    for name, bounds in needed.items():
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
        version = versions[name]
        if version is None:
            wrong.append((name, bounds, "is not installed"))
        elif not fits(version, bounds):
            wrong.append((name, bounds, f"is {version}, but {bounds} is required"))
    for name, bounds, what in wrong:
        yield Finding("package", FAULT, f"{name} {what}", f"install it with `pip install '{name}{bounds}'`")
    if not wrong:
        shown = [f"{name} {versions[name]}" for name in ("torch", "numpy", "moderngl", "av") if versions.get(name)]
        more = f": {', '.join(shown)}, ..." if shown else ""
        yield Finding("packages", OK, f"all {len(needed)} required ones{more}", facts={"versions": versions})


def required() -> tuple[str, dict[str, str]]:
    """Requirements of the program: bounds of Python ("" if unknown), and package -> bounds; of the checkout, else of
    the installation.
    """
    project = project_file()
    try:
        found = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        if found["name"] == _NAME:
            return str(found["requires-python"]), _bounds(found["dependencies"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not a checkout: use the metadata of the installation
    try:
        python = metadata.metadata(_NAME).json.get("requires_python", "")
        return str(python), _bounds(metadata.requires(_NAME) or [])
    except metadata.PackageNotFoundError:
        return "", {}


def _bounds(requirements: list[str]) -> dict[str, str]:
    """Package -> bounds, without requirements for some platforms only and extras."""
    found = {}
    for text in requirements:
        match = _REQUIREMENT.fullmatch(text)
        if match is not None and not match[3]:
            found[match[1]] = match[2].strip()
    return found


def fits(version: str, bounds: str) -> bool:
    """Whether a version is within bounds like ">=2.0,<3"; bounds that cannot be compared are ignored."""
    for bound in filter(None, bounds.split(",")):
        match = _BOUND.fullmatch(bound)
        found, wanted = _numbers(version), _numbers(match[2]) if match else ()
        if match is None or not found or not wanted:
            continue
        length = max(len(found), len(wanted))
        ours, theirs = (numbers + (0,) * (length - len(numbers)) for numbers in (found, wanted))
        prefix = found[: len(wanted)] == wanted
        holds = {
            "==": prefix if match[2].endswith("*") else ours == theirs,
            "===": ours == theirs,
            "!=": not prefix if match[2].endswith("*") else ours != theirs,
            ">=": ours >= theirs,
            "<=": ours <= theirs,
            ">": ours > theirs,
            "<": ours < theirs,
            "~=": ours >= theirs and found[: len(wanted) - 1] == wanted[:-1],
        }
        if not holds[match[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """The release numbers of a version: "2.13.0+cpu" -> (2, 13, 0)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not available on Windows
        return None


def version_of(package: str) -> str:
    """The version of an installed package, "?" if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"


def clock() -> Iterator[Finding]:
    """Measure the resolution of the clock, and how late a wait ends."""
    from ...clock import monotonic

    begin_s = monotonic()
    while (step_s := monotonic() - begin_s) <= 0:
        pass
    pause = threading.Event()
    waits_s = []
    for _ in range(N_WAITS):
        begin_s = monotonic()
        pause.wait(WAIT_S)
        waits_s.append(monotonic() - begin_s)
    late_s = median(waits_s) - WAIT_S
    facts = {"step_s": step_s, "late_s": late_s, "latest_s": max(waits_s) - WAIT_S}
    said = f"resolution {_short(step_s)}; a wait of 1 ms ends {_short(late_s)} late"
    if step_s > COARSE_STEP_S or late_s > COARSE_WAIT_S:
        yield Finding(
            "clock",
            WARNING,
            f"{said}: the motion may be uneven",
            "close other programs, choose the system's high-performance power plan, and run the doctor again",
            facts,
        )
    else:
        yield Finding("clock", OK, said, facts=facts)


def _short(seconds: float) -> str:
    """Format a short time: "80 ns", "62 µs", "1.2 ms"."""
    seconds = max(0.0, seconds)
    for unit, size in (("ns", 1e-9), ("µs", 1e-6)):
        if seconds < 999 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e3:.1f} ms"
