"""Pictures read back as Y, U and V: the conversion against its definition and FFmpeg's, and several at once."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.filter import Graph

from tests.render.pictures import noise, smooth, worst
from visualizer.render.canvas import Canvas
from visualizer.render.picture import Picture
from visualizer.render.planes import N_IN_FLIGHT, PlaneReader

SIZE = (64, 36)


def by_definition(rgb):
    """Y, U and V of BT.709 in limited range, in floats; U and V on the left one of two pixels and between two rows."""
    r, g, b = np.moveaxis(rgb.astype(float), 2, 0)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b

    def sited(plane):
        plane = np.pad(plane, ((0, plane.shape[0] % 2), (1, 1 + plane.shape[1] % 2)), "edge")
        plane = (plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:])[:, ::2] / 4
        return (plane[::2] + plane[1::2]) / 2 * 224 / 255 + 128

    return 16 + y * 219 / 255, sited((b - y) / 1.8556), sited((r - y) / 1.5748)


def by_ffmpeg(rgb):
    """The same by swscale."""
    height, width = rgb.shape[:2]
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(width=width, height=height, format="rgb24", time_base=Fraction(1, 30)),
        graph.add(
            "scale",
            "in_range=full:out_range=limited:in_color_matrix=bt709:out_color_matrix=bt709:out_chroma_loc=left:"
            "flags=area+full_chroma_inp+accurate_rnd+bitexact",
        ),
        graph.add("format", "pix_fmts=yuv420p"),
        graph.add("buffersink"),
    ).configure()
    graph.push(av.VideoFrame.from_ndarray(rgb, format="rgb24"))
    return [np.frombuffer(one, np.uint8).reshape(-1, one.line_size)[:, : one.width] for one in graph.pull().planes]


def arrays(size):
    width, height = size
    return np.zeros((height, width), np.uint8), np.zeros((-(-height // 2), 2 * -(-width // 2)), np.uint8)


def fetched(reader, size=SIZE):
    """(index, Y, U, V) of the oldest picture."""
    y, uv = arrays(size)
    return reader.fetch(y, uv), y, uv[:, ::2], uv[:, 1::2]


@pytest.fixture
def draws(offscreen):
    """draws(rgb) -> the canvas with that picture on it, always the same one."""
    made = []

    def draw(rgb):
        size = rgb.shape[1::-1]
        if not made:
            surface = offscreen((8, 8))
            made.append(Canvas(surface.ctx))
        canvas = made[0]
        picture = Picture(canvas.ctx, size, 1)
        picture.put(0, rgb)
        canvas.begin(size)
        picture.draw(0, size)
        picture.release()
        return canvas

    return draw


@pytest.mark.parametrize("size", [SIZE, (66, 38), (33, 21), (31, 22), (2, 2), (1, 1), (5, 3)])
def test_every_value_is_that_of_the_standard_rounded(draws, size):
    rgb = noise(size, 1)
    reader = PlaneReader(draws(rgb), size)
    reader.begin(0)
    _, *planes = fetched(reader, size)
    for plane, exact in zip(planes, by_definition(rgb), strict=True):
        assert worst(plane, exact) < 0.51
    reader.release()


@pytest.mark.parametrize("make", [noise, smooth])
def test_it_converts_as_ffmpeg_does(draws, make):
    rgb = make((320, 180), 1)
    reader = PlaneReader(draws(rgb), (320, 180))
    reader.begin(0)
    _, *planes = fetched(reader, (320, 180))
    for plane, other in zip(planes, by_ffmpeg(rgb), strict=True):
        # FFmpeg handles the first column differently where U and V lie on the left
        differ = np.abs(plane.astype(int) - other)[:, 1:-1]
        assert differ.max() <= 1 and differ.mean() < 0.1


@pytest.mark.parametrize(
    ("rgb", "yuv"), [((0, 0, 0), (16, 128, 128)), ((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (63, 102, 240))]
)
def test_black_white_and_red_have_the_standards_own_values(draws, rgb, yuv):
    reader = PlaneReader(draws(np.full((36, 64, 3), rgb, np.uint8)), SIZE)
    reader.begin(0)
    _, *planes = fetched(reader)
    for plane, value in zip(planes, yuv, strict=True):
        assert (plane == value).all()


def test_several_pictures_are_under_way_while_the_canvas_is_drawn_on(draws):
    reader, pictures, seen = None, [noise(SIZE, seed) for seed in range(8)], []
    for index, rgb in enumerate(pictures):
        canvas = draws(rgb)
        reader = reader or PlaneReader(canvas, SIZE)
        reader.begin(10 + index)
        if reader.is_full:
            seen.append(fetched(reader))
    assert len(reader) == N_IN_FLIGHT - 1
    while len(reader):
        seen.append(fetched(reader))
    assert [index for index, *_ in seen] == list(range(10, 18))
    for rgb, (_, *planes) in zip(pictures, seen, strict=True):
        for plane, exact in zip(planes, by_definition(rgb), strict=True):
            assert worst(plane, exact) < 0.51
    reader.release()
    reader.release()


def test_it_fills_arrays_whose_rows_are_apart(draws):
    rgb = noise(SIZE, 2)
    reader = PlaneReader(draws(rgb), SIZE)
    reader.begin(0)
    y, uv = np.full((36, 96), 7, np.uint8), np.full((18, 96), 7, np.uint8)
    reader.fetch(y[:, :64], uv[:, :64])
    assert worst(y[:, :64], by_definition(rgb)[0]) < 0.51
    assert (y[:, 64:] == 7).all() and (uv[:, 64:] == 7).all()


@pytest.mark.parametrize("larger", [(65, 36), (64, 37), (65, 37)])
def test_a_picture_that_is_a_pixel_larger_loses_its_last_column_or_row(draws, larger):
    rgb = noise(larger, 3)
    reader = PlaneReader(draws(rgb), SIZE)
    reader.begin(0)
    _, *planes = fetched(reader)
    for plane, exact in zip(planes, by_definition(rgb[:36, :64]), strict=True):
        assert worst(plane, exact) < 0.51


@pytest.mark.parametrize("size", [(32, 18), (128, 72), (96, 36)])
def test_a_picture_of_another_size_is_scaled(draws, size):
    reader = PlaneReader(draws(smooth(size)), SIZE)
    reader.begin(0)
    _, *planes = fetched(reader)
    for plane, exact in zip(planes, by_definition(smooth(SIZE)), strict=True):
        assert worst(plane, exact) < 4


def test_a_supersampled_canvas_is_read_averaged(offscreen):
    surface = offscreen((8, 8))
    canvas, large = Canvas(surface.ctx, supersample=2), (128, 72)
    picture = Picture(surface.ctx, large, 1)
    picture.put(0, smooth(large))
    canvas.begin(large)
    picture.draw(0, large)
    reader = PlaneReader(canvas, SIZE)
    reader.begin(0)
    _, *planes = fetched(reader)
    for plane, exact in zip(planes, by_definition(canvas.pixels()), strict=True):
        assert worst(plane, exact) < 0.51


def test_rgb_pixels_can_be_read_besides(draws):
    rgb = noise(SIZE, 4)
    canvas = draws(rgb)
    reader = PlaneReader(canvas, SIZE)
    reader.begin(0)
    assert np.array_equal(canvas.pixels(), rgb)
    assert worst(fetched(reader)[1], by_definition(rgb)[0]) < 0.51


def test_a_canvas_without_a_picture_of_its_own_cannot_be_read(open_window):
    window = open_window(SIZE)
    canvas = Canvas(window.ctx)
    reader = PlaneReader(canvas, SIZE)
    with pytest.raises(ValueError, match="nothing was drawn"):
        reader.begin(0)
    canvas.begin(SIZE, window)
    with pytest.raises(ValueError, match="nothing was drawn"):
        reader.begin(0)
    assert not reader.is_full and len(reader) == 0


def test_the_canvas_of_a_window_is_read_and_the_window_shows_it(open_window):
    window = open_window(SIZE)
    canvas, reader, picture = Canvas(window.ctx), None, Picture(window.ctx, SIZE, 7)
    frames = [noise(SIZE, seed) for seed in range(7)]
    for index, frame in enumerate(frames):
        picture.put(index, frame)
    seen = []
    for index, frame in enumerate(frames):
        canvas.begin(SIZE)
        picture.draw(index, SIZE)
        canvas.present_on(window.ctx.screen, SIZE)
        window.finish()
        assert np.array_equal(window.read(), frame)
        window.swap()
        reader = reader or PlaneReader(canvas, SIZE)
        reader.begin(index)
        if reader.is_full:
            seen.append(fetched(reader))
    for frame, (_, y, *_) in zip(frames, seen, strict=False):
        assert worst(y, by_definition(frame)[0]) < 0.51
    assert len(seen) == 7 - N_IN_FLIGHT + 1
