"""A preset's looks in the show: the values that the preset sets, what can be set by hand, and what the music moves."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.looks import SHADER
from tests.sounds import KICKS_S
from visualizer.audio.decode import Song
from visualizer.beat.features import Features
from visualizer.control.parameters import base_parameters
from visualizer.control.targets import check_target
from visualizer.errors import BadInput, GraphicsError
from visualizer.files.yamltext import yaml_text
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import ReadyDreams
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.show.chain_control import ChainControl, parameters_of
from visualizer.show.export import export
from visualizer.show.open_looks import open_links
from visualizer.show.sources.song import SongFileSource
from visualizer.show.stage import Scene, Stage, build_picture

CHAIN = """render:
  looks:
    - crossfade
    - {look: own, parameters: {glow: 0.5 + kick}, mix: 0.25 + 0.5*bass, blend: screen}
    - {look: own, mix: 0.5}
"""


def test_the_looks_of_a_chain_have_names_of_their_own(look_preset):
    loaded = look_preset(CHAIN)
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


def test_a_look_with_an_input_called_mix_keeps_it(look_preset, tmp_path):
    (tmp_path / "mine" / "own.frag").write_text(SHADER.replace("glow", "mix"))
    loaded = look_preset("render: {looks: [crossfade, own]}\n")
    labels = {one.name: one.label for one in ChainControl(loaded, open_links(loaded)).parameters}
    assert (labels["look.own.mix"], labels["look.own.mix-in-chain"]) == ("mix", "mix in chain")


# --- set by hand


@pytest.fixture
def own(look_preset):
    """The control of a chain of the look "own", and the values of this."""
    loaded = look_preset("render: {shader: own}\n")
    links = open_links(loaded)
    return ChainControl(loaded, links), links[0].parameters


def test_every_parameter_of_a_look_can_be_set_from_end_to_end(own):
    control, values = own
    known = base_parameters().with_look(control.parameters)
    for share in (0.0, 1.0):
        control.set_by_hand({one.name: one.checked(one.at(share)) for one in map(known.find, names_of(control))})
    assert values == {
        "glow": 2, "mirror": 1, "mode": 5, "copies": 8, "tint": (1, 1, 1, 1), "centre": (1, 3), "flash": 0,
    }  # fmt: skip
    control.set_by_hand({})
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


def test_a_picture_that_is_built_again_keeps_its_look_and_its_parameters(look_preset, tmp_path):
    loaded = look_preset("render: {shader: own}\n")
    with Offscreen((8, 8)) as surface:
        before = build_picture(loaded, surface, Programs(surface.ctx))
        ChainControl(loaded, before.links).set_by_hand({"look.glow": 1.5})
    (tmp_path / "mine" / "own.frag").write_text("this is no shader\n")
    with Offscreen((8, 8)) as surface:
        after = build_picture(loaded, surface, Programs(surface.ctx), before)
        assert after.links[0].look is before.links[0].look and after.links[0].parameters["glow"] == 1.5
        with pytest.raises(GraphicsError):
            build_picture(loaded, surface, Programs(surface.ctx))


def test_the_plain_look_has_no_parameters_and_asks_for_nothing(look_preset):
    loaded = look_preset("")
    control = ChainControl(loaded, open_links(loaded))
    assert control.parameters == () and control.needs == frozenset()


# --- moved by the music


def at(time_s, **heard):
    return Features(time_s, **{"kick_time_s": 1e6, **heard})


def test_expressions_move_numbers_of_every_kind(look_preset):
    loaded = look_preset("""render:
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


def test_the_mix_of_a_chain_moves(look_preset):
    loaded = look_preset(CHAIN)
    links = open_links(loaded)
    control = ChainControl(loaded, links)
    control.move(at(0.0, bass=1.0, kick_time_s=0.1), 1.0, 0.0)
    assert [one.mix for one in links] == [1.0, 0.75, 0.5]
    assert [one.parameters.get("glow") for one in links] == [None, 1.0, 0.5]
    control.set_by_hand({"look.own.mix": 0.1, "look.own-2.mix": 0.2, "look.crossfade.mix": 0.3})
    control.move(at(0.1, bass=1.0), 1.0, 0.0)
    assert [one.mix for one in links] == [0.3, 0.1, 0.2]


def test_a_source_chosen_by_hand_moves_a_parameter(own):
    control, values = own
    control.set_by_hand({"look.glow": 1.0, "look.glow.source": "bass", "look.glow.amount": 0.25})
    assert control.needs == {"bass"}
    control.move(at(0.0, bass=0.5), 1.0, 0.0)
    assert values["glow"] == 1.25
    control.set_by_hand({"look.glow.source": "bass", "look.glow.amount": 0.25, "look.copies.source": "mid"})
    control.move(at(0.1, bass=1.0, mid=1.0), 1.0, 0.0)
    assert (values["glow"], values["copies"]) == (1.0, 4), "from where the preset has them; by half of 7"
    control.set_by_hand({})
    control.move(at(0.2, bass=1.0), 1.0, 0.0)
    assert (values["glow"], values["copies"]) == (0.5, 1)


def test_the_time_of_the_sound_counts_and_it_begins_again(look_preset):
    loaded = look_preset("render: {shader: own, parameters: {glow: integrate(0.5)}}\n")
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


def test_expressions_move_settings_of_the_beat_a_few_times_a_second(look_preset):
    loaded = look_preset("beat: {decay: 0.5 + 0.4*bass, sensitivity: 2}\n")
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


def test_settings_of_the_beat_that_are_refused_are_not_given_out_at_every_display_frame(look_preset):
    loaded = look_preset("beat: {low_hz: 300*bass}\n")
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


def opened_or_refused(look_preset, render, beat):
    try:
        loaded = look_preset(yaml_text({"render": render, "beat": beat}))
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
def test_whatever_a_preset_says_of_looks_and_beat_is_shown_or_refused_in_one_line(look_preset, render, beat):
    opened_or_refused(look_preset, render, beat)


@pytest.mark.long
@settings(max_examples=3000, **_fixed)
@given(render=_render, beat=_beat)
def test_whatever_3000_presets_say_is_shown_or_refused_in_one_line(look_preset, render, beat):
    opened_or_refused(look_preset, render, beat)


# --- from the file to the pixels


def test_an_export_reports_a_faulty_look_before_any_work(look_preset, tmp_path):
    loaded = look_preset("render: {shader: own, parameters: {glow: 7}}\n")
    with pytest.raises(BadInput, match=r"render\.parameters\.glow: 7 cannot be used"):
        next(export(tmp_path / "no-song.mp3", tmp_path / "out.mp4", loaded, FrameCache(tmp_path / "cache", 10**6)))


def test_the_look_of_a_song_hears_its_kicks(look_preset, kick_song, tmp_path):
    """The kick, at the display frame in which it is heard, from the file of a song to the pixels."""
    (tmp_path / "mine" / "own.frag").write_text(
        '#version 330 core\n#include "base/music.glsl"\nout vec4 colour;\nvoid main() { colour = vec4(kick); }\n'
    )
    loaded, levels = look_preset("render: {shader: own}\n"), []
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
