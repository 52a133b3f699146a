"""`layers` and `depths` as they are typed."""

from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from visualizer.cli.sheets_command import DEFAULT_CELL_TEXT, depths, layers
from visualizer.errors import BadInput
from visualizer.presets.dream_sheets import DEFAULT_BOX, Step
from visualizer.settings import DreamSettings

app = typer.Typer()
app.command()(layers)
app.command()(depths)


def run(*words):
    return app([str(word) for word in words], standalone_mode=False)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)).save(path)
    return path


def test_what_the_options_say_is_what_the_rooms_declare():
    assert "{}x{}".format(*DEFAULT_BOX) == DEFAULT_CELL_TEXT
    assert DreamSettings().n_depths == 20  # as in the bounds of --depth


def test_depths_tells_what_it_wrote(image, tmp_path, tiny_preset, capsys):
    out = tmp_path / "strip.png"
    run("depths", image, "-o", out, "-p", tiny_preset, "-s", "64x64", "--layer", "block3.expand")
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: all depths dreamt in ") and said.out.count("\n") == 1
    assert Image.open(out).format == "PNG"


def test_layers_hands_its_options_on(image, tmp_path, monkeypatch, capsys):
    asked = {}

    def recorded(*arguments, **words):
        asked.update(words, arguments=arguments)
        yield Step(15, 15, "block15.expand", 2.5)

    monkeypatch.setattr("visualizer.presets.dream_sheets.layers", recorded)
    run("layers", image, "-o", "sheet.jpg", "--size", "96x64", "--depth", "3", "--seed", "4", "--weights", "w.pth")
    assert capsys.readouterr().out == "sheet.jpg: all layers dreamt in 2.5 s\n"
    assert asked == {
        "arguments": (image, Path("sheet.jpg")),
        "network": "efficientnet-lite0",
        "weights": Path("w.pth"),
        "box": (96, 64),
        "depth_index": 3,
        "seed": 4,
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["layers", "IMAGE", "-o", "x.png", "--network", "vgg"], "vgg"),
        (["layers", "IMAGE", "-o", "x.png", "--size", "big"], "big"),
        (["layers", "IMAGE", "-o", "x.txt"], r"\.png"),
        (["depths", "IMAGE", "-o", "x.png", "--layer", "block99"], "block15"),
        (["depths", "none.png", "-o", "x.png"], r"none\.png"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(words, told, image, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=told) as fault:
        run(*[image if word == "IMAGE" else word for word in words])
    said = capsys.readouterr()
    assert "\n" not in str(fault.value) and said.out == said.err == ""
    assert [path.name for path in tmp_path.iterdir()] == ["image.png"]


def test_ctrl_c_says_that_nothing_was_written(image, tmp_path, tiny_preset, monkeypatch, capsys):
    def interrupted(*arguments, **words):
        raise KeyboardInterrupt

    monkeypatch.setattr("visualizer.presets.dream_sheets.save_sheet", interrupted)
    status = run("depths", image, "-o", tmp_path / "x.png", "-p", tiny_preset, "-s", "64x64")
    assert status == 1 and "x.png was not written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["image.png"]
