"""What the documents say is true of the program."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.test_rooms import BASE, LAW
from visualizer.cli.commands import app
from visualizer.presets.loaded import open_preset
from visualizer.presets.preset import load_preset
from visualizer.settings import BeatSettings, DreamSettings, JourneySettings, RenderSettings
from visualizer.show.open_looks import open_links

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
#: pages on the present state; decisions and the changelog also name what was there before
PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "decisions"]


@pytest.mark.parametrize(
    ("group", "model"),
    [
        ("dream", DreamSettings),
        ("beat", BeatSettings),
        ("render", RenderSettings),
        ("journey", JourneySettings),
    ],
)
def test_the_table_of_settings_holds_every_key_with_its_default(group, model):
    rows = {}
    for line in (ROOT / "docs" / "presets.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith(f"{group}."):
            rows[cells[0].removeprefix(f"{group}.")] = cells
    assert set(rows) == set(model.model_fields)
    for key, (_, default, allowed, meaning) in rows.items():
        field = model.model_fields[key]
        assert default == str(field.default), key
        assert meaning.startswith(field.description), f"{group}.{key} means: {field.description}"
        for bound in field.metadata:
            for name in ("ge", "gt", "le", "lt"):
                value = getattr(bound, name, None)
                if value is not None:
                    assert f"{value:g}" in allowed.replace("4294967295", f"{2**32 - 1:g}"), key


def whole_presets():
    """The blocks of the documents that are presets as they stand."""
    text = "".join((ROOT / "docs" / name).read_text() for name in ("presets.md", "modulation.md"))
    return re.findall(r"^```yaml\n(title:.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_there_are_presets_to_copy_in_the_documents():
    assert len(whole_presets()) >= 7


@pytest.mark.parametrize("text", whole_presets(), ids=lambda text: text.splitlines()[0])
def test_every_preset_in_the_documents_loads(text, tmp_path):
    """Copied into a folder beside the pictures it names, as a reader would."""
    written = yaml.safe_load(text)
    variants = [written.get("dream", {}), *written.get("variants", [])]
    named = [written.get("image", "image.jpg"), *written.get("journey", {}).get("pictures", [])]
    for name in [*named, *(variant["guide"] for variant in variants if "guide" in variant)]:
        Image.new("RGB", (32, 18)).save(tmp_path / name)
    (tmp_path / "preset.yaml").write_text(text)
    preset = load_preset(str(tmp_path)).preset
    open_links(open_preset(str(tmp_path), size=(32, 18)))
    assert len(preset.variants) == len(written.get("variants", []))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not re.match(r"https?:", target):
            assert (page.parent / target).exists(), target


def test_every_command_the_documents_name_exists():
    commands = {info.name or info.callback.__name__ for info in app.registered_commands}
    commands |= {info.name for info in app.registered_groups}
    for page in PAGES:
        for command in re.findall(r"^\s*(?:\.venv/bin/)?visualizer ([a-z]+)", page.read_text(), re.MULTILINE):
            assert command in commands, f"{page.name}: visualizer {command}"


def test_every_make_target_the_documents_name_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text()):
            assert target in targets, f"{page.name}: make {target}"


def test_pins_cover_every_dependency():
    """Whatever pyproject asks for, constraints.txt pins to one version."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [name for extra in project["optional-dependencies"].values() for name in extra]
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for requirement in asked:
        name = re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")
        if name == project["name"]:  # an extra made of others
            extras = re.search(r"\[(.*)\]", requirement)[1].split(",")
            assert set(extras) <= set(project["optional-dependencies"]), requirement
        else:
            assert name in pinned, requirement


def test_every_extra_that_a_message_or_a_document_names_exists():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [
        (path, *found)
        for path in [*PAGES, *(ROOT / "visualizer").rglob("*.py")]
        for found in re.findall(r"pip install '([\w-]+)\[(.*?)\]'", path.read_text())
    ]
    assert len(named) > 5
    for path, name, extras in named:
        assert name == project["name"], path
        assert "{" in extras or set(extras.split(",")) <= set(project["optional-dependencies"]), path


def code_spans(text):
    return set(re.findall(r"`([^`]+)`", text))


def test_the_table_of_rooms_in_the_overview_is_the_law():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "overview.md").read_text().splitlines()
        if re.match(r"\| `(\w+/`|errors`)", line)
    ]
    table = {
        room.rstrip("/"): (code_spans(row[2]), code_spans(row[3]))
        for row in rows
        if len(row) == 4
        for room in code_spans(row[0])
    }
    law = LAW | dict.fromkeys(BASE, (set(), set.union(*(LAW[module][1] for module in BASE))))
    rooms = {room: table[room] for room in law if room in table}
    assert rooms == law, "docs/overview.md: make the table of rooms say what LAW in tests/test_rooms.py says"


#: of a path in a page, the first part: a folder of the repository or of the package
FOLDERS = {path.name for top in (ROOT, ROOT / "visualizer") for path in top.iterdir() if path.is_dir()}


@pytest.mark.parametrize("page", PRESENT, ids=lambda page: page.name)
def test_every_file_of_the_program_that_a_page_names_exists(page):
    """In code spans: docs/kick.md, visualizer/show/frame.py, show/frame.py, presets/."""
    for span in sorted(code_spans(page.read_text())):
        path = span.partition(":")[0]
        if re.fullmatch(r"\w+/[\w./-]*", path) and path.split("/")[0] in FOLDERS and not re.search("[A-Z]{4}", path):
            assert any((top / path).exists() for top in (ROOT, ROOT / "visualizer")), f"{page.name}: {span}"


@cache
def defined_in(path):
    """Functions, classes and methods of a file: {"load_preset", "Stage", "Stage.draw"}."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("page", PRESENT, ids=lambda page: page.name)
def test_every_function_that_a_page_names_exists(page):
    """In code spans: show/stage.py:Stage.draw."""
    for span in sorted(code_spans(page.read_text())):
        if found := re.fullmatch(r"([\w/]+\.py):([\w.]+)", span):
            assert found[2] in defined_in(ROOT / "visualizer" / found[1]), f"{page.name}: {span}"


def test_the_overview_names_the_functions_of_each_way_through_the_program():
    assert len(re.findall(r"`[\w/]+\.py:[\w.]+`", (ROOT / "docs" / "overview.md").read_text())) > 40
