"""Check the user's settings, keys and presets, and the folders that the program writes to."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...errors import VisualizerError
from ...files.durable import sync_file
from ...oneline import reason_of, size_text
from .finding import FAULT, OK, WARNING, Finding, of_error

# Size of a bake on the disk relative to its frames: its checkpoint, to continue after an interruption, takes at most
# half as much again.
BAKE_FACTOR = 1.5
FEW_BAKES = 10  # warn if there is room for fewer


def settings() -> Iterator[Finding]:
    """Check that settings.yaml, keys.yaml and the presets can be read, and that the program's own files exist."""
    from ...control.keys import load_keys
    from ...files.paths import config_folder, load_user_settings

    for file, read in (("settings.yaml", load_user_settings), ("keys.yaml", load_keys)):
        yield _file(file, read, config_folder)
    yield from _presets()
    yield _shipped()


def _file(file: str, read: Callable[[], Any], folder: Callable[[], Path]) -> Finding:
    try:
        read()
        exists = (folder() / file).exists()
    except VisualizerError as error:
        # not split by `of_error`: the message may contain semicolons
        return Finding(file, FAULT, str(error), "correct that line, or move the file away to use the defaults")
    except OSError as error:
        return Finding(file, FAULT, f"cannot be read ({reason_of(error)})", "check who owns the folder (ls -ld)")
    return Finding(file, OK, "can be read" if exists else "does not exist: the defaults are used")


def _presets() -> Iterator[Finding]:
    from ...presets.preset import list_presets

    faults: list[str] = []
    names = [found.name for found in list_presets(on_fault=faults.append)]
    for fault in faults:
        yield Finding("preset", FAULT, fault, "correct it, or move its folder away")
    if names:
        yield Finding("presets", OK, f"{len(names)} presets", facts={"n_presets": len(names)})
    else:
        yield Finding("presets", FAULT, "there is no usable preset", "reinstall the program: it contains six")


def _shipped() -> Finding:
    from ...resources import shipped

    wanted = ["shaders/crossfade.frag", "shaders/base/cover.vert", "shaders/base/panel.frag", "demo/song.opus"]
    missing = [name for name in wanted if not (shipped(name.partition("/")[0]) / name.partition("/")[2]).is_file()]
    if missing:
        return Finding("shipped", FAULT, f"missing: {', '.join(missing)}", "reinstall the program")
    return Finding("shipped", OK, "shaders and demo song exist")


def folders() -> Iterator[Finding]:
    """Check the cache, the free space on its disk, and the other folders that are written to."""
    from ...files import paths

    yield from _cache()
    for name, find, lost, state in (
        ("log", paths.log_folder, "no log is written", FAULT),
        ("config", paths.config_folder, "the chosen input is not remembered", FAULT),
        ("networks", paths.networks_folder, "no network can be fetched", WARNING),
    ):
        yield _writable(name, find, lost, state)
    yield _pictures()


def _writable(name: str, find: Callable[[], Path], lost: str, state: str) -> Finding:
    """Check a folder, which is created if it is missing. lost: what does not work while it cannot be written to."""
    variable = f"VISUALIZER_{name.upper()}_DIR"
    try:
        folder = find()
    except VisualizerError as error:
        return of_error(
            f"{name} folder", error, way_out=f"set {variable} to a folder that you own, or unset it", state=state
        )
    reason = cannot_write(folder)
    if reason:
        return Finding(
            f"{name} folder",
            state,
            f"{folder} cannot be written to ({reason}): {lost}",
            f"check who owns it (ls -ld) and that the disk has space, or set another one with {variable}",
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
        return Finding("screenshots", OK, f"are written to {folder}", facts=facts)
    # intended behaviour, not a fault
    said = f"{folder} does not exist or cannot be written to: they are written to the current folder"
    return Finding("screenshots", OK, said, facts=facts)


def _cache() -> Iterator[Finding]:
    from ...files.paths import cache_folder, load_user_settings
    from ...settings import CacheSettings

    try:
        folder = cache_folder()
    except VisualizerError as error:
        yield of_error("cache", error, way_out="set VISUALIZER_CACHE_DIR to a folder that you own, or unset it")
        return
    reason = cannot_write(folder)
    if reason:
        yield Finding(
            "cache",
            FAULT,
            f"{folder} cannot be written to ({reason}): every show bakes again",
            "check who owns it (ls -ld) and that the disk has space, or set another one with VISUALIZER_CACHE_DIR",
            {"folder": str(folder)},
        )
    try:
        cap = load_user_settings().cache.max_gb * 1e9
    except VisualizerError:  # reported already
        cap = CacheSettings().max_gb * 1e9
    try:
        n_bytes = _folder_bytes(folder)
        n_free = shutil.disk_usage(_nearest_existing(folder)).free
    except OSError as error:
        yield Finding(
            "disk", FAULT, f"it cannot be read ({reason_of(error)})", "check that the disk is connected and works"
        )
        return
    facts = {"folder": str(folder), "n_bytes": n_bytes, "cap_bytes": int(cap), "free_bytes": n_free}
    if not reason:
        said = f"{folder} can be written to; {size_text(n_bytes)} of at most {size_text(cap)} in use"
        yield Finding("cache", OK, said, facts=facts)
    yield _disk(n_free, n_bytes, cap)


def _disk(n_free: int, n_bytes: int, cap: float) -> Finding:
    """Check that there is space for a bake."""
    needed, preset = bake_bytes()
    facts = {"free_bytes": n_free, "bake_bytes": needed}
    said = f"{size_text(n_free)} free; a bake of {preset} needs {size_text(needed)}"
    way_out = "free some space, lower cache.max_gb in settings.yaml, or set a folder on another disk with VISUALIZER_CACHE_DIR"
    if n_free < needed:
        return Finding("disk", FAULT, f"{said}: it would not be saved", way_out, facts)
    if n_free < FEW_BAKES * needed:
        return Finding("disk", WARNING, f"{said}: little space is left", way_out, facts)
    if n_free < cap - n_bytes:
        said += f" (the cache may take {size_text(cap - n_bytes)} more)"
    return Finding("disk", OK, said, facts=facts)


def bake_bytes() -> tuple[int, str]:
    """Size of a bake of the plain preset on the disk, bytes, and the preset and picture size as text."""
    from ...presets.preset import load_preset
    from ...settings import DEFAULT_SIZE, PLAIN_PRESET, DreamSettings

    try:
        preset = load_preset(PLAIN_PRESET).preset
        n_depths, n_variants = preset.dream.n_depths, 1 + len(preset.variants)
    except VisualizerError:  # reported already
        n_depths, n_variants = DreamSettings().n_depths, 1
    width, height = DEFAULT_SIZE
    return int(width * height * 3 * (n_depths + 1) * n_variants * BAKE_FACTOR), f"{PLAIN_PRESET!r} at {width}x{height}"


def cannot_write(folder: Path) -> str:
    """Try to write a file in a folder, rename it over another one, read it back and delete it; returns why that fails,
    "" if it works.
    """
    name = f".visualizer-{secrets.token_hex(8)}"
    part, whole = folder / f"{name}.part", folder / name
    content = name.encode() * 1000
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            whole.write_bytes(b"old")
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                sync_file(file.fileno())  # a network disk may report only here that it is full
            part.replace(whole)
            if whole.read_bytes() != content:
                return "the data read back differ from those written"
        finally:
            for leftover in (part, whole):
                leftover.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        return reason_of(error)
    return ""


def _nearest_existing(folder: Path) -> Path:
    """The folder, or its nearest parent that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _folder_bytes(folder: Path) -> int:
    """Total size of the files in a folder, bytes."""
    n_bytes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                n_bytes += os.lstat(Path(place) / name).st_size
            except OSError:  # deleted at this moment
                continue
    return n_bytes
