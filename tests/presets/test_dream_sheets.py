"""Sheets of layers and depths, dreamt with the real network at the smallest size."""

import numpy as np
import pytest
from PIL import Image

from tests.files.disks import locked_folder
from visualizer.errors import BadInput, DreamError, VisualizerError
from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.presets import dream_sheets as sheets
from visualizer.presets.dream_sheets import depths, layers
from visualizer.presets.loaded import with_network
from visualizer.settings import DreamSettings

BOX = (64, 64)


@pytest.fixture
def image(tmp_path):
    """A picture of soft spots, 120x80."""
    y, x = np.mgrid[0:80, 0:120]
    spots = np.stack([np.sin(x / 9) * np.cos(y / 7), np.sin(x / 5 + y / 11), np.cos(y / 6)], axis=2)
    path = tmp_path / "spots.png"
    Image.fromarray(np.uint8(spots * 90 + 128)).save(path)
    return path


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_the_sheet_of_layers_has_every_layer_and_they_differ(image, tmp_path, monkeypatch):
    drawn = {}
    draw = sheets.draw_sheet
    monkeypatch.setattr(sheets, "draw_sheet", lambda *args: drawn.update(cells=args[2]) or draw(*args))
    steps = list(layers(image, tmp_path / "sheet.png", box=BOX, depth_index=1))
    names = NETWORKS[DEFAULT_NETWORK].layer_names
    assert [cell.name for cell in drawn["cells"]] == ["the picture", *names]
    assert [cell.remark for cell in drawn["cells"]][1:] == [layer.dreams for layer in NETWORKS[DEFAULT_NETWORK].layers]
    pictures = [cell.picture.astype(int) for cell in drawn["cells"]]
    for index, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 0.3 for other in pictures[:index])
    assert steps[-1].done == steps[-1].total == len(names) and steps[-1].what == names[-1]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert Image.open(tmp_path / "sheet.png").width > 4 * 64
    assert files(tmp_path) == ["sheet.png", "spots.png"]


def test_the_sheet_of_depths_follows_the_preset(image, tmp_path, tiny_preset):
    steps = list(depths(image, tmp_path / "strip.jpg", preset=str(tiny_preset), box=BOX))
    assert [(step.done, step.total, step.what) for step in steps] == [(n, 4, "block2.expand") for n in range(5)]
    assert Image.open(tmp_path / "strip.jpg").format == "JPEG"


@pytest.mark.slow
def test_layer_and_seed_may_be_changed(image, tmp_path, tiny_preset):
    written = []
    for words in ({}, {"seed": 0}, {"seed": 3}, {"layer": "block4.expand"}):
        steps = list(depths(image, tmp_path / "strip.png", preset=str(tiny_preset), box=BOX, **words))
        written.append((steps[-1].what, (tmp_path / "strip.png").read_bytes()))
    assert written[0] == written[1] and len({content for _, content in written}) == 3
    assert written[3][0] == "block4.expand"


def test_a_sheet_given_up_leaves_nothing(image, tmp_path):
    steps = layers(image, tmp_path / "sheet.png", box=BOX, depth_index=1)
    next(steps)
    next(steps)
    steps.close()
    assert files(tmp_path) == ["spots.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"network": "vgg61"}, "vgg61.*'vgg16'.*resnet50"),
        ({"depth_index": 0}, "depth 0"),
        ({"depth_index": 21}, r"1 \.\. 20"),
        ({"box": (16, 200)}, "16x200.*64x64"),
        ({"box": (200, 9999)}, "200x9999"),
    ],
)
def test_wrong_wishes_are_told_before_any_work(words, told, image, tmp_path):
    with pytest.raises(BadInput, match=told):
        layers(image, tmp_path / "sheet.png", **words)
    assert files(tmp_path) == ["spots.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"layer": "block16.expand"}, r"block16\.expand.*block15\.expand"),
        ({"layer": "mixed4d"}, "efficientnet-lite0.*mixed4d"),
        ({"network": "lite"}, "lite.*inception5h"),
        ({"preset": "cluods"}, "cluods.*'clouds'"),
        ({"preset": "PICKY", "layer": "block1.expand"}, r"channels do not fit.*0 \.\. 95"),
    ],
)
def test_unknown_layers_networks_and_presets_are_told_with_what_there_is(words, told, image, tmp_path):
    folder = tmp_path / "picky"
    folder.mkdir()
    (folder / "preset.yaml").write_text("title: Picky\nimage: x.png\ndream: {channels: '400:402'}\n")
    Image.new("L", (8, 8)).save(folder / "x.png")
    if words.get("preset") == "PICKY":
        words = {**words, "preset": str(folder)}
    with pytest.raises(BadInput, match=told) as fault:
        depths(image, tmp_path / "sheet.png", **words)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("make", [layers, depths])
def test_a_network_that_was_not_fetched_says_how_to_get_it(make, image, tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_NETWORKS_DIR", str(tmp_path / "none"))
    with pytest.raises(DreamError, match="visualizer networks get inception5h"):
        make(image, tmp_path / "sheet.png", network="inception5h")


@pytest.mark.parametrize("make", [layers, depths])
def test_weights_that_are_none_are_one_line_and_nothing_is_written(make, image, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"no weights")
    for name in ("w.safetensors", "missing.pth"):
        with pytest.raises(VisualizerError, match=name) as fault:
            list(make(image, tmp_path / "sheet.png", weights=tmp_path / name, box=BOX))
        assert "\n" not in str(fault.value)
    assert files(tmp_path) == ["spots.png", "w.safetensors"]


@pytest.mark.parametrize("make", [layers, depths])
def test_pictures_and_places_that_cannot_be_used(make, image, tmp_path):
    (tmp_path / "text.png").write_text("a thousand words")
    for picture, out in (
        (tmp_path / "none.png", tmp_path / "sheet.png"),
        (tmp_path / "text.png", tmp_path / "sheet.png"),
        (tmp_path, tmp_path / "sheet.png"),
        (image, tmp_path / "sheet.bmp"),
        (image, tmp_path / "nowhere" / "sheet.png"),
    ):
        with pytest.raises(BadInput) as fault:
            make(picture, out)
        assert "\n" not in str(fault.value)
    with locked_folder() as folder, pytest.raises(BadInput, match="cannot be written to"):
        make(image, folder / "sheet.png")
    assert files(tmp_path) == ["spots.png", "text.png"]


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (30000, 2)])
def test_odd_pictures_are_dreamt_all_the_same(size, tmp_path, tiny_preset):
    Image.new("RGB", size, (90, 120, 200)).save(tmp_path / "odd.png")
    steps = list(depths(tmp_path / "odd.png", tmp_path / "strip.png", preset=str(tiny_preset), box=BOX))
    assert steps[-1].done == 4 and Image.open(tmp_path / "strip.png").width > 64


def test_of_an_animation_the_first_picture_is_dreamt(tmp_path, tiny_preset, monkeypatch):
    first, second = (Image.new("RGB", (80, 60), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    drawn = {}
    draw = sheets.draw_sheet
    monkeypatch.setattr(sheets, "draw_sheet", lambda *args: drawn.update(cells=args[2]) or draw(*args))
    list(depths(tmp_path / "moving.gif", tmp_path / "strip.png", preset=str(tiny_preset), box=BOX))
    red, _, blue = drawn["cells"][0].picture.mean(axis=(0, 1))
    assert red > 200 and blue < 60


def test_a_disk_that_fails_at_the_end_is_one_line(image, tmp_path, tiny_preset):
    (tmp_path / "there").mkdir()
    steps = depths(image, tmp_path / "there" / "strip.png", preset=str(tiny_preset), box=BOX)
    next(steps)
    (tmp_path / "there").rmdir()
    with pytest.raises(VisualizerError, match=r"strip\.png could not be written") as fault:
        list(steps)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("network", [name for name in NETWORKS if name != DEFAULT_NETWORK])
def test_another_network_alone_takes_the_layer_most_like_the_presets(network):
    for name in ("block6.expand", "block8.expand", "block10.expand", "block12.expand"):
        settings = with_network(DreamSettings(layer=name), network, None)
        stand_in = NETWORKS[network].layer(str(settings.layer)).stand_in
        assert abs(int(stand_in[5:].partition(".")[0]) - int(name[5:].partition(".")[0])) <= 1


@pytest.mark.slow
def test_the_depths_of_a_preset_whose_network_is_missing_are_a_stand_ins_and_said(image, tmp_path):
    steps = list(depths(image, tmp_path / "strip.png", preset="first", box=BOX))
    assert "networks get inception5h" in steps[0].news[0] and "block10.expand" in steps[0].what
    assert (tmp_path / "strip.png").exists()
