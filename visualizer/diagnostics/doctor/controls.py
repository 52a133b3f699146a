"""Check the panel, MIDI, OSC and Link, and the file with their bindings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module, metadata

from ...errors import DeviceError, VisualizerError
from .finding import FAULT, OK, WARNING, Finding, of_error

#: name -> (the extra that installs it, its (module, package) pairs)
EXTRAS = {
    "panel": ("panel", (("imgui_bundle", "imgui-bundle"),)),
    "MIDI": ("midi", (("supriya_midi", "supriya-midi"),)),
    "OSC": ("osc", (("pythonosc", "python-osc"),)),
    "Link": ("link", (("aalink", "aalink"),)),
}


def controls() -> Iterator[Finding]:
    """Check that controls.yaml can be read and that the optional packages which are installed can be loaded."""
    from ...control.controls_file import load_controls
    from ...control.midi import load_library

    with suppress(VisualizerError):
        load_library()  # before the import below: it needs the system's libjack
    try:
        bound = load_controls()
        n_bound = len(bound.midi) + len(bound.osc)
        yield Finding("controls.yaml", OK, f"{n_bound} bindings", facts={"n_bound": n_bound})
    except VisualizerError as error:
        yield Finding("controls.yaml", FAULT, str(error), "correct that line, or move the file away")
    for name, (extra, packages) in EXTRAS.items():
        yield _extra(name, extra, packages)


def midi_ports() -> Iterator[Finding]:
    """List the MIDI inputs, if MIDI is installed."""
    from ...control.midi import port_names, short_name

    try:
        names = port_names()
    except DeviceError as error:
        yield of_error("MIDI ports", error, state=WARNING, way_out="not needed for keys, panel and OSC")
        return
    except VisualizerError:  # not installed
        return
    said = ", ".join(short_name(name) for name in names) or "none is connected"
    yield Finding("MIDI ports", OK, said, facts={"n_ports": len(names)}, private=tuple(map(short_name, names)))


def _extra(name: str, extra: str, packages: tuple[tuple[str, str], ...]) -> Finding:
    versions: dict[str, str] = {}
    for module, package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            return Finding(
                name,
                OK,
                f"not installed; to install it: pip install 'kickdream[{extra}]'",
                facts={"is_installed": False},
            )
        try:
            import_module(module)
        except (ImportError, OSError, RuntimeError, AttributeError, SystemError) as error:
            return Finding(
                name, FAULT, f"{package} cannot be loaded ({error})", f"pip install --force-reinstall {package}"
            )
    said = ", ".join(f"{package} {version}" for package, version in versions.items())
    return Finding(name, OK, said, facts={"is_installed": True, "versions": versions})
