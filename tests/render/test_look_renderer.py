"""What a look's passes, targets, textures and uniforms draw, pixel for pixel."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.render.isf import Alone, image, isf, kept, number
from tests.render.pictures import noise, smooth, worst
from visualizer.errors import BadInput, GraphicsError
from visualizer.looks.look import find_look, open_look_file
from visualizer.render import look_renderer

SIZE = (16, 8)


@pytest.fixture
def alone(tmp_path):
    """alone(body, *inputs, dream=, size=, **header) -> an ISF look drawn by itself."""
    opened = []

    def of(body, *inputs, dream=None, size=SIZE, **header):
        opened.append(Alone(isf(tmp_path, body, *inputs, **header), size, dream))
        return opened[-1]

    yield of
    for one in opened:
        one.close()


def test_targets_that_are_too_large_at_the_size_drawn_are_an_error_until_they_are_not(alone, monkeypatch):
    """Persistent ones count twice: what is read, and what is drawn into."""
    n_bytes = 16 * 8 * 16 * 2
    monkeypatch.setattr(look_renderer, "MAX_BYTES", n_bytes)
    look = alone("gl_FragColor = vec4(1.0);", passes=[kept("sum", FLOAT=True), {}])
    assert look.draw()[0, 0].tolist() == [255] * 3
    with pytest.raises(GraphicsError, match=r"look own: its targets take .* of graphics memory; allowed"):
        look.draw((17, 8))
    assert look.draw()[0, 0].tolist() == [255] * 3


# --- one pass


def test_a_look_writes_where_it_is_and_up_is_up(alone):
    seen = alone("gl_FragColor = vec4(isf_FragNormCoord, 0.0, 1.0);").draw()
    x, y = np.meshgrid((np.arange(16) + 0.5) / 16, 1 - (np.arange(8) + 0.5) / 8)
    assert worst(seen[..., :2], 255 * np.dstack([x, y])) <= 1


def test_it_is_told_its_pass_its_size_and_the_time(alone):
    look = alone("gl_FragColor = vec4(RENDERSIZE / 32.0, float(PASSINDEX) + float(FRAMEINDEX) / 10.0, 1.0);")
    assert [look.draw()[0, 0].tolist() for _ in range(3)] == [[128, 64, 0], [128, 64, 26], [128, 64, 51]]
    look = alone("gl_FragColor = vec4(TIME / 10.0, TIMEDELTA * 4.0, DATE.w / 86400.0, DATE.x == 2026.0 ? 1.0 : 0.0);")
    assert look.draw(time_s=4.0, date=(2026.0, 11.0, 28.0, 43200.0))[0, 0].tolist() == [102, 0, 128]
    assert look.draw(time_s=5.0, step_s=0.125, date=(2026.0, 11.0, 28.0, 43200.0))[0, 0].tolist() == [128, 128, 128]


def test_transparency_is_composited_over_black(alone):
    assert alone("gl_FragColor = vec4(1.0, 0.5, 0.0, 0.5);").draw()[0, 0].tolist() == [128, 64, 0]
    look = alone("if (gl_FragCoord.x < 8.0) discard; gl_FragColor = vec4(1.0);")
    assert look.draw()[0].max(axis=1).tolist() == [0] * 8 + [255] * 8, "nothing of what was there before"


def test_a_vertex_shader_moves_the_corners(alone):
    vertex = "void main() { isf_vertShaderInit(); gl_Position.xy *= 0.5; }"
    seen = alone("gl_FragColor = vec4(1.0);", vertex=vertex).draw()[..., 0]
    expected = np.zeros((8, 16), int)
    expected[2:6, 4:12] = 255
    assert np.array_equal(seen, expected)


def test_an_input_may_be_called_like_a_uniform_of_the_program(alone):
    look = alone(
        "gl_FragColor = vec4(size, depth, level, 1.0);", *(number(name, 0.2) for name in ("size", "depth", "level"))
    )
    assert look.draw()[0, 0].tolist() == [51, 51, 51]
    assert look.draw(size=None, **{"depth": 1.0})[0, 0].tolist() == [51, 255, 51]


def test_the_dream_at_a_place_is_what_the_input_image_is_there(alone):
    """With the fit of a dream frame of another shape: half of each side is cut off."""
    dream = smooth((64, 16))
    look = alone("gl_FragColor = vec4(dream(isf_FragNormCoord, depth), 1.0);", dream=dream)
    plain = Alone(find_look("crossfade"), SIZE, dream)
    assert worst(look.draw(), plain.draw()) <= 1
    plain.close()


def test_every_kind_of_input_is_what_was_set(alone):
    inputs = (
        {"NAME": "flash", "TYPE": "event"},
        {"NAME": "on", "TYPE": "bool", "DEFAULT": True},
        {"NAME": "mode", "TYPE": "long", "VALUES": [3, 7], "LABELS": ["three", "seven"], "DEFAULT": 7},
        number("amount", 0.25, 0.0, 2.0),
        {"NAME": "place", "TYPE": "point2D", "DEFAULT": [0.5, 0.75]},
        {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.1, 0.2, 0.3, 0.4]},
    )
    for body, expected in (
        ("vec4(flash, on, float(mode) / 10.0, 1.0)", [0, 255, 178.5]),
        ("vec4(amount, place, 1.0)", [63.75, 127.5, 191.25]),
        ("vec4(tint.rgb / tint.a, tint.a)", [25.5, 51, 76.5]),
    ):
        assert worst(alone(f"gl_FragColor = {body};", *inputs).draw()[0, 0], np.array(expected)) <= 1, body
    look = alone("gl_FragColor = vec4(flash, on, float(mode) / 10.0, 1.0);", *inputs)
    assert worst(look.draw(flash=1, on=0, mode=3)[0, 0], np.array([255, 0, 76.5])) <= 1


# --- image inputs


def test_an_image_input_is_read_by_place_and_by_pixel(alone):
    picture = noise(SIZE, 3)
    for body in (
        "gl_FragColor = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord);",
        "gl_FragColor = IMG_PIXEL(inputImage, gl_FragCoord.xy);",
        "gl_FragColor = IMG_THIS_PIXEL(inputImage);",
        "gl_FragColor = IMG_THIS_NORM_PIXEL(inputImage);",
    ):
        look = alone(body, image("inputImage"))
        assert look.renderer.image_inputs == {"inputImage"}
        assert worst(look.draw(images={"inputImage": look.texture(picture)}), picture) <= 1


def test_an_image_of_another_size_has_its_own_pixels(alone):
    look = alone(
        "gl_FragColor = vec4(IMG_SIZE(inputImage) / 64.0, IMG_PIXEL(inputImage, vec2(1.5, 0.5)).b, 1.0);",
        image("inputImage"),
    )
    picture = np.zeros((4, 32, 3), np.uint8)
    picture[-1, 1, 2] = 255  # the second pixel of the bottom row
    assert look.draw(images={"inputImage": look.texture(picture)})[0, 0].tolist() == [128, 16, 255]


def test_imported_pictures_stand_upright(alone, tmp_path):
    picture = noise(SIZE, 4)
    Image.fromarray(picture).save(tmp_path / "card.png")
    look = alone("gl_FragColor = IMG_THIS_PIXEL(card);", imported={"card": {"PATH": "card.png"}})
    assert worst(look.draw(), picture) <= 1


def test_a_cube_of_six_pictures(alone, tmp_path):
    for index in range(6):
        Image.new("RGB", (4, 4), (40 * index, 0, 255)).save(tmp_path / f"{index}.png")
    paths = [f"{index}.png" for index in range(6)]
    directions = (
        "vec3(1, 0, 0)",
        "vec3(-1, 0, 0)",
        "vec3(0, 1, 0)",
        "vec3(0, -1, 0)",
        "vec3(0, 0, 1)",
        "vec3(0, 0, -1)",
    )
    for index, direction in enumerate(directions):
        look = alone(
            f"gl_FragColor = IMG_NORM_PIXEL(sky, {direction});", imported={"sky": {"TYPE": "cube", "PATH": paths}}
        )
        assert look.draw()[0, 0].tolist() == [40 * index, 0, 255]


def test_a_picture_that_is_missing_or_broken_is_named(alone, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"look own: the picture .*broken\.png cannot be read"):
        alone("gl_FragColor = IMG_THIS_PIXEL(card);", imported={"card": {"PATH": "broken.png"}})
    with pytest.raises(BadInput, match=r"missing\.png"):
        alone("gl_FragColor = IMG_THIS_PIXEL(card);", imported={"card": {"PATH": "missing.png"}})


# --- passes and targets


def test_a_later_pass_reads_what_an_earlier_one_drew_in_the_same_display_frame(alone):
    body = """
        if (PASSINDEX == 0) gl_FragColor = vec4(0.25, 0.0, 0.0, 1.0);
        else if (PASSINDEX == 1) gl_FragColor = IMG_THIS_PIXEL(first) + vec4(0.0, 0.5, 0.0, 0.0);
        else gl_FragColor = IMG_THIS_PIXEL(second) + vec4(0.0, 0.0, 0.75, 0.0);"""
    look = alone(body, passes=[{"TARGET": "first"}, {"TARGET": "second"}, {}])
    assert look.draw()[0, 0].tolist() == [64, 128, 191]


def test_a_persistent_target_holds_what_was_drawn_in_the_display_frame_before(alone):
    body = "gl_FragColor = PASSINDEX == 0 ? IMG_THIS_PIXEL(sum) + vec4(0.1, 0.0, 0.0, 1.0) : IMG_THIS_PIXEL(sum);"
    look = alone(body, passes=[kept("sum", FLOAT=True), {}])
    assert look.renderer.has_history
    assert [look.draw()[0, 0, 0] for _ in range(4)] == [26, 51, 76, 102]
    look.renderer.clear_history()
    assert look.draw()[0, 0, 0] == 26, "black again"


def test_a_target_without_persistent_begins_transparent_black_in_every_display_frame(alone):
    body = "gl_FragColor = PASSINDEX == 0 ? IMG_THIS_PIXEL(sum) + vec4(0.1, 0.0, 0.0, 1.0) : IMG_THIS_PIXEL(sum);"
    look = alone(body, passes=[{"TARGET": "sum"}, {}])
    assert not look.renderer.has_history
    assert [look.draw()[0, 0, 0] for _ in range(3)] == [26, 26, 26]


def test_a_pass_that_reads_a_target_before_it_is_drawn_sees_the_display_frame_before(alone):
    """A delay by one display frame: the picture shown is that of the frame before."""
    body = """
        if (PASSINDEX == 0) gl_FragColor = IMG_THIS_PIXEL(past);
        else if (PASSINDEX == 1) gl_FragColor = vec4(float(FRAMEINDEX + 1) / 10.0, 0.0, 0.0, 1.0);
        else gl_FragColor = IMG_THIS_PIXEL(shown);"""
    look = alone(body, passes=[{"TARGET": "shown"}, kept("past"), {}])
    assert [look.draw()[0, 0, 0] for _ in range(3)] == [0, 26, 51]


def test_several_passes_may_draw_into_one_target(alone):
    body = """
        vec4 before = IMG_THIS_PIXEL(sum);
        gl_FragColor = PASSINDEX < 2 ? vec4(before.r * 0.5 + 0.25, 0.0, 0.0, 1.0) : before;"""
    look = alone(body, passes=[kept("sum", FLOAT=True), kept("sum", FLOAT=True), {}])
    values = [0.0]
    for _ in range(6):
        values.append(values[-1] * 0.5 + 0.25)
    assert [look.draw()[0, 0, 0] for _ in range(3)] == [round(255 * values[at]) for at in (2, 4, 6)]


def test_the_last_pass_with_a_target_is_kept_and_shown(alone):
    """Of half the size, stretched over the picture, and composited over black."""
    body = "gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(0.1, RENDERSIZE.x / 16.0, 0.0, 0.5);"
    look = alone(body, passes=[kept("sum", FLOAT=True, WIDTH="$WIDTH / 2", HEIGHT="$HEIGHT/2")])
    first, second = look.draw(), look.draw()
    assert first[0, 0].tolist() == [13, 64, 0] and np.ptp(first, axis=(0, 1)).max() == 0
    assert second[0, 0].tolist() == [51, 255, 0]


def test_the_size_of_a_target_is_an_expression_of_the_size_and_the_inputs(alone):
    body = "gl_FragColor = PASSINDEX == 0 ? vec4(RENDERSIZE / 64.0, 0.0, 1.0) : vec4(IMG_THIS_PIXEL(part).rg, IMG_SIZE(part).x / 64.0, 1.0);"
    look = alone(
        body,
        number("n", 3.0, 0.0, 1e9),
        passes=[{"TARGET": "part", "WIDTH": "max(4, $n * 2.0)", "HEIGHT": "floor($HEIGHT / 3)"}, {}],
    )
    assert look.draw()[0, 0].tolist() == [24, 8, 24]
    assert look.draw(n=16.0)[0, 0].tolist() == [128, 8, 128]
    assert look.draw(n=1e9).shape == (8, 16, 3), "limited to what the driver holds"
    assert look.draw(n=0.0)[0, 0].tolist() == [16, 8, 16]


def test_float_targets_hold_what_bytes_cannot(alone):
    body = "gl_FragColor = PASSINDEX == 0 ? vec4(-3.0, 1000.001, 0.0, 1.0) : vec4(IMG_THIS_PIXEL(big).r + 4.0, (IMG_THIS_PIXEL(big).g - 1000.0) * 500.0, 0.0, 1.0);"
    assert (
        worst(alone(body, passes=[{"TARGET": "big", "FLOAT": True}, {}]).draw()[0, 0], np.array([255, 127.5, 0])) <= 5
    )
    assert alone(body, passes=[{"TARGET": "big"}, {}]).draw()[0, 0].tolist() == [255, 0, 0]


def test_drawn_again_at_the_same_time_it_is_the_same_picture_and_goes_on_as_if_it_was_not(alone):
    body = """
        if (PASSINDEX == 0) gl_FragColor = IMG_THIS_PIXEL(past);
        else if (PASSINDEX < 3) gl_FragColor = IMG_THIS_PIXEL(past) + vec4(0.05, 0.0, 0.0, 1.0);
        else gl_FragColor = vec4(IMG_THIS_PIXEL(past).r, IMG_THIS_PIXEL(shown).r, 0.0, 1.0);"""
    passes = [{"TARGET": "shown", "FLOAT": True}, kept("past", FLOAT=True), kept("past", FLOAT=True), {}]
    steady, held = alone(body, passes=passes), alone(body, passes=passes)
    for _ in range(3):
        expected = steady.draw()
        assert np.array_equal(held.draw(), expected)
        for _ in range(3):
            assert np.array_equal(held.draw(again=True), expected)


def test_what_is_kept_is_scaled_when_the_size_changes(alone):
    """A picture that was drawn once and is carried on from then; not cleared, and where it was."""
    body = """
        gl_FragColor = PASSINDEX == 1 ? IMG_THIS_PIXEL(past)
            : FRAMEINDEX == 0 ? vec4(isf_FragNormCoord, 0.5, 1.0) : IMG_PIXEL(past, gl_FragCoord.xy);"""
    look = alone(body, passes=[kept("past"), {}], size=(64, 32))
    look.draw((64, 32))
    for size in ((32, 16), (48, 30), (64, 32), (64, 32)):
        seen = look.draw(size)
        x, y = np.meshgrid((np.arange(size[0]) + 0.5) / size[0], 1 - (np.arange(size[1]) + 0.5) / size[1])
        expected = 255 * np.dstack([x, y, np.full_like(x, 0.5)])
        # the edges of a picture that is stretched are clamped
        assert worst(seen[4:-4, 4:-4], expected[4:-4, 4:-4]) <= 4, size


def test_what_is_kept_goes_on_in_another_context(tmp_path):
    body = "gl_FragColor = PASSINDEX == 0 ? IMG_THIS_PIXEL(sum) + vec4(0.1, 0.0, 0.0, 1.0) : IMG_THIS_PIXEL(sum);"
    for more in ({"FLOAT": True}, {}):
        look = isf(tmp_path, body, passes=[kept("sum", **more), {}])
        first = Alone(look, SIZE)
        for _ in range(3):
            first.draw()
        history = first.renderer.history()
        first.close()
        second = Alone(look, SIZE)
        second.renderer.restore(history)
        assert abs(int(second.draw()[0, 0, 0]) - 102) <= 2
        second.close()


# --- sound and noise


def test_audio_and_audio_fft_are_two_rows_of_as_many_columns_as_asked_for(alone):
    body = """
        vec2 size = IMG_SIZE(sound);
        gl_FragColor = vec4(IMG_NORM_PIXEL(sound, vec2(isf_FragNormCoord.x, isf_FragNormCoord.y > 0.5 ? 0.75 : 0.25)).rg, size.x / 64.0, size.y / 4.0);"""
    rows = np.stack([np.linspace(0, 1, 16), np.zeros(16)]).astype(np.float32)
    for kind in ("audio", "audioFFT"):
        look = alone(body, {"NAME": "sound", "TYPE": kind, "MAX": 16})
        assert look.renderer.needs == {f"{kind}:16"}
        seen = look.draw(**{f"{kind}:16": rows})
        assert worst(seen[-1, :, 0], 127.5 * rows[0]) <= 1 and not seen[0, :, 0].any()
        assert np.array_equal(seen[..., 0], seen[..., 1]) and seen[0, 0, 2] == 32
        silent = look.draw()
        assert silent[0, 0, 0] == (64 if kind == "audio" else 0)


@pytest.fixture
def shadertoy(tmp_path):
    """shadertoy(body of mainImage, header) -> a look of Shadertoy drawn by itself."""
    opened = []

    def of(body, size=SIZE, **header):
        file = tmp_path / f"own{len(opened)}.fs"
        file.write_text(
            f"/*{json.dumps(header)}*/\nvoid mainImage(out vec4 fragColor, in vec2 fragCoord) {{ {body} }}\n"
        )
        opened.append(Alone(open_look_file(file), size, smooth(size)))
        return opened[-1]

    yield of
    for one in opened:
        one.close()


def test_the_uniforms_of_shadertoy(shadertoy):
    look = shadertoy("fragColor = vec4(iResolution.xy / 32.0, iTime / 10.0, 0.0);")
    assert look.draw(time_s=5.0)[0, 0].tolist() == [128, 64, 128], "opaque, whatever its alpha"
    look = shadertoy("fragColor = vec4(float(iFrame) / 10.0, iTimeDelta * 4.0, iChannelTime[3] / 10.0, 1.0);")
    assert [look.draw(time_s=one, step_s=0.125)[0, 0].tolist() for one in (0.0, 5.0)] == [[0, 0, 0], [26, 128, 128]]
    assert "iSampleRate" not in look.renderer.needs
    look = shadertoy("fragColor = vec4(iDate.y / 10.0, iFrameRate / 100.0, iSampleRate / 88200.0, 1.0);")
    assert look.renderer.needs == {"iSampleRate"}
    look.draw()
    assert look.draw(step_s=0.02, date=(2026.0, 4.0, 1.0, 0.0))[0, 0].tolist() == [76, 128, 128]
    look = shadertoy("fragColor = vec4(iChannelResolution[0].xy / 1024.0, iChannelResolution[2].x / 512.0, 1.0);")
    assert look.draw()[0, 0].tolist() == [128, 0, 128], "sound of 512 x 2, noise of 256 x 256"


def test_the_sound_of_shadertoy_is_two_rows(shadertoy):
    look = shadertoy(
        "vec2 at = fragCoord / iResolution.xy; fragColor = texture(iChannel0, vec2(at.x, at.y > 0.5 ? 0.75 : 0.25));",
        CHANNELS=["sound"],
    )
    assert look.renderer.needs == {"shadertoy_sound"}
    rows = np.stack([np.linspace(0, 1, 512), np.full(512, 0.25)]).astype(np.float32)
    seen = look.draw(shadertoy_sound=rows)
    assert worst(seen[-1, :, 0], 255 * (np.arange(16) + 0.5) / 16) <= 1 and np.all(seen[0] == 64)
    silent = look.draw()
    assert not silent[-1].any() and np.all(silent[0] == 128)


def test_the_channels_of_shadertoy_are_the_dream_what_it_drew_before_and_noise(shadertoy, tmp_path):
    look = shadertoy("fragColor = texture(iChannel0, fragCoord / iResolution.xy);", CHANNELS=["dream"])
    dream = smooth(SIZE)
    assert worst(look.draw(images={name: look.texture(dream) for name in look.renderer.image_inputs}), dream) <= 1
    look = shadertoy("fragColor = texture(iChannel0, fragCoord / iResolution.xy) + 0.1;", CHANNELS=["self"])
    assert [look.draw()[0, 0, 0] for _ in range(3)] == [26, 51, 76]
    seen = []
    for _ in range(2):
        look = shadertoy("fragColor = texture(iChannel0, fragCoord / 256.0);", CHANNELS=["noise"])
        seen.append(look.draw())
    assert np.array_equal(*seen) and seen[0].std() > 40 and np.ptp(seen[0], axis=2).max() > 100
    look = shadertoy("fragColor = texture(iChannel0, fragCoord / 256.0);", CHANNELS=["grey noise"])
    grey = look.draw()
    assert grey.std() > 40 and np.ptp(grey, axis=2).max() == 0


def test_the_buffers_of_an_exported_shader_of_shadertoy(tmp_path):
    """Buffer A counts, Buffer B reads what A drew in the same display frame, the picture reads B."""

    def render_pass(kind, name, code, *inputs, output=None):
        channels = [
            {"channel": channel, "ctype": "buffer", "type": "buffer", "id": id, "src": f"/media/previz/{id}.png"}
            for channel, id in enumerate(inputs)
        ]
        outputs = [{"channel": 0, "id": output}] if output else []
        return {"type": kind, "name": name, "code": code, "inputs": channels, "outputs": outputs}

    main = "void mainImage(out vec4 colour, in vec2 at) {{ colour = {}; }}"
    shader = {
        "info": {"id": "x", "name": "counter"},
        "renderpass": [
            render_pass(
                "image", "Image", main.format("texelFetch(iChannel0, ivec2(at), 0)"), "4dXGR9", output="4dfGRr"
            ),
            render_pass("common", "Common", "const float STEP = 0.1;"),
            render_pass(
                "buffer",
                "Buffer A",
                main.format("texelFetch(iChannel0, ivec2(at), 0) + STEP"),
                "4dXGR8",
                output="4dXGR8",
            ),
            render_pass(
                "buffer",
                "Buffer B",
                main.format("vec4(texelFetch(iChannel0, ivec2(at), 0).r, 0.5, 0.0, 1.0)"),
                "4dXGR8",
                output="4dXGR9",
            ),
        ],
    }
    (tmp_path / "counter.json").write_text(json.dumps({"Shader": shader, **shader}))
    look = Alone(open_look_file(tmp_path / "counter.json"), SIZE)
    assert [look.draw()[0, 0].tolist() for _ in range(3)] == [[26, 128, 0], [51, 128, 0], [76, 128, 0]]
    look.close()


# --- faults


def test_a_shader_that_does_not_compile_names_the_line_and_leaves_nothing_behind(tmp_path):
    with pytest.raises(GraphicsError, match=r"own\.fs:3: "):
        Alone(isf(tmp_path, "gl_FragColor = nothing;"), SIZE)
