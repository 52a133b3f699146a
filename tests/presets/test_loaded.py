"""A preset with the user's overrides, and with what is missing replaced."""

import numpy as np
import pytest
from PIL import Image

from visualizer.errors import BadInput, DreamError
from visualizer.networks import NETWORKS
from visualizer.presets.loaded import GUIDE_PX, Overrides, dream_size, for_default_network, open_preset, with_network
from visualizer.settings import DreamSettings

SIZE = (96, 64)


@pytest.fixture
def preset(tmp_path):
    """Writes a preset and gives its folder."""

    def write(text):
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / "preset.yaml").write_text(text)
        for name, colour in (("image.png", "navy"), ("guide.png", "orange")):
            Image.new("RGB", (120, 80), colour).save(folder / name)
        return str(folder)

    return write


def test_a_preset_as_it_is(tiny_preset):
    loaded = open_preset(str(tiny_preset), size=SIZE)
    assert loaded.size == SIZE and loaded.n_depths == 4
    assert [variant.settings for variant in loaded.variants] == [loaded.settings.dream]
    assert loaded.variants[0].weights is None and loaded.variants[0].guide is None and loaded.news == ()


def test_what_is_odd_about_a_picture_is_said(tiny_preset, tmp_path):
    Image.new("RGB", (32, 18), (4, 4, 6)).save(tmp_path / "night.png")
    (line,) = open_preset(str(tiny_preset), size=(32, 18), overrides=Overrides(image=tmp_path / "night.png")).news
    assert "night.png: the picture is nearly black" in line


def test_variants_are_like_dream_but_for_what_they_name(preset):
    folder = preset(
        "title: Mine\nimage: image.png\ndream: {layer: block6.expand, n_depths: 3, colour: 0.5}\n"
        "variants:\n  - {layer: block10.expand}\n  - {guide: guide.png, seed: 4}\n"
    )
    loaded = open_preset(folder, size=SIZE)
    assert [variant.settings.layer for variant in loaded.variants] == [
        "block6.expand",
        "block10.expand",
        "block6.expand",
    ]
    assert {variant.settings.n_depths for variant in loaded.variants} == {3} and {
        variant.settings.colour for variant in loaded.variants
    } == {0.5}
    assert [variant.settings.seed for variant in loaded.variants] == [0, 0, 4]
    assert loaded.variants[1].guide is None
    assert loaded.variants[2].guide.shape == (GUIDE_PX, GUIDE_PX, 3) and loaded.variants[2].guide.dtype == np.uint8
    assert {
        variant.settings.seed for variant in open_preset(folder, size=SIZE, overrides=Overrides(seed=9)).variants
    } == {9}


def test_a_layer_wished_for_dreams_alone(preset):
    folder = preset("title: Mine\nimage: image.png\nvariants:\n  - {layer: block6.expand}\n")
    loaded = open_preset(folder, size=SIZE, overrides=Overrides(layer="block3.expand"))
    assert [variant.settings.layer for variant in loaded.variants] == ["block3.expand"]
    assert loaded.settings.variants == [] and loaded.settings.dream.layer == "block3.expand"


def test_a_network_that_is_not_here_is_stood_in_for_and_said(preset):
    folder = preset("title: Mine\nimage: image.png\ndream: {network: inception5h, layer: mixed4d, channels: '0:3'}\n")
    loaded = open_preset(folder, size=SIZE)
    (variant,) = loaded.variants
    assert variant.settings.network == "efficientnet-lite0" and variant.settings.layer == "block10.expand"
    assert variant.settings.channels == "all" and loaded.settings.dream == variant.settings
    (line,) = loaded.news
    assert "inception5h" in line and "visualizer networks get inception5h" in line and "block10.expand" in line
    with pytest.raises(DreamError, match="networks get inception5h"):
        open_preset(folder, size=SIZE, overrides=Overrides(network="inception5h"))


def test_weights_of_ones_own_are_handed_on(preset, tmp_path):
    folder = preset("title: Mine\nimage: image.png\ndream: {network: vgg16, layer: conv4_2}\n")
    own = tmp_path / "own.safetensors"
    loaded = open_preset(folder, size=SIZE, overrides=Overrides(weights=own))
    assert loaded.variants[0].weights == own and loaded.variants[0].settings.network == "vgg16" and loaded.news == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dream: {tone: picture}", "tone: picture needs a picture"),
        ("dream: {tone: picture, tone_picture: nowhere.png}", "dream.tone_picture"),
        ("dream: {tone: rainbow}", "dream.tone"),
        ("dream: {tone_colours: [red]}", "dream.tone_colours"),
        ("dream: {tone_colours: []}", "dream.tone_colours"),
        ("dream: {network: inception5h}", "dream.layer"),
        ("dream: {network: vgg19}", "vgg16"),
        ("dream: {channels: 5000}", "channels"),
        ("dream: {channels: '0:5000'}", "0:5000 is out of range; block10.expand has channels 0 .. 671"),
        ("dream: {channels: red}", "'red' is not a number or a range"),
        ("dream: {layer: {block6.expand: 0}}", "must be above 0"),
        ("dream: {layer: {}}", "at least one layer"),
        ("dream: {guide: ../guide.png}", "dream.guide"),
        ("dream: {guide: nowhere.png}", "not a file in the preset's folder"),
        ("variants: [{layer: block99.expand}]", "unknown layer 'block99.expand'"),
        ("variants: [{n_depths: 3}]", "n_depths is the same for all variants"),
        ("variants: [{lair: block1.expand}]", "did you mean"),
        ("variants: {layer: block6.expand}", "a list"),
        ("variants: [3]", "variants.0"),
    ],
)
def test_what_cannot_be_is_one_line_with_file_and_key(preset, text, told):
    folder = preset(f"title: Mine\nimage: image.png\n{text}\n")
    with pytest.raises(BadInput) as error:
        open_preset(folder, size=SIZE)
    assert told in str(error.value) and "preset.yaml" in str(error.value) and "\n" not in str(error.value)


def test_colours_of_another_picture_are_looked_up(preset):
    folder = preset("title: Mine\nimage: image.png\ndream: {tone: picture, tone_picture: guide.png, n_depths: 2}\n")
    loaded = open_preset(folder, size=SIZE)
    assert loaded.variants[0].settings.tone_colours == loaded.settings.dream.tone_colours == ["#ffa500"]  # orange


def test_an_empty_variants_section_is_no_variants(preset):
    assert len(open_preset(preset("title: Mine\nimage: image.png\nvariants:\n"), size=SIZE).variants) == 1


def test_another_network_dreams_with_the_layer_most_like(preset):
    own = DreamSettings(layer="block8.expand", channels="0:3")
    assert with_network(own, "vgg16", None).layer == "conv4_2"
    assert with_network(own, "vgg16", None).channels == "all"
    assert with_network(own, None, "block6.expand").channels == "0:3"
    with pytest.raises(BadInput, match="did you mean 'conv4_2'"):
        with_network(own, "vgg16", "conv42")
    with pytest.raises(BadInput, match="unknown network 'vgg19'"):
        with_network(own, "vgg19", None)
    with pytest.raises(BadInput, match="channels do not fit"):
        with_network(DreamSettings(layer="block15.expand", channels="900:1000"), None, "block1.expand")


def test_every_layer_of_every_network_has_a_stand_in():
    for info in NETWORKS.values():
        for layer in info.layer_names:
            settings = for_default_network(DreamSettings(network=info.name, layer=layer))
            assert DreamSettings.model_validate(settings.model_dump()) == settings
    both = for_default_network(DreamSettings(network="inception5h", layer={"mixed4c": 1.0, "mixed4d": 0.5}))
    assert both.layer == "block10.expand"


def test_variants_may_be_called_rows_as_they_once_were(preset):
    found = []
    for name in ("rows", "variants"):
        folder = preset(f"title: Mine\nimage: image.png\n{name}:\n  - {{seed: 3}}\n")
        found.append([variant.settings for variant in open_preset(folder, size=SIZE).variants])
    assert found[0] == found[1] and len(found[0]) == 2
    with pytest.raises(BadInput, match=r"preset\.yaml:\d+: .*n_depths is the same"):
        open_preset(preset("title: Mine\nimage: image.png\nrows: [{n_depths: 3}]\n"), size=SIZE)


@pytest.mark.parametrize(
    ("size", "baked"),
    [
        ((1280, 720), (1280, 720)),
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),
        ((2560, 1440), (1920, 1080)),
        ((1080, 1920), (1080, 1920)),
        ((2160, 3840), (1080, 1920)),
        ((8192, 16), (8192, 16)),
        ((7680, 1080), (3840, 540)),
    ],
)
def test_the_dream_of_a_large_picture_is_baked_at_most_as_large_as_1080p(size, baked):
    assert dream_size(size) == baked
