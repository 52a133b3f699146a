"""The user's settings, keys and presets, and the folders that the program writes to."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...errors import VisualizerError
from .finding import FAULT, OK, WARNING, Finding, of_error

# Beside its frames a bake keeps what it needs to go on after an interruption: half as much again, seen from above.
BAKE_SHARE = 1.5
FEW_BAKES = 10


def settings() -> Iterator[Finding]:
    """settings.yaml, keys.yaml and the presets can be read; what is shipped is there."""
    from ...control.keys import load_keys
    from ...files.paths import config_folder, load_user_settings

    for file, read in (("settings.yaml", load_user_settings), ("keys.yaml", load_keys)):
        yield _file(file, read, config_folder)
    yield from _presets()
    yield _shipped()


def _file(file: str, read: Callable[[], Any], folder: Callable[[], Path]) -> Finding:
    try:
        read()
        there = (folder() / file).exists()
    except VisualizerError as error:
        # the message may have semicolons of its own, and what is allowed is part of it
        return Finding(file, FAULT, str(error), "correct that line, or move the file away: then the defaults count")
    except OSError as error:
        return Finding(file, FAULT, f"cannot be looked at ({error.strerror})", "see who owns the folder")
    return Finding(file, OK, "can be read" if there else "there is none: the defaults count")


def _presets() -> Iterator[Finding]:
    from ...presets.preset import list_presets

    faults: list[str] = []
    names = [found.name for found in list_presets(on_fault=faults.append)]
    for fault in faults:
        yield Finding("preset", FAULT, fault, "correct it, or move its folder away")
    if names:
        yield Finding("presets", OK, f"{len(names)} can be used", facts={"n_presets": len(names)})
    else:
        yield Finding("presets", FAULT, "there is none that can be used", "reinstall the program: it brings six")


def _shipped() -> Finding:
    from ...resources import shipped

    wanted = ["shaders/crossfade.frag", "shaders/base/cover.vert", "shaders/base/panel.frag", "demo/song.opus"]
    missing = [name for name in wanted if not (shipped(name.partition("/")[0]) / name.partition("/")[2]).is_file()]
    if missing:
        return Finding("shipped", FAULT, f"missing: {', '.join(missing)}", "reinstall the program")
    return Finding("shipped", OK, "shaders and the demo song are there")


def folders() -> Iterator[Finding]:
    """The cache, with what the disk has room for, and the other folders that are written to."""
    from ...files import paths

    yield from _cache()
    for name, ask, lost, state in (
        ("log", paths.log_folder, "nothing is logged", FAULT),
        ("config", paths.config_folder, "the chosen input is not remembered", FAULT),
        ("networks", paths.networks_folder, "no network can be fetched", WARNING),
    ):
        yield _writable(name, ask, lost, state)
    yield _pictures()


def _writable(name: str, ask: Callable[[], Path], lost: str, state: str) -> Finding:
    """A folder that is made if it is missing. lost: what does not work while it cannot be written to."""
    variable = f"VISUALIZER_{name.upper()}_DIR"
    try:
        folder = ask()
    except VisualizerError as error:
        return of_error(
            f"{name} folder", error, way_out=f"set {variable} to a folder of yours, or unset it", state=state
        )
    reason = cannot_write(folder)
    if reason:
        return Finding(
            f"{name} folder",
            state,
            f"{folder} cannot be written to ({reason}): {lost}",
            f"see who owns it (ls -ld) and that the disk has room, or name another with {variable}",
            {"folder": str(folder)},
        )
    return Finding(f"{name} folder", OK, f"{folder} can be written to", facts={"folder": str(folder)})


def _pictures() -> Finding:
    from ...files.paths import is_writable_folder, pictures_folder

    try:
        folder = pictures_folder()
    except VisualizerError as error:
        return of_error("screenshots", error, way_out="unset VISUALIZER_PICTURES_DIR", state=WARNING)
    facts = {"folder": str(folder)}
    if is_writable_folder(folder):
        return Finding("screenshots", OK, f"go to {folder}", facts=facts)
    # that is how the program does it: no fault, but good to know
    said = f"{folder} is not there or cannot be written to: they go to the folder the program is started in"
    return Finding("screenshots", OK, said, facts=facts)


def _cache() -> Iterator[Finding]:
    from ...files.paths import cache_folder, load_user_settings
    from ...settings import CacheSettings

    try:
        folder = cache_folder()
    except VisualizerError as error:
        yield of_error("cache", error, way_out="set VISUALIZER_CACHE_DIR to a folder of yours, or unset it")
        return
    reason = cannot_write(folder)
    if reason:
        yield Finding(
            "cache",
            FAULT,
            f"{folder} cannot be written to ({reason}): every show dreams anew",
            "see who owns it (ls -ld) and that the disk has room, or name another with VISUALIZER_CACHE_DIR",
            {"folder": str(folder)},
        )
    try:
        cap = load_user_settings().cache.max_gb * 1e9
    except VisualizerError:  # told already
        cap = CacheSettings().max_gb * 1e9
    try:
        n_bytes = _size_of(folder)
        n_free = shutil.disk_usage(_there(folder)).free
    except OSError as error:
        yield Finding("disk", FAULT, f"it cannot be looked at ({error.strerror})", "is the disk there, and well?")
        return
    facts = {"folder": str(folder), "n_bytes": n_bytes, "cap_bytes": int(cap), "free_bytes": n_free}
    if not reason:
        said = f"{folder} can be written to; {_size(n_bytes)} of at most {_size(cap)} in use"
        yield Finding("cache", OK, said, facts=facts)
    yield _disk(n_free, n_bytes, cap)


def _disk(n_free: int, n_bytes: int, cap: float) -> Finding:
    """Whether there is room for what a bake keeps."""
    needed, look = bake_bytes()
    facts = {"free_bytes": n_free, "bake_bytes": needed}
    said = f"{_size(n_free)} free; a bake of {look} needs {_size(needed)}"
    room = "make room, lower cache.max_gb in settings.yaml, or name another disk with VISUALIZER_CACHE_DIR"
    if n_free < needed:
        return Finding("disk", FAULT, f"{said}: it would not be kept", room, facts)
    if n_free < FEW_BAKES * needed:
        return Finding("disk", WARNING, f"{said}: little is left", room, facts)
    if n_free < cap - n_bytes:
        said += f" (the cache may take {_size(cap - n_bytes)} more)"
    return Finding("disk", OK, said, facts=facts)


def bake_bytes() -> tuple[int, str]:
    """What a bake of the default look needs on the disk, and that look in words."""
    from ...presets.preset import load_preset
    from ...settings import DEFAULT_PRESET, DEFAULT_SIZE, DreamSettings

    try:
        preset = load_preset(DEFAULT_PRESET).preset
        n_depths, n_variants = preset.dream.n_depths, 1 + len(preset.variants)
    except VisualizerError:  # told already
        n_depths, n_variants = DreamSettings().n_depths, 1
    width, height = DEFAULT_SIZE
    return int(width * height * 3 * (n_depths + 1) * n_variants * BAKE_SHARE), f"{DEFAULT_PRESET!r} at {width}x{height}"


def cannot_write(folder: Path) -> str:
    """Why a file cannot be made, renamed over another at once, read back and removed there; "" if it can."""
    mark = f".visualizer-{secrets.token_hex(8)}"
    part, whole = folder / f"{mark}.part", folder / mark
    content = mark.encode() * 1000
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            whole.write_bytes(b"old")
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # a disk over a network may say only here that it is full
            part.replace(whole)
            if whole.read_bytes() != content:
                return "what is read back is not what was written"
        finally:
            for leftover in (part, whole):
                leftover.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        return (error.strerror or "no reason given") if isinstance(error, OSError) else str(error)
    return ""


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _size_of(folder: Path) -> int:
    """What lies in a folder, bytes."""
    n_bytes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                n_bytes += os.lstat(Path(place) / name).st_size
            except OSError:  # thrown out at this moment
                continue
    return n_bytes


def _size(n_bytes: float) -> str:
    """A number of bytes for people: "87 MB", "5.0 GB"."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
