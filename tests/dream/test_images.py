"""The shipped presets: their images come from tools/, and the settings of the four painted scenes are complete."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tools.make_images import SCENES, Noise, render
from visualizer.resources import shipped
from visualizer.settings import Preset

ROOT = Path(__file__).resolve().parents[2]
PRESETS = {"clouds": "block10.expand", "aurora": "block6.expand", "ridges": "block8.expand", "marble": "block12.expand"}


def committed(name: str) -> Image.Image:
    with Image.open(shipped("presets") / name / "image.jpg") as image:
        return image.convert("RGB")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.slow
def test_the_committed_image_comes_from_the_script(name: str) -> None:
    """Scenes are functions of continuous coordinates: a small rendering is the large one, seen from further away."""
    image = committed(name)
    assert image.size == (1920, 1080)
    assert (shipped("presets") / name / "image.jpg").stat().st_size < 1_000_000
    size = (160, 90)
    seen = np.asarray(image.resize(size, Image.Resampling.BOX)).astype(int)
    painted = render(name, 320, 180)
    shrunk = np.asarray(Image.fromarray(painted).resize(size, Image.Resampling.BOX)).astype(int)
    assert np.abs(seen - shrunk).mean() < 2
    assert seen.std() > 25  # a picture, not a flat field


def test_the_clubs_image_comes_from_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """As near as its noise allows, which is not the same at another size."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    painted = importlib.import_module("make_subjects").paint_club(640, 360)
    image = committed("club")
    assert image.size == (1920, 1080)
    assert (shipped("presets") / "club" / "image.jpg").stat().st_size < 1_000_000
    size = (160, 90)
    seen = np.asarray(image.resize(size, Image.Resampling.BOX)).astype(int)
    shrunk = np.asarray(Image.fromarray(painted).resize(size, Image.Resampling.BOX)).astype(int)
    assert np.abs(seen - shrunk).mean() < 3
    assert seen.std() > 20


def test_the_first_ones_image_is_that_of_clouds() -> None:
    """The default preset and the notebook's recipe can be compared."""
    first, clouds = (shipped("presets") / name / "image.jpg" for name in ("first", "clouds"))
    assert first.read_bytes() == clouds.read_bytes()


def test_the_pictures_of_worlds_are_those_of_other_presets() -> None:
    worlds = shipped("presets") / "worlds"
    assert (worlds / "image.jpg").read_bytes() == (shipped("presets") / "ridges" / "image.jpg").read_bytes()
    for name in ("marble", "clouds", "aurora"):
        with Image.open(worlds / f"{name}.jpg") as image:
            assert image.size == (1280, 720)
            seen = np.asarray(image.resize((160, 90), Image.Resampling.BOX)).astype(int)
        whole = np.asarray(committed(name).resize((160, 90), Image.Resampling.BOX)).astype(int)
        assert np.abs(seen - whole).mean() < 2


@pytest.mark.parametrize("name", ["marble", "ridges", "worlds"])
def test_the_journeys_are_complete(name: str) -> None:
    folder = shipped("presets") / name
    preset = Preset.model_validate(yaml.safe_load((folder / "preset.yaml").read_text(encoding="utf-8")))
    journey = preset.journey
    assert journey is not None
    assert journey.depth <= preset.dream.n_depths
    assert all((folder / picture).is_file() for picture in journey.pictures)
    layers = [str(station.layer) for station in journey.stations]
    assert all(one != after for one, after in zip(layers, [*layers[1:], layers[0]], strict=True)), (
        "each is another world"
    )


@pytest.mark.long
def test_the_script_paints_the_committed_pixels() -> None:
    painted = render("marble", 1920, 1080).astype(int)
    assert np.abs(np.asarray(committed("marble")).astype(int) - painted).mean() < 2.5


@pytest.mark.parametrize("name", PRESETS)
def test_painting_is_deterministic(name: str) -> None:
    assert np.array_equal(render(name, 160, 90), render(name, 160, 90))


def test_the_pictures_differ() -> None:
    small = {name: np.asarray(committed(name).resize((64, 36))).astype(int) for name in PRESETS}
    for first in PRESETS:
        for second in PRESETS:
            assert first == second or np.abs(small[first] - small[second]).mean() > 30


@pytest.mark.parametrize(("name", "layer"), PRESETS.items())
def test_each_preset_is_complete_and_explained(name: str, layer: str) -> None:
    text = (shipped("presets") / name / "preset.yaml").read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    preset = Preset.model_validate(written)
    assert preset.dream.layer == layer
    assert (shipped("presets") / name / preset.image).is_file()
    assert set(written["dream"]) == set(type(preset.dream).model_fields) - {"network"}
    assert text.count("#") > 10
    assert max(map(len, text.splitlines())) <= 120


def test_the_default_settings_are_the_default_presets() -> None:
    written = yaml.safe_load((shipped("presets") / "clouds" / "preset.yaml").read_text(encoding="utf-8"))
    assert Preset.model_validate(written).dream == Preset(title="plain").dream


def test_noise_is_seeded_and_continuous() -> None:
    x = np.linspace(0, 50, 20_000, dtype=np.float32)[None]
    values = Noise(3).at(x, x * 0.7)
    assert np.array_equal(values, Noise(3).at(x, x * 0.7))
    assert not np.array_equal(values, Noise(4).at(x, x * 0.7))
    assert np.abs(np.diff(values)).max() < 0.02
    assert 0.3 < np.abs(values).max() <= 1
    cells = Noise(3).puffs(x, x * 0.7)
    assert np.abs(np.diff(cells)).max() < 0.02
    assert 0 <= cells.min() < 0.5 < cells.max() <= 1


def test_the_script_paints_into_a_folder(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "tools" / "make_images.py"), "--folder", str(tmp_path), "--size", "64x36"]
    subprocess.run([*script, "marble"], check=True, timeout=120, capture_output=True)
    with Image.open(tmp_path / "marble" / "image.jpg") as image:
        assert image.size == (64, 36)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["marble"]
    wrong = subprocess.run([*script, "clods"], check=False, timeout=120, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "clouds" in wrong.stderr
    assert set(SCENES) == set(PRESETS)
