"""Tables for people to read; commands have --json for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..oneline import plain, size_text, time_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ..audio.devices import ListedDevice
    from ..diagnostics.latency import Latency
    from ..diagnostics.looks_check.checked import CheckedLook
    from ..looks.listing import ListedLook
    from ..pictures.cameras import CameraDevice
    from ..presets.cache_listing import CacheListing
    from ..presets.network_files import ListedNetwork
    from ..presets.preset import PresetFolder
    from ..render.monitors import Monitor
    from ..session.listing import ListedSession


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(*tables: RenderableType) -> None:
    import sys

    from rich.console import Console

    # into a pipe or a file the width is fixed, so that no line is wrapped to some default width
    console = Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False)
    for table in tables:
        console.print(table)


def device_tables(devices: Sequence[ListedDevice]) -> None:
    """Print the sound inputs and outputs."""
    inputs = [one for one in devices if one.device.n_inputs]
    outputs = [one for one in devices if one.device.n_outputs]
    if not inputs and not outputs:
        print("no sound devices were found; is a device plugged in, and a sound server running?")
        return
    for kind, found in (("input", inputs), ("output", outputs)):
        if not found:
            print(f"\nno sound {kind}s were found")
            continue
        described = any(one.device.description for one in found)
        table = _table("index", kind, "ch", "rates, Hz", "host API", "", *(["description"] if described else []))
        for one in found:
            device = one.device
            is_default = device.is_default_input if kind == "input" else device.is_default_output
            words = [("default", is_default), ("chosen", one.is_remembered)]
            words += [("loopback", kind == "input" and device.is_loopback)]
            table.add_row(
                str(device.index),
                device.name,
                str(device.n_inputs if kind == "input" else device.n_outputs),
                _rates(one),
                device.host_api,
                ", ".join(word for word, holds in words if holds),
                *([device.description] if described else []),
            )
        _print(*([""] if kind == "output" else []), table)
    print("\n`visualizer devices --meter --device NAME` shows how loud an input is.")


def _rates(listed: ListedDevice) -> str:
    """The sample rates of a device; if it has several, its default is marked: "44100 48000* 96000"."""
    own = listed.device.default_rate_hz
    several = len(listed.rates_hz) > 1
    return " ".join(f"{rate}*" if several and rate == own else str(rate) for rate in listed.rates_hz)


def monitor_table(monitors: Sequence[Monitor]) -> None:
    """Print the monitors."""
    if not monitors:
        print("no monitors were found; is one connected and switched on?")
        return
    table = _table("index", "name", "size", "refresh", "position", "scale", "")
    for monitor in monitors:
        x, y, width, height = monitor.area
        refresh = f"{monitor.refresh_hz:g} Hz" if monitor.refresh_hz else "-"
        primary = "primary" if monitor.is_primary else ""
        table.add_row(
            str(monitor.index), monitor.name, f"{width}x{height}", refresh, f"{x}, {y}", f"{monitor.scale:g}", primary
        )
    _print(table)


def camera_table(cameras: Sequence[CameraDevice], remembered: str | None) -> None:
    """Print the cameras. remembered: the one named last, as the user named it."""
    if cameras:
        table = _table("index", "camera", "opened as")
        for index, one in enumerate(cameras):
            table.add_row(str(index), one.label, plain(f"{one.kind}:{one.address}"))
        _print(table)
    else:
        print("no cameras were found; is one plugged in, and may this user read it?")
    if remembered is not None:
        print(f"\nnamed last: {plain(remembered)}; `--camera default` forgets it")


# A loudspeaker delay below this is not worth setting, ms.
WORTH_A_DELAY_MS = 20
#: the parts of the latency from sound to light, in order
LATENCY_PARTS = {
    "capture": "from the sound at the input until its first samples are delivered",
    "analysis": "until the kick detector reports the click",
    "wait": "until the next display frame begins",
    "draw": "drawing that frame",
    "swap": "showing it",
}


def latency_table(found: Latency) -> None:
    """Print the latency from sound to light, and which settings follow from it."""
    table = _table("part", "median, ms", "p95, ms", "what it is")
    for column in table.columns[1:3]:
        column.justify = "right"
    for part, figure in found.parts.items():
        table.add_row(part, f"{figure.median_ms:.1f}", f"{figure.p95_ms:.1f}", LATENCY_PARTS[part])
    total = found.total
    table.add_row(
        "sound to light", f"{total.median_ms:.1f}", f"{total.p95_ms:.1f}", "the sum, click by click", style="bold"
    )
    _print(table)
    width, height = found.size
    print(
        f"\n{len(found.delays)} of {found.n_clicks} clicks were seen, at {width}x{height} and {found.rate_hz:.0f} display frames a second. "
        "\nMeasured until the buffer swap is done; a compositor and the projector add their own delay."
    )
    if found.lead_ms:
        print(
            f"\nTo show predictable kicks exactly on the beat, put this into the preset:\n\nbeat: {{lead_ms: {found.lead_ms}}}"
        )
    else:
        print("\nThe picture is not behind the sound: leave `beat.lead_ms` at 0.")
    if found.delay_ms is not None and found.delay_ms >= WORTH_A_DELAY_MS:
        print(
            f"\nThe loudspeaker is about {found.delay_ms} ms late; use `visualizer play SONG --delay-ms {found.delay_ms}`."
        )
    if found.set_delay_ms:
        print(f"\nSet for this output: --delay-ms {found.set_delay_ms:g}; only `play` uses it.")


def preset_table(presets: Sequence[PresetFolder]) -> None:
    """Print the presets."""
    table = _table("name", "title", "layer", "description")
    for found in presets:
        preset = found.preset
        table.add_row(found.name, preset.title, ", ".join(preset.dream.layers), preset.description)
    _print(table)


def look_table(looks: Sequence[ListedLook]) -> None:
    """Print the looks."""
    table = _table("name", "kind", "from", "description", "listens to", "costs")
    for one in looks:
        words = (_described(one), one.listens, one.costs)
        table.add_row(one.name, one.kind, one.where, *(plain(text, None) for text in words))
    _print(table)


def _described(look: ListedLook) -> str:
    """What a look is, and of one that does not come with the program its categories and who made it."""
    if look.where == "the program":
        return look.description
    origin = "; ".join(part for part in (", ".join(look.categories), look.credit and f"by {look.credit}") if part)
    return f"{look.description} ({origin})" if origin else look.description


def check_table(verdicts: Sequence[CheckedLook], known: Mapping[str, Mapping[str, str]]) -> None:
    """Print what was found about looks. known: the baseline."""
    table = _table("look", "kind", "passes", "compile, ms", "frame, ms", "problem", "")
    for column in table.columns[2:5]:
        column.justify = "right"
    for one in verdicts:
        times = ["" if one_s is None else f"{1000 * one_s:.1f}" for one_s in (one.compile_s, one.frame_s)]
        row = [plain(one.file), one.kind, str(one.n_passes or ""), *times]
        reasons = known.get(one.file, {})
        lines = [(name, reasons.get(name, words), name not in reasons) for name, words in one.problems.items()]
        lines += [("note", words, False) for words in one.news]
        for name, words, is_new in lines or [("", "", False)]:
            table.add_row(*row, name, plain(words), style="bold red" if is_new else None)
            row = [""] * len(row)
    _print(table)


def cache_table(listed: CacheListing) -> None:
    """Print the dreams in the cache."""
    from datetime import datetime

    from ..presets.cache_listing import describe_entry

    if listed.entries:
        table = _table("preset", "layer", "size", "depths", "on disk", "last used")
        table.columns[4].justify = "right"
        for entry in listed.entries:
            used = f"{datetime.fromtimestamp(entry.used_at):%Y-%m-%d %H:%M}"
            table.add_row(*describe_entry(entry), size_text(entry.n_bytes), used)
        _print(table)
    n = len(listed.entries)
    print(
        f"{n} dream{'' if n == 1 else 's'}, {size_text(listed.n_bytes)} of at most {size_text(listed.max_bytes)}, in {listed.folder}"
    )


def session_table(listed: Sequence[ListedSession], folder: Path) -> None:
    """Print the recorded sessions. folder: where they are."""
    if listed:
        table = _table("name", "date", "length", "size", "presets", "state")
        for column in table.columns[2:4]:
            column.justify = "right"
        for one in listed:
            found = one.found
            if found is None:
                table.add_row(plain(one.name), "?", "?", "?", "?", "cannot be read")
                continue
            date = plain(found.info.started[:16].replace("T", " "))
            presets = ", ".join(plain(name, 40) for name in found.presets)
            table.add_row(
                plain(one.name), date, time_text(found.seconds), size_text(found.n_bytes), presets, found.state
            )
        _print(table)
    n = len(listed)
    n_bytes = sum(one.found.n_bytes for one in listed if one.found is not None)
    print(f"{n} session{'' if n == 1 else 's'}, {size_text(n_bytes)}, in {plain(folder, most=None)}")


def network_tables(networks: Sequence[ListedNetwork]) -> None:
    """Print the networks, then the layers of each with what they dream."""
    from rich.columns import Columns
    from rich.padding import Padding

    table = _table("name", "year", "size", "licence", "here", "from")
    for found in networks:
        info = found.info
        here = "yes" if found.file is not None else "no"
        table.add_row(info.name, str(info.year), size_text(info.n_bytes), info.licence, here, info.origin)
    parts: list[RenderableType] = [table, "\nTheir layers, lowest first, and what each dreams:"]
    for found in networks:
        layers = found.info.layers
        width = max(len(layer.name) for layer in layers)
        words = [f"{layer.name:<{width}}  {layer.dreams}" for layer in layers]
        parts += ["", f"{found.info.name}: {found.info.title}"]
        parts.append(Padding(Columns(words, equal=True, column_first=True, padding=(0, 3)), (0, 0, 0, 2)))
    _print(*parts)
    missing = next((found.info.name for found in networks if found.file is None), "")
    if missing:
        print(f"\nTo download one: `visualizer networks get {missing}`. Nothing else does.")
