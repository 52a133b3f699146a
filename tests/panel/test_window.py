import pytest

from visualizer.panel.style import BLACK, WHITE, mixed, packed
from visualizer.panel.window import MIN_SIZE, SIZE, choose_place
from visualizer.render.monitors import Monitor


def monitor(index, x, width=1920, height=1080, scale=1.0):
    area = (x, 0, width, height)
    return Monitor(index, f"M{index}", area, area, 60.0, scale, index == 0, key=index + 1)


LAPTOP, PROJECTOR = monitor(0, 0), monitor(1, 1920)


def test_it_opens_on_a_monitor_that_the_audience_does_not_see():
    x, y, width, height = choose_place([LAPTOP, PROJECTOR], None, PROJECTOR.area)
    assert 0 <= x < x + width <= 1920 and 0 <= y < y + height <= 1080
    x, _, width, _ = choose_place([LAPTOP, PROJECTOR], None, LAPTOP.area)
    assert 1920 <= x < x + width <= 3840


def test_with_one_monitor_the_system_chooses():
    assert choose_place([LAPTOP], None, LAPTOP.area) is None
    assert choose_place([LAPTOP, PROJECTOR], None, None) is None
    assert choose_place([], None, (0, 0, 10, 10)) is None


@pytest.mark.parametrize(
    ("avoid", "place"),
    [
        ((0, 0, 1280, 720), (1280, 0, 640, 980)),
        ((640, 360, 1280, 720), (0, 100, 640, 980)),  # not over the lower edge
        ((0, 40, 1500, 1000), (1500, 40, 420, 980)),  # narrower than it would like
        ((200, 0, 1520, 1080), None),  # too narrow to be used
    ],
)
def test_with_one_monitor_it_stands_beside_the_projection_if_there_is_room(avoid, place):
    assert choose_place([LAPTOP], None, avoid) == place


def test_it_is_larger_on_a_scaled_monitor():
    _, _, width, height = choose_place([PROJECTOR, monitor(1, 3840, 3840, 2160, scale=2.0)], None, PROJECTOR.area)
    assert width == 2 * SIZE[0] and height == 2 * SIZE[1]


def test_it_goes_back_to_where_it_was_if_that_can_be_seen():
    place = (100, 50, 700, 900)
    assert choose_place([LAPTOP, PROJECTOR], place, LAPTOP.area) == place
    assert choose_place([LAPTOP], (2500, 50, 700, 900), LAPTOP.area) is None  # that monitor is gone
    x, _, _, _ = choose_place([LAPTOP, PROJECTOR], (9000, 50, 700, 900), PROJECTOR.area)
    assert x < 1920
    assert choose_place([LAPTOP], (0, 0, 1, -5), None) == (0, 0, *MIN_SIZE)


@pytest.mark.parametrize(("opacity", "alpha"), [(1.0, 255), (0.0, 0), (0.5, 128), (7.0, 255), (-1.0, 0)])
def test_a_colour_is_packed_as_imgui_takes_it(opacity, alpha):
    assert packed((1, 2, 3, 255), opacity) == 1 | 2 << 8 | 3 << 16 | alpha << 24


def test_colours_are_mixed():
    assert mixed(BLACK, WHITE, 0.0) == BLACK
    assert mixed(BLACK, WHITE, 2.0) == WHITE
    assert mixed((0, 100, 0, 255), (100, 0, 0, 255), 0.5) == (50, 50, 0, 255)
