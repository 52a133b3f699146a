"""Settings go on accepting what earlier versions of the program wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.control.parameters import base_parameters
from visualizer.errors import BadInput
from visualizer.files.yamlfile import read_settings
from visualizer.settings import BOUNDS, MAY_MOVE, BeatSettings, DreamSettings, JourneySettings, LinkSettings, Preset


def test_the_motion_decay_is_still_accepted_by_its_former_name():
    assert BeatSettings.model_validate({"motion": "seed"}) == BeatSettings()
    assert base_parameters().find("beat.motion").checked("seed") == "decay"


def test_variants_are_still_accepted_by_their_former_name():
    preset = Preset.model_validate({"title": "Two", "dream": {"seed": 3}, "rows": [{"colour": 0.5}]})
    assert [(one.seed, one.colour) for one in preset.variants] == [(3, 0.5)]


def test_a_preset_with_the_smoothing_of_earlier_versions_is_not_bounded():
    for key in ("smoothing_px", "smoothing_growth_px"):
        former = DreamSettings.model_validate({key: 0.9})
        assert {getattr(former, name) for name in BOUNDS} == {1.0}
        assert (former.smoothing_px, former.smoothing_growth_px) == (
            (0.9, 1.0) if key == "smoothing_px" else (0.9, 0.9)
        )
    preset = Preset.model_validate({"title": "Two", "dream": {"smoothing_px": 0.9}, "variants": [{"seed": 1}]})
    assert preset.variants[0].contrast_growth == 1


def test_a_preset_of_today_is_bounded():
    default = DreamSettings()
    assert max(getattr(default, name) for name in BOUNDS) < 1
    named = DreamSettings.model_validate({"smoothing_px": 0.9, "contrast_growth": 0.2})
    assert (named.contrast_growth, named.saturation_growth) == (0.2, default.saturation_growth)
    assert DreamSettings.model_validate(default.model_dump()) == default


def read(folder, text):
    file = folder / "preset.yaml"
    file.write_text(f"title: Two\n{text}\n")
    return read_settings(file, Preset)


def test_one_shader_is_a_chain_of_one(tmp_path):
    render = read(tmp_path, "render: {shader: pulse, parameters: {zoom: 0.1}}").render
    assert render.chain == [LinkSettings(look="pulse", parameters={"zoom": 0.1})]
    assert [one.look for one in read(tmp_path, "").render.chain] == ["crossfade"]


def test_several_looks_are_named_in_order_each_with_what_belongs_to_it(tmp_path):
    render = read(
        tmp_path,
        "render:\n  looks:\n    - crossfade\n"
        "    - {look: pulse, parameters: {zoom: 1 + kick}, mix: 0.5 + 0.5*bass, blend: screen}\n"
        "  transition: wipe",
    ).render
    assert render.chain == [
        LinkSettings(look="crossfade"),
        LinkSettings(look="pulse", parameters={"zoom": "1 + kick"}, mix="0.5 + 0.5*bass", blend="screen"),
    ]
    assert render.transition is not None and (render.transition.look, render.transition.seconds) == ("wipe", 0.7)


@pytest.mark.parametrize(
    ("render", "said"),
    [
        ("looks: [pulse], shader: pulse", ":2: render.looks: looks takes the place of shader and parameters; name"),
        ("looks: [3]", ":2: render.looks.0: must be the name of a look, or a section with the key look"),
        ("looks: [{lok: pulse}]", ":2: render.looks.0.lok: unknown key (did you mean 'look'?); allowed: look, "),
        (
            "looks: [{look: pulse, mix: 2}]",
            "render.looks.0.mix: 2 cannot be used; allowed: a number, 0 .. 1, or an expression: 0.",
        ),
        (
            "looks: [{look: pulse, mix: true}]",
            "render.looks.0.mix: true cannot be used; allowed: a number, 0 .. 1, or an expr",
        ),
        ("looks: [{look: pulse, blend: x}]", "render.looks.0.blend: 'x' cannot be used; allowed: normal or add or"),
        ("looks: [{look: pulse, mix: [1]}]", "render.looks.0.mix: this value cannot be used; allowed: a number, 0"),
        (
            "looks: {look: pulse}",
            "render.looks: a mapping cannot be used; allowed: a list of sections, at most 16, each with look, parameters",
        ),
        (
            "looks: [" + "pulse, " * 17 + "]",
            "render.looks: a list of 17 cannot be used; allowed: a list of sections, at most 16, e",
        ),
        ("looks: [../x]", "render.looks.0.look: '../x' cannot be used; allowed: text, of the form ^["),
        ("transition: {look: wipe, seconds: 0}", "render.transition.seconds: 0 cannot be used; allowed: a number, abo"),
    ],
)
def test_a_wrong_chain_is_refused_with_line_and_key(tmp_path, render, said):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, f"render: {{{render}}}")
    assert said in str(caught.value)


def test_sections_without_lines_are_as_without_them(tmp_path):
    assert read(tmp_path, "render:\n  looks:\n  transition:\nbeat:") == read(tmp_path, "")


def test_a_number_of_the_beat_may_be_an_expression(tmp_path):
    preset = read(tmp_path, "beat: {decay: 0.9 + 0.05*bass, low_hz: 30}")
    assert preset.expressions == {"decay": "0.9 + 0.05*bass"}
    assert (preset.beat.decay, preset.beat.low_hz) == (BeatSettings().decay, 30)
    assert preset.model_copy(update={"title": "Three"}).expressions == preset.expressions
    assert read(tmp_path, "beat: {low_hz: 30}").expressions == {}


def test_the_edges_of_bands_are_numbers(tmp_path):
    numbers = {one.key for one in base_parameters().of_section("beat") if one.kind == "number"}
    for key in numbers - set(MAY_MOVE):
        with pytest.raises(BadInput, match=f"beat.{key}: '1 . bass' cannot be used; allowed: a number"):
            read(tmp_path, f"beat: {{{key}: 1 + bass}}")


def test_the_stations_of_a_journey_are_like_dream_but_for_the_keys_they_name(tmp_path):
    preset = read(
        tmp_path,
        "dream: {seed: 3, n_depths: 8}\njourney:\n  zoom_per_bar: 0.5\n  stations:\n"
        "    - layer: block6.expand\n    - {colour: 0.5}",
    )
    assert preset.journey.zoom_per_bar == 0.5
    found = [(one.seed, one.n_depths, one.layer, one.colour) for one in preset.journey.stations]
    assert found == [(3, 8, "block6.expand", 0.25), (3, 8, "block10.expand", 0.5)]


def test_a_preset_has_no_journey_unless_it_says_so(tmp_path):
    assert read(tmp_path, "").journey is None
    assert read(tmp_path, "journey: {}").journey == JourneySettings()
    assert read(tmp_path, "journey:\n  stations:\n    # - layer: block6.expand").journey.stations == []
    assert read(tmp_path, "journey:\n  pictures:\n    # - cat.jpg").journey.pictures == []


def test_one_picture_of_a_journey_needs_no_list(tmp_path):
    assert read(tmp_path, "journey: {pictures: cat.jpg}").journey.pictures == ["cat.jpg"]


@given(every=st.integers(0, 12), names=st.lists(st.text(min_size=1), max_size=5), station=st.integers(min_value=-3))
def test_the_pictures_of_a_journey_come_in_turn_by_the_number_of_the_station(every, names, station):
    journey = JourneySettings(pictures=names, picture_every=every)
    found = [journey.picture_at(one) for one in range(station, station + 61)]
    if not every or not names:
        assert set(found) == {None}
        return
    counts = [one for one in range(station, station + 61) if one > 0 and one % every == 0]
    assert [one for one in found if one is not None] == [names[(count // every - 1) % len(names)] for count in counts]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("journey:\n  stations:\n    - layer: block99", ":4: journey.stations.0.layer: unknown layer 'block99'"),
        ("journey:\n  stations:\n    - n_depths: 3", "journey.stations: n_depths is the same for all stations"),
        ("journey:\n  direction: up", ":3: journey.direction: "),
        ("journey:\n  pictures: ['']", "journey.pictures.0"),
        ("journey:\n  pictures: {a: 1}", ":3: journey.pictures: "),
        ("journey:\n  picture_every: -1", ":3: journey.picture_every: "),
        ("journey:\n  loop: 2", ":3: journey.loop: must be 0, or at least 5"),
        ("variants:\n  - seed: 3\njourney:\n  zoom_per_s: 1", "a preset has either variants or a journey"),
    ],
)
def test_what_a_journey_cannot_be_is_said_in_one_line(tmp_path, text, message):
    with pytest.raises(BadInput) as fault:
        read(tmp_path, text)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)
