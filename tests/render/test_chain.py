"""Chains of looks: order, mix, blend modes, sizes, faults, and what is left on the graphics card."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.render.isf import image, isf, kept, number
from tests.render.pictures import noise, smooth, worst
from visualizer.errors import GraphicsError
from visualizer.looks.look import find_look, plain_look
from visualizer.render.chain import BLENDS, Chain, Link
from visualizer.render.look_renderer import LookRenderer
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.render.programs import Programs
from visualizer.render.targets import Target

SIZE = (16, 8)
DREAM = noise(SIZE, 1)
FLIP = "gl_FragColor = IMG_NORM_PIXEL(inputImage, vec2(1.0 - isf_FragNormCoord.x, isf_FragNormCoord.y));"
DARKER = "gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb - 0.2, 1.0);"
ADDS = "gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(0.1, 0.0, 0.0, 1.0);"


@pytest.fixture
def stage():
    with Offscreen(SIZE) as surface:
        yield surface


@pytest.fixture
def draw(stage):
    """draw(links, size, **how) -> the picture of DREAM through these looks."""
    pictures = {}

    def drawn(*links, size=SIZE, dream=DREAM, time_s=0.0, **how):
        if links not in pictures:
            pictures[links] = picture = Picture(stage.ctx, (dream.shape[1], dream.shape[0]), 1, links)
            for depth in range(2):
                picture.put(depth, dream)
        stage.framebuffer.use()
        stage.ctx.clear(1.0, 0.0, 1.0)
        pictures[links].draw(0.0, size, time_s, **how)
        assert stage.ctx.error == "GL_NO_ERROR"
        return stage.read().copy()

    yield drawn
    for picture in pictures.values():
        picture.release()


@pytest.fixture
def look(tmp_path):
    """look(name, body, *inputs, **header) -> an ISF look."""
    return lambda name, body, *inputs, **header: isf(tmp_path, body, *inputs, name=name, **header)


def test_each_look_reads_the_picture_before_it_and_the_first_the_dream(draw, look):
    flip, darker = look("flip", FLIP, image("inputImage")), look("darker", DARKER, image("inputImage"))
    darkest = np.maximum(np.maximum(DREAM.astype(int) - 51, 0) - 51, 0)
    assert worst(draw(Link(flip)), DREAM[:, ::-1]) <= 1
    assert worst(draw(Link(darker), Link(flip), Link(darker)), darkest[:, ::-1]) <= 2
    assert worst(draw(Link(plain_look()), Link(flip)), DREAM[:, ::-1]) <= 1
    assert worst(draw(Link(flip), Link(flip)), DREAM) <= 1, "a look may be named twice"


def test_other_image_inputs_read_the_dream(draw, look):
    flip = look("flip", FLIP, image("inputImage"))
    two = look(
        "two",
        "gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).r, IMG_THIS_PIXEL(other).gb, 1.0);",
        image("inputImage"),
        image("other"),
    )
    expected = np.dstack([DREAM[:, ::-1, 0], DREAM[..., 1], DREAM[..., 2]])
    assert worst(draw(Link(flip), Link(two)), expected) <= 1


def blended(blend, a, b):
    return {
        "normal": b,
        "add": np.minimum(a + b, 1),
        "screen": 1 - (1 - a) * (1 - b),
        "multiply": a * b,
        "lighten": np.maximum(a, b),
        "darken": np.minimum(a, b),
        "difference": np.abs(a - b),
        "overlay": np.where(a < 0.5, 2 * a * b, 1 - 2 * (1 - a) * (1 - b)),
    }[blend]


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("mix", [1.0, 0.3])
def test_a_look_is_blended_and_mixed_with_the_picture_before_it(draw, look, blend, mix):
    flip = look("flip", FLIP, image("inputImage"))
    a, b = DREAM / 255, DREAM[:, ::-1] / 255
    expected = 255 * (a * (1 - mix) + blended(blend, a, b) * mix)
    last = draw(Link(flip, mix=mix, blend=blend))
    assert worst(last, expected) <= 2
    assert worst(draw(Link(flip, mix=mix, blend=blend), Link(flip)), expected[:, ::-1]) <= 2, "in the middle of a chain"


def test_without_mix_a_look_is_not_seen_but_goes_on_with_what_it_keeps(draw, look):
    adds = Link(look("adds", ADDS, passes=[kept("sum", FLOAT=True)]), mix=0.0)
    for index in range(3):
        assert worst(draw(adds, time_s=float(index)), DREAM) == 0
    adds.mix = 1.0
    assert draw(adds, time_s=3.0)[0, 0].tolist() == [102, 0, 0]


def test_a_look_without_mix_reads_the_picture_before_it_also_behind_the_last_that_is_seen(draw, look):
    grey = look("grey", "gl_FragColor = vec4(vec3(0.4), 1.0);")
    body = "gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb * 0.5 + IMG_THIS_PIXEL(sum).rgb * 0.5, 1.0);"
    links = Link(grey), Link(look("sums", body, image("inputImage"), passes=[kept("sum", FLOAT=True)]), mix=0.0)
    assert draw(*links)[0, 0].tolist() == [102] * 3
    links[1].mix = 1.0
    assert draw(*links, time_s=1.0)[0, 0].tolist() == [76] * 3


def test_a_look_named_twice_keeps_something_of_its_own_in_each_place(draw, look):
    body = "gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb * 0.5 + IMG_THIS_PIXEL(sum).rgb * 0.5, 1.0);"
    sums = look("sums", body, image("inputImage"), passes=[kept("sum", FLOAT=True)])
    links, dream = (Link(sums), Link(sums)), np.full((8, 16, 3), 128, np.uint8)
    first = second = 0.0
    for index in range(4):
        seen = draw(*links, dream=dream, time_s=float(index))
        first = 64 + first * 0.5
        second = first * 0.5 + second * 0.5
        assert abs(seen[0, 0, 0] - second) <= 1


def test_what_is_kept_advances_with_time_only(draw, look):
    """Frozen or paused, the same picture comes again; at another time the next one."""
    adds = Link(look("adds", ADDS, passes=[kept("sum", FLOAT=True)]))
    times_s = [0.0, 0.0, 0.1, 0.1, 0.1, 0.2, 0.1]
    assert [draw(adds, time_s=one)[0, 0, 0] for one in times_s] == [26, 26, 51, 51, 51, 76, 102]


def test_the_steps_of_time_are_limited(draw, look):
    clock = Link(look("clock", "gl_FragColor = vec4(TIMEDELTA, float(FRAMEINDEX) / 10.0, TIME / 100.0, 1.0);"))
    seen = np.array([draw(clock, time_s=one)[0, 0] for one in (20.0, 20.5, 50.0, 10.0)])
    assert worst(seen, np.array([[0, 0, 51], [127.5, 25.5, 52.3], [255, 51, 127.5], [0, 76.5, 25.5]])) <= 1


def test_a_look_of_a_fraction_of_the_size_is_stretched_to_the_picture(draw, look, stage):
    size, dream = (64, 32), smooth((64, 32))
    with Offscreen(size) as large:
        picture = Picture(
            large.ctx, size, 1, [Link(look("half", "gl_FragColor = vec4(RENDERSIZE / 255.0, 0.0, 1.0);", scale=0.5))]
        )
        picture.put(0, dream)
        picture.draw(0.0, size)
        assert large.read()[0, 0].tolist() == [32, 16, 0]
        half = look("half", "gl_FragColor = IMG_THIS_PIXEL(inputImage);", image("inputImage"), scale=0.5)
        full = look("full", DARKER, image("inputImage"))
        for links, expected in (([half], dream), ([half, full], np.maximum(dream.astype(int) - 51, 0))):
            picture.set_links([Link(one) for one in links])
            picture.draw(0.0, size)
            assert worst(large.read()[2:-2, 2:-2], expected[2:-2, 2:-2]) <= 6
        picture.release()


def test_a_chain_follows_the_size_that_is_drawn(draw, look):
    """The adaptive size: every pass is made smaller with the picture."""
    body = "gl_FragColor = PASSINDEX == 0 ? vec4(RENDERSIZE / 255.0, 0.0, 1.0) : vec4(IMG_THIS_PIXEL(part).rg, RENDERSIZE.x / 255.0, 1.0);"
    links = (
        Link(look("sizes", body, passes=[{"TARGET": "part", "WIDTH": "$WIDTH/2", "HEIGHT": "$HEIGHT/2"}, {}])),
        Link(look("same", "gl_FragColor = IMG_THIS_PIXEL(inputImage);", image("inputImage"))),
    )
    assert draw(*links)[0, 0].tolist() == [8, 4, 16]
    assert draw(*links, size=(8, 4))[-1, 0].tolist() == [4, 2, 8]


def test_an_event_is_on_for_one_display_frame(draw, look):
    flash = Link(look("flash", "gl_FragColor = vec4(flash ? 1.0 : 0.0);", {"NAME": "flash", "TYPE": "event"}))
    links = flash, Link(look("same", "gl_FragColor = IMG_THIS_PIXEL(inputImage);", image("inputImage")))
    flash.parameters["flash"] = 1
    assert [draw(*links).max() for _ in range(2)] == [255, 0]


# --- faults


class Attempts:
    """Notes what failed. suspended: names that are not tried."""

    def __init__(self):
        self.failed, self.suspended = [], set()

    def __call__(self, name, consequence):
        attempts = self

        class Attempt:
            is_suspended = name in attempts.suspended

            def __enter__(self):
                return self

            def __exit__(self, kind, error, trace):
                if error is not None:
                    attempts.failed.append((name, str(error), consequence))
                return True

        return Attempt()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_look_that_fails_is_left_out_and_named_and_the_others_are_drawn(draw, look, monkeypatch, place):
    flip, broken = look("flip", FLIP, image("inputImage")), look("broken", DARKER, image("inputImage"))
    links = [Link(flip), Link(flip)]
    links.insert(place, Link(broken))
    inner = LookRenderer._draw_pass

    def fails(self, *arguments):
        inner(self, *arguments)
        if self.look is broken:
            raise GraphicsError("a test")

    monkeypatch.setattr(LookRenderer, "_draw_pass", fails)
    attempts = Attempts()
    assert worst(draw(*links, attempts=attempts), DREAM) <= 1
    assert attempts.failed == [("look broken", "a test", "it is left out")]
    attempts.suspended.add("look broken")
    assert worst(draw(*links, attempts=attempts), DREAM) <= 1
    assert len(attempts.failed) == 1, "not tried"
    with pytest.raises(GraphicsError, match="a test"):
        draw(*links)
    links[place].is_left_out = True
    assert worst(draw(*links), DREAM) <= 1


@pytest.mark.parametrize("fails_in", ["look", "blend"])
def test_a_look_that_fails_again_and_again_takes_no_more_graphics_memory(draw, look, monkeypatch, fails_in):
    body = "gl_FragColor = IMG_THIS_PIXEL(inputImage) * 0.5;"
    broken = look("broken", body, image("inputImage"), passes=[{"TARGET": "part"}, {}])
    links = Link(broken, mix=0.5), Link(look("flip", FLIP, image("inputImage")))
    draw(*links)

    def fails(self, *given):
        raise GraphicsError("a test")

    def fails_in_the_look(self, *given):
        if self.look is broken:
            raise GraphicsError("a test")
        inner(self, *given)

    inner = LookRenderer._draw_pass
    if fails_in == "look":
        monkeypatch.setattr(LookRenderer, "_draw_pass", fails_in_the_look)
    else:
        monkeypatch.setattr(Chain, "_blend", fails)
    draw(*links, attempts=Attempts())
    made, inner_target = [], Target.__init__
    monkeypatch.setattr(
        Target, "__init__", lambda self, *given, **named: (made.append(1), inner_target(self, *given, **named))[1]
    )
    for _ in range(5):
        draw(*links, attempts=Attempts())
    assert not made


def test_where_every_look_fails_the_dream_is_drawn(draw, look, monkeypatch):
    broken = look("broken", DARKER, image("inputImage"))
    inner = LookRenderer.draw
    monkeypatch.setattr(
        LookRenderer,
        "draw",
        lambda self, *given, **named: 1 / 0 if self.look is broken else inner(self, *given, **named),
    )
    assert np.array_equal(draw(Link(broken), Link(broken), attempts=Attempts()), DREAM)


def test_a_chain_with_a_look_that_does_not_compile_is_refused_and_leaves_nothing_behind(stage, look):
    fine, broken = look("fine", FLIP, image("inputImage")), look("broken", "gl_FragColor = nothing;")
    before = _alive(stage.ctx, stage._loader)
    for _ in range(3):
        with pytest.raises(GraphicsError, match=r"broken\.fs:3"):
            Picture(stage.ctx, SIZE, 1, [Link(fine), Link(broken)])
    # moderngl itself never deletes a program that did not compile
    assert {**_alive(stage.ctx, stage._loader), "Program": 0} == {**before, "Program": 0}


# --- other looks in the place of those before


def test_other_looks_take_over_what_those_of_the_same_file_have_kept(draw, look, stage):
    adds = Link(look("adds", ADDS, passes=[kept("sum", FLOAT=True)]))
    picture = Picture(stage.ctx, SIZE, 1, [adds])
    picture.put(0, DREAM)

    def shown(time_s):
        picture.draw(0.0, SIZE, time_s)
        return int(stage.read()[0, 0, 0])

    assert [shown(one) for one in (0.0, 1.0)] == [26, 51]
    faster = look("adds", ADDS.replace("0.1", "0.2"), passes=[kept("sum", FLOAT=True)])
    picture.set_links([Link(faster)])
    assert shown(2.0) == 102
    with pytest.raises(GraphicsError):
        picture.set_links([Link(look("adds", "gl_FragColor = nothing;", passes=[kept("sum", FLOAT=True)]))])
    assert shown(3.0) == 153, "the good one goes on"
    picture.set_links([Link(look("others", ADDS, passes=[kept("sum", FLOAT=True)]))])
    assert shown(4.0) == 26, "another file begins black"
    picture.clear_history()
    assert shown(5.0) == 26
    picture.release()


def test_what_is_kept_goes_on_in_a_picture_of_another_context(look):
    links = [
        Link(look("adds", ADDS, passes=[kept("sum", FLOAT=True)])),
        Link(
            look(
                "same",
                "gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).r, float(FRAMEINDEX) / 10.0, 0.0, 1.0);",
                image("inputImage"),
            )
        ),
    ]
    history, seen = None, []
    for times_s in ((0.0, 1.0, 2.0), (3.0, 4.0)):
        with Offscreen(SIZE) as stage:
            picture = Picture(stage.ctx, SIZE, 1, links)
            picture.put(0, DREAM)
            if history is not None:
                picture.restore(history)
            for time_s in times_s:
                picture.draw(0.0, SIZE, time_s)
                seen.append(stage.read()[0, 0].tolist())
            history = picture.history()
            picture.release()
    assert worst(np.array(seen), np.array([[25.5 * (n + 1), 25.5 * n, 0] for n in range(5)])) <= 1


# --- what it costs, and what is left


def test_the_crossfade_alone_is_one_pass_into_the_framebuffer_in_use(stage, monkeypatch):
    picture = Picture(stage.ctx, SIZE, 1)
    picture.put(0, DREAM)
    passes, inner = [], LookRenderer._draw_pass
    monkeypatch.setattr(
        LookRenderer, "_draw_pass", lambda self, *given: (passes.append(given[-1]), inner(self, *given))
    )
    before = _alive(stage.ctx, stage._loader)
    picture.draw(0.0, SIZE)
    assert passes == [None] and _alive(stage.ctx, stage._loader) == before
    assert np.array_equal(stage.read(), DREAM)
    picture.release()


def _alive(ctx, loader):
    """How many objects of each kind OpenGL has, in the context that is current."""
    texture, sampler = ctx.texture((1, 1), 1), ctx.sampler()
    framebuffer = ctx.framebuffer([texture])
    program = ctx.program(vertex_shader="#version 330 core\nvoid main() { gl_Position = vec4(0.0); }")
    corners = ctx.vertex_array(program, [])
    # names rise: the newest is the largest
    newest = {"Texture": texture.glo, "Sampler": sampler._glo, "Framebuffer": framebuffer.glo, "Program": program.glo}
    newest["VertexArray"] = corners.glo
    for one in (corners, program, framebuffer, texture, sampler):
        one.release()
    found = {}
    for kind, last in newest.items():
        is_one = ctypes.CFUNCTYPE(ctypes.c_ubyte, ctypes.c_uint)(loader.load_opengl_function(f"glIs{kind}"))
        found[kind] = sum(is_one(name) for name in range(1, last + 1))
    return found


def test_nothing_is_left_after_a_thousand_changes_of_presets(stage, tmp_path):
    feedback = isf(
        tmp_path,
        "gl_FragColor = IMG_THIS_PIXEL(inputImage) * 0.5 + IMG_THIS_PIXEL(sum) * IMG_NORM_PIXEL(sound, vec2(0.5));",
        image("inputImage"),
        {"NAME": "sound", "TYPE": "audioFFT"},
        name="feedback",
        passes=[{"TARGET": "part"}, kept("sum"), {}],
    )
    wipe = isf(
        tmp_path,
        "gl_FragColor = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), progress);",
        image("startImage"),
        image("endImage"),
        number("progress", 0.0),
        name="wipe",
    )
    chains = [
        [Link(plain_look())],
        [Link(feedback), Link(feedback, mix=0.5, blend="screen")],
        [Link(find_look("pulse"))],
    ]
    programs, alive = Programs(stage.ctx), []
    for index in range(1000):
        picture = Picture(stage.ctx, SIZE, 1, chains[index % 3], 1, programs, Link(wipe))
        picture.put(0, DREAM)
        for time_s in (0.0, 1.0):
            picture.draw(0.0, SIZE, time_s)
        picture.release()
        if index in (5, 998):
            alive.append(_alive(stage.ctx, stage._loader))
    assert alive[0] == alive[1]
    programs.release()
