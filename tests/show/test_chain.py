"""A preset's looks in the show: the values that the preset sets, what can be turned, and what the music moves."""

from __future__ import annotations

import dataclasses
import math
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sounds import KICKS_S
from visualizer.audio.decode import Song
from visualizer.beat.features import Features
from visualizer.control.parameters import base_parameters
from visualizer.control.targets import check_target
from visualizer.errors import BadInput, GraphicsError
from visualizer.files.yamltext import yaml_text
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import ReadyDreams
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.resources import shipped
from visualizer.session.preset_copy import copy_of
from visualizer.show.chain import ChainControl, open_links, parameters_of
from visualizer.show.export import export
from visualizer.show.sources.song import SongFileSource
from visualizer.show.stage import Scene, Stage, build_picture

SIZE = (32, 18)
SHADER = """/*{"INPUTS": [
    {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.5, "MAX": 2, "MIN": 0, "DESCRIPTION": "how much it glows"},
    {"NAME": "mirror", "TYPE": "bool"},
    {"NAME": "mode", "TYPE": "long", "VALUES": [0, 5], "LABELS": ["soft", "hard"], "DEFAULT": 5},
    {"NAME": "copies", "TYPE": "long", "MIN": 1, "MAX": 8},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [1, 0.5, 0, 1]},
    {"NAME": "centre", "TYPE": "point2D", "DEFAULT": [0.5, 3]},
    {"NAME": "flash", "TYPE": "event"}
]}*/
#version 330 core
out vec4 colour;
void main() { colour = tint * glow; }
"""


@pytest.fixture
def preset(tmp_path):
    """preset(text of its render section) -> the preset, opened; its folder holds the look "own"."""
    folder = tmp_path / "mine"
    shutil.copytree(shipped("presets") / "clouds", folder)
    (folder / "own.frag").write_text(SHADER)

    def opened(render: str):
        (folder / "preset.yaml").write_text(f"title: Mine\n{render}")
        return open_preset(str(folder), size=SIZE)

    return opened


def names_and_defaults(loaded):
    return {one.parameter.name: one.parameter.default for one in parameters_of(loaded, open_links(loaded))}


def test_a_preset_sets_the_parameters_of_its_look(preset):
    loaded = preset("render:\n  shader: own\n  parameters: {glow: 1.5, mode: soft, tint: [0, 1, 0, 1]}\n")
    (link,) = open_links(loaded)
    assert link.parameters == {
        "glow": 1.5, "mirror": 0, "mode": 0, "copies": 1, "tint": (0, 1, 0, 1), "centre": (0.5, 3), "flash": 0,
    }  # fmt: skip
    assert names_and_defaults(loaded) == {
        "look.glow": 1.5, "look.mirror": 0, "look.mode": "soft", "look.copies": 1, "look.tint.red": 0, "look.tint.green": 1,
        "look.tint.blue": 0, "look.tint.alpha": 1, "look.centre.x": 0.5, "look.centre.y": 3, "look.flash": 0,
    }  # fmt: skip


def test_a_preset_sets_the_picture_that_an_image_input_reads(preset, tmp_path):
    folder = tmp_path / "mine"
    (folder / "own.fs").write_text('/*{"INPUTS": [{"NAME": "logo", "TYPE": "image"}]}*/ void main() {}')
    (folder / "logo.png").write_bytes(b"")
    loaded = preset("render:\n  shader: own\n  parameters: {logo: logo.png}\n")
    (link,) = open_links(loaded)
    assert link.look.declaration.imported == {"logo": (folder / "logo.png",)} and link.parameters == {}
    assert {"own.fs", "logo.png"} <= copy_of(loaded).files.keys()
    with pytest.raises(
        BadInput, match=r"preset\.yaml:4: render\.parameters\.logo: 'none\.png' is missing in the folder"
    ):
        open_links(preset("render:\n  shader: own\n  parameters: {logo: none.png}\n"))


CHAIN = """render:
  looks:
    - crossfade
    - {look: own, parameters: {glow: 0.5 + kick}, mix: 0.25 + 0.5*bass, blend: screen}
    - {look: own, mix: 0.5}
"""


def test_the_looks_of_a_chain_have_names_of_their_own(preset):
    loaded = preset(CHAIN)
    links = open_links(loaded)
    assert [(one.look.name, one.mix, one.blend) for one in links] == [
        ("crossfade", 1.0, "normal"), ("own", 0.25, "screen"), ("own", 0.5, "normal"),
    ]  # fmt: skip
    found = {one.parameter.name: one.parameter for one in parameters_of(loaded, links)}
    assert [name for name in found if name.endswith((".mix", ".glow"))] == [
        "look.crossfade.mix", "look.own.glow", "look.own.mix", "look.own-2.glow", "look.own-2.mix",
    ]  # fmt: skip
    assert found["look.own.glow"].expression == "0.5 + kick" and found["look.own-2.glow"].expression == ""
    assert found["look.own.mix"].expression == "0.25 + 0.5*bass" and found["look.own-2.mix"].default == 0.5
    known = base_parameters().with_look(list(found.values()))
    for one in known.of_section("look"):
        assert check_target(one.name, []) == one.name


def test_a_look_with_an_input_called_mix_keeps_it(preset, tmp_path):
    (tmp_path / "mine" / "own.frag").write_text(SHADER.replace("glow", "mix"))
    loaded = preset("render: {looks: [crossfade, own]}\n")
    labels = {one.name: one.label for one in ChainControl(loaded, open_links(loaded)).parameters}
    assert (labels["look.own.mix"], labels["look.own.mix-in-chain"]) == ("mix", "mix in chain")


@pytest.mark.parametrize(
    ("render", "said"),
    [
        (
            "render:\n  shader: owm\n",
            r"preset\.yaml:3: render\.shader: unknown look 'owm' \(did you mean 'own'\?\); there are",
        ),
        (
            "render:\n  shader: own\n  parameters:\n    mirror: true\n    glow: 3\n",
            r"preset\.yaml:6: render\.parameters\.glow: 3 cannot be used; allowed: a number, 0 \.\. 2",
        ),
        (
            "render: {shader: own, parameters: {glwo: 1}}\n",
            r"preset\.yaml:2: render\.parameters\.glwo: unknown parameter 'glwo' \(did you mean 'glow'\?\)",
        ),
        ("render:\n  parameters: {glow: 1}\n", r"preset\.yaml:3: .* unknown parameter 'glow'; this look declares none"),
        ("render: {shader: own, parameters: {glow: .nan}}\n", r"preset\.yaml:2: .*glow: nan cannot be used"),
        ("render: {shader: own, parameters: {mode: loud}}\n", r"'loud' cannot be used; allowed: soft or hard"),
        ("render: {shader: own, parameters: {tint: red}}\n", r"'red' cannot be used; allowed: a list of 4 numbers"),
        (
            "render:\n  looks:\n    - crossfade\n    - owm\n",
            r"preset\.yaml:5: render\.looks\.1\.look: unknown look 'owm'",
        ),
        (
            "render:\n  parameters:\n    glow: 1 + kik*2\n  shader: own\n",
            r"preset\.yaml:4:15: render\.parameters\.glow: unknown name 'kik' \(did you mean 'kick'\?\); allowed: a number, "
            r"0 \.\. 2, or an expression",
        ),
        (
            "render:\n  looks:\n    - {look: own, parameters: {tint: [0, '1 +', 0, 1]}}\n",
            r"preset\.yaml:4:46: render\.looks\.0\.parameters\.tint\.1: the expression ends where",
        ),
        ("render: {looks: [{look: own, mix: bas}]}\n", r"preset\.yaml:2:35: render\.looks\.0\.mix: unknown name 'bas'"),
        (
            'render: {shader: own, parameters: {glow: "\\x31 + x"}}\n',
            r":2: render\.parameters\.glow: column 5: unknown na",
        ),
        (
            "beat: {decay: 0.9 + boss}\n",
            r"preset\.yaml:2:21: beat\.decay: unknown name 'boss' \(did you mean 'bass'\?\)",
        ),
    ],
)
def test_what_the_look_does_not_allow_is_reported_with_the_presets_line(preset, render, said):
    with pytest.raises(BadInput, match=said) as raised:
        open_links(preset(render))
    assert "\n" not in str(raised.value)


def test_parameters_that_are_no_section_are_refused_when_the_preset_is_read(preset):
    with pytest.raises(
        BadInput, match=r"preset\.yaml:2: render\.parameters: .* allowed: a section of names and values"
    ):
        preset("render: {shader: own, parameters: 3}\n")


def test_a_fault_in_the_header_names_the_shaders_line(preset, tmp_path):
    (tmp_path / "mine" / "own.frag").write_text('/*{\n"INPUTS": 3}*/\n')
    with pytest.raises(BadInput, match=r"own\.frag:2: INPUTS: must be a list"):
        open_links(preset("render: {shader: own}\n"))


def test_a_preset_whose_file_has_gone_is_still_reported(preset, tmp_path):
    loaded = preset("render: {shader: own, parameters: {glow: 7}}\n")
    (tmp_path / "mine" / "preset.yaml").unlink()
    with pytest.raises(BadInput, match=r"preset\.yaml: render\.parameters\.glow: 7 cannot be used"):
        open_links(loaded)
    with pytest.raises(BadInput, match=r"^render\.shader: unknown look 'own'"):
        open_links(dataclasses.replace(loaded, folder=None))


# --- turning


@pytest.fixture
def own(preset):
    """The control of a chain of the look "own", and the values of this."""
    loaded = preset("render: {shader: own}\n")
    links = open_links(loaded)
    return ChainControl(loaded, links), links[0].parameters


def test_every_parameter_of_a_look_can_be_turned_from_end_to_end(own):
    control, values = own
    known = base_parameters().with_look(control.parameters)
    for share in (0.0, 1.0):
        control.turn({one.name: one.checked(one.at(share)) for one in map(known.find, names_of(control))})
    assert values == {
        "glow": 2, "mirror": 1, "mode": 5, "copies": 8, "tint": (1, 1, 1, 1), "centre": (1, 3), "flash": 0,
    }  # fmt: skip
    control.turn({})
    assert values == {
        "glow": 0.5, "mirror": 0, "mode": 5, "copies": 1, "tint": (1, 0.5, 0, 1), "centre": (0.5, 3), "flash": 0,
    }  # fmt: skip
    control.fire("look.flash")
    assert values["flash"] == 1


def names_of(control):
    return [one.name for one in control.parameters]


def test_the_description_of_an_input_is_that_of_its_parameter(own):
    described = {one.name: one.description for one in own[0].parameters}
    assert (described["look.glow"], described["look.mirror"]) == ("how much it glows", "mirror")


def test_a_picture_that_is_built_again_keeps_its_look_and_its_parameters(preset, tmp_path):
    loaded = preset("render: {shader: own}\n")
    with Offscreen((8, 8)) as surface:
        before = build_picture(loaded, surface, Programs(surface.ctx))
        ChainControl(loaded, before.links).turn({"look.glow": 1.5})
    (tmp_path / "mine" / "own.frag").write_text("this is no shader\n")
    with Offscreen((8, 8)) as surface:
        after = build_picture(loaded, surface, Programs(surface.ctx), before)
        assert after.links[0].look is before.links[0].look and after.links[0].parameters["glow"] == 1.5
        with pytest.raises(GraphicsError):
            build_picture(loaded, surface, Programs(surface.ctx))


def test_the_plain_look_has_no_parameters_and_asks_for_nothing(preset):
    loaded = preset("")
    control = ChainControl(loaded, open_links(loaded))
    assert control.parameters == () and control.needs == frozenset()


# --- moved by the music


def at(time_s, **heard):
    return Features(time_s, **{"kick_time_s": 1e6, **heard})


def test_expressions_move_numbers_of_every_kind(preset):
    loaded = preset("""render:
  shader: own
  parameters:
    glow: 0.5 + 3*bass
    mirror: mid > 0.5
    copies: 1 + 4*mid
    tint: [1, bass, 0.25, 1]
    centre: [0.5 + 10*bass, 0]
    flash: kick > 0.9
""")
    links = open_links(loaded)
    control = ChainControl(loaded, links)
    assert control.needs == {"bass", "mid", "kick_time_s"}
    values = links[0].parameters
    assert values["tint"] == (1, 0, 0.25, 1)
    control.move(at(0.0, bass=0.25, mid=0.6, kick_time_s=0.0), 3.0, 0.0)
    assert values == {
        "glow": 1.25, "mirror": 1, "mode": 5, "copies": 3, "tint": (1, 0.25, 0.25, 1), "centre": (3.0, 0), "flash": 1,
    }  # fmt: skip
    values["flash"] = 0  # as once it was drawn
    control.move(at(0.1, bass=1.0), 3.0, 0.0)
    assert (values["glow"], values["mirror"], values["copies"], values["flash"]) == (2.0, 0, 1, 0), "limited to 2"


def test_the_mix_of_a_chain_moves(preset):
    loaded = preset(CHAIN)
    links = open_links(loaded)
    control = ChainControl(loaded, links)
    control.move(at(0.0, bass=1.0, kick_time_s=0.1), 1.0, 0.0)
    assert [one.mix for one in links] == [1.0, 0.75, 0.5]
    assert [one.parameters.get("glow") for one in links] == [None, 1.0, 0.5]
    control.turn({"look.own.mix": 0.1, "look.own-2.mix": 0.2, "look.crossfade.mix": 0.3})
    control.move(at(0.1, bass=1.0), 1.0, 0.0)
    assert [one.mix for one in links] == [0.3, 0.1, 0.2]


def test_a_source_chosen_by_hand_moves_a_parameter(own):
    control, values = own
    control.turn({"look.glow": 1.0, "look.glow.source": "bass", "look.glow.amount": 0.25})
    assert control.needs == {"bass"}
    control.move(at(0.0, bass=0.5), 1.0, 0.0)
    assert values["glow"] == 1.25
    control.turn({"look.glow.source": "bass", "look.glow.amount": 0.25, "look.copies.source": "mid"})
    control.move(at(0.1, bass=1.0, mid=1.0), 1.0, 0.0)
    assert (values["glow"], values["copies"]) == (1.0, 4), "from where the preset has them; by half of 7"
    control.turn({})
    control.move(at(0.2, bass=1.0), 1.0, 0.0)
    assert (values["glow"], values["copies"]) == (0.5, 1)


def test_the_time_of_the_sound_counts_and_it_begins_again(preset):
    loaded = preset("render: {shader: own, parameters: {glow: integrate(0.5)}}\n")
    links = open_links(loaded)
    control = ChainControl(loaded, links)

    def moved_at(*times_s):
        found = []
        for time_s in times_s:
            control.move(at(time_s), 1.0, 0.0)
            found.append(links[0].parameters["glow"])
        return found

    assert moved_at(10.0, 10.5, 10.5, 11.0, 3.0, 3.5) == [0.0, 0.25, 0.25, 0.5, 0.5, 0.75]
    control.begin_again()
    assert moved_at(4.0, 4.5) == [0.0, 0.25]


def test_expressions_move_settings_of_the_beat_a_few_times_a_second(preset):
    loaded = preset("beat: {decay: 0.5 + 0.4*bass, sensitivity: 2}\n")
    control, known, given = ChainControl(loaded, open_links(loaded)), {}, []
    for n in range(60):
        control.move(at(n / 60, bass=min(n / 30, 1.0)), 1.0, 0.0)
        if moved := control.moved_beat(known):
            assert moved.keys() == {"beat.decay"}
            known = moved
            given.append(moved["beat.decay"])
    assert 5 <= len(given) <= 7 and given == sorted(given)
    assert given[0] == 0.5 and given[-1] == pytest.approx(0.9, abs=0.05)
    assert control.needs == {"bass"}
    assert not control.moved_beat(known)


def test_settings_of_the_beat_that_are_refused_are_not_given_out_at_every_display_frame(preset):
    loaded = preset("beat: {low_hz: 300*bass}\n")
    control = ChainControl(loaded, open_links(loaded))
    given = 0
    for n in range(180):
        control.move(at(n / 60, bass=1.0), 1.0, 0.0)
        given += bool(control.moved_beat({}))
    assert given == 3


# --- malformed presets


def mostly(good, bad):
    """One in ten is bad."""
    return st.integers(0, 9).flatmap(lambda n: good if n else bad)


_numbers = st.integers(-3, 10) | st.floats() | st.just(1e300)
_texts = st.sampled_from(["crossfade", "../own", "", "hard", "kick", "1 + kick", "(" * 70]) | st.text(
    st.sampled_from("kick+-*/(), 1.5?:bassintegrateholdsmooth<>!&|\"'\n"), max_size=30
)
_values = st.none() | st.booleans() | _numbers | _texts | st.lists(_numbers | _texts, max_size=5)
_parameters = st.fixed_dictionaries(
    {},
    optional={
        "glow": mostly(
            st.floats(0, 2)
            | st.sampled_from(["kick*9", "1/0", "hold(bass, kick)", "integrate(1e30)^9", "sqrt(-bass)"]),
            _values,
        ),
        "copies": mostly(st.integers(1, 8) | st.sampled_from(["bass*99", "-5"]), _values),
        "tint": mostly(st.lists(st.floats(0, 1) | st.sampled_from(["kick", "-1"]), min_size=4, max_size=4), _values),
        "centre": mostly(
            st.lists(st.floats(-9, 9) | st.sampled_from(["kick/0", "1e30*1e30"]), min_size=2, max_size=2), _values
        ),
        "flash": mostly(st.booleans() | st.just("kick"), _values),
        "mirror": mostly(st.booleans() | st.just("bass"), _values),
        "mode": mostly(st.sampled_from(["soft", "hard"]), _values),
    },
)
_names = mostly(st.just("own"), _texts)
_links = st.fixed_dictionaries(
    {"look": _names},
    optional={
        "parameters": mostly(_parameters, _values),
        "mix": mostly(st.floats(0, 1) | st.sampled_from(["bass", "5*kick - 2", "integrate(9)"]), _values),
        "blend": mostly(st.sampled_from(["screen", "add"]), _texts),
    },
)
_render = mostly(
    st.fixed_dictionaries({"shader": _names}, optional={"parameters": mostly(_parameters, _values)})
    | st.fixed_dictionaries({"looks": mostly(st.lists(mostly(_links, _values), max_size=3), _values)}),
    st.fixed_dictionaries({"shader": _names, "looks": _values, "transition": _links}) | _values,
)
_beat = mostly(
    st.fixed_dictionaries(
        {}, optional={"decay": st.sampled_from(["kick", "9*bass"]), "low_hz": st.sampled_from(["500*bass", "1/0"])}
    ),
    st.dictionaries(st.sampled_from(["decay", "low_hz", "bass_low_hz", "motion", "x"]), _values, max_size=3) | _values,
)


def opened_or_refused(preset, render, beat):
    try:
        loaded = preset(yaml_text({"render": render, "beat": beat}))
        links = open_links(loaded)
    except BadInput as fault:
        assert "\n" not in str(fault) and "preset.yaml" in str(fault)
        return
    control = ChainControl(loaded, links)
    for n in range(3):
        control.move(at(n / 10, bass=n / 2, kick_time_s=0.0), 1.0, 0.0)
        for link in links:
            assert 0 <= link.mix <= 1 and all(
                math.isfinite(number)
                for value in link.parameters.values()
                for number in (value if isinstance(value, tuple) else (value,))
            )
    control.moved_beat({})


_fixed = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=300, **_fixed)
@given(render=_render, beat=_beat)
def test_whatever_a_preset_says_of_looks_and_beat_is_shown_or_refused_in_one_line(preset, render, beat):
    opened_or_refused(preset, render, beat)


@pytest.mark.long
@settings(max_examples=3000, **_fixed)
@given(render=_render, beat=_beat)
def test_whatever_3000_presets_say_is_shown_or_refused_in_one_line(preset, render, beat):
    opened_or_refused(preset, render, beat)


# --- from the file to the pixels


def test_an_export_reports_a_faulty_look_before_any_work(preset, tmp_path):
    loaded = preset("render: {shader: own, parameters: {glow: 7}}\n")
    with pytest.raises(BadInput, match=r"render\.parameters\.glow: 7 cannot be used"):
        next(export(tmp_path / "no-song.mp3", tmp_path / "out.mp4", loaded, FrameCache(tmp_path / "cache", 10**6)))


def test_the_look_of_a_song_hears_its_kicks(preset, kick_song, tmp_path):
    """The kick, at the display frame in which it is heard, from the file of a song to the pixels."""
    (tmp_path / "mine" / "own.frag").write_text(
        '#version 330 core\n#include "base/music.glsl"\nout vec4 colour;\nvoid main() { colour = vec4(kick); }\n'
    )
    loaded, levels = preset("render: {shader: own}\n"), []
    with Song(kick_song) as song, Offscreen((2, 2)) as surface:
        source = SongFileSource(song, loaded.settings.beat, frame_s=1 / 30)
        stage = Stage(surface, Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded))
        source.needs(stage.needs)
        for n in range(6 * 30):
            stage.advance(1 / 30)
            stage.draw(source.listen(lambda time_s=(n + 0.5) / 30: time_s), (2, 2))
            levels.append(int(surface.read()[0, 0, 0]))
    for kick_s in KICKS_S:
        at = round(kick_s * 30)
        assert levels[at - 1] < 40 and max(levels[at : at + 3]) > 180
