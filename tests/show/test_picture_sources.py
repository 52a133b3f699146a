"""Pictures that a journey is led to during a show: dropped on its window, from a camera, a folder and the preset."""

from __future__ import annotations

import logging
import threading

import pytest
from PIL import Image

from tests.fixtures.journeys import with_journey
from tests.fixtures.watching import Quiet, Script, wait_for
from tests.render.pictures import smooth
from tests.show.test_travel import Trip
from visualizer.files.paths import grabs_folder
from visualizer.presets.dreams import ReadyDreams, open_cache
from visualizer.presets.journey import ReadyStations, Stations
from visualizer.presets.loaded import open_preset
from visualizer.render.offscreen import Offscreen
from visualizer.render.programs import Programs
from visualizer.show.onscreen import run
from visualizer.show.picture_sources import PictureOptions, PictureSources
from visualizer.show.stage import NO_JOURNEY, Scene, build_picture

SIZE = (96, 54)
JOURNEY = "journey: {depth: 2, zoom_per_s: 0.2, zoom_per_bar: 0.2, picture_every: 0, pictures: [one.png, two.png]}\n"


class Sources:
    """`PictureSources` of a scene, and the lines it writes."""

    def __init__(self, scene, options):
        self.answers, self.news = [], []
        self.sources = PictureSources(options, lambda: scene, self.answers.append, self._say)

    def _say(self, line):
        is_new = line not in self.news
        if is_new:
            self.news.append(line)
        return is_new

    def wait_for(self, lines, what):
        wait_for(lambda: self.sources.follow(()) or bool(lines), what)
        return lines.pop()


@pytest.fixture
def sources_of(request):
    """sources_of(scene, options) -> Sources, closed at the end."""

    def of(scene, options=None):
        one = Sources(scene, options or PictureOptions())
        request.addfinalizer(one.sources.close)
        return one

    return of


@pytest.fixture
def trip(loaded):
    """A stage with the journey on it."""
    with Offscreen(SIZE) as surface:
        yield Trip(surface, loaded, ReadyStations(Stations(loaded, open_cache())))


@pytest.fixture
def still(tiny_preset, home):
    """A scene without a journey."""
    loaded = open_preset(str(tiny_preset), size=SIZE)
    with Offscreen(SIZE) as surface:
        yield Scene(build_picture(loaded, surface, Programs(surface.ctx)), ReadyDreams([]), loaded)


def test_of_several_dropped_files_the_next_follows_once_the_one_before_is_seen(sources_of, trip, tmp_path):
    names = [f"{name}.png" for name in "abc"]
    for seed, name in enumerate(names):
        Image.fromarray(smooth(SIZE, 30 + seed)).save(tmp_path / name)
    one = sources_of(trip.scene)
    one.sources.follow([tmp_path / name for name in names[:2]])
    one.sources.follow([tmp_path / names[2]])
    assert len(one.answers) == 1 and trip.scene.is_led

    def is_done():
        trip.go(0.1)
        was_led, n_led = trip.scene.is_led, len(one.answers)
        one.sources.follow(())
        assert len(one.answers) == n_led or not was_led
        return len(one.answers) == 3 and not trip.scene.is_led

    wait_for(is_done, "the last picture")
    assert one.answers == [f"the journey comes to {name}" for name in names]


def test_without_a_journey_no_camera_is_opened_and_dropped_files_get_one_line(sources_of, still, tmp_path):
    one = sources_of(still, PictureOptions(folder=tmp_path))
    assert one.sources.requests["grab_picture"]("") == NO_JOURNEY
    assert one.sources.requests["newest_picture"]("") == NO_JOURNEY
    for dropped in ([tmp_path / f"{number}.png" for number in range(9)], (), ()):
        one.sources.follow(dropped)
    assert one.answers == [f"0.png: {NO_JOURNEY}"] and not one.news


def test_without_a_folder_the_key_says_how_to_name_one(sources_of, trip):
    assert "--pictures FOLDER" in sources_of(trip.scene).sources.requests["newest_picture"]("")


def test_it_is_led_to_a_picture_from_the_camera_and_one_from_the_folder(sources_of, trip, own_screen, tmp_path):
    pictures = tmp_path / "phone"
    pictures.mkdir()
    Image.fromarray(smooth(SIZE, 3)).save(pictures / "cat.png")
    own_screen.paint(0x2020E0)
    one = sources_of(trip.scene, PictureOptions(f"x11grab:{own_screen.display}", pictures))
    assert "newest picture" in one.sources.requests["newest_picture"]("")
    assert one.wait_for(one.answers, "the newest") == "the journey comes to cat.png"
    one.sources.requests["grab_picture"]("")
    assert one.wait_for(one.answers, "a grab").startswith("the journey comes to camera-20")
    Image.fromarray(smooth(SIZE, 4)).save(pictures / "dog.png")
    assert one.wait_for(one.answers, "an arrival").startswith("the journey comes to dog.png")
    assert not one.news


def test_a_camera_that_cannot_be_used_and_a_folder_that_is_not_there_are_said(sources_of, trip, tmp_path):
    one = sources_of(trip.scene, PictureOptions("v4l2:/dev/video77", tmp_path / "phone"))
    wait_for(lambda: one.sources.follow(()) or len(one.news) == 2, "two lines")
    lines = sorted(one.news)
    assert lines[0].startswith("camera v4l2:/dev/video77: is not there") and "phone cannot be read" in lines[1]


def test_a_camera_that_fails_again_answers_again(sources_of, trip):
    one = sources_of(trip.scene, PictureOptions("v4l2:/dev/video77"))
    wait_for(lambda: one.sources.follow(()) or bool(one.news), "the line")
    assert one.sources.requests["grab_picture"]("") == "a picture from the camera …"
    assert one.wait_for(one.answers, "the answer") == one.news[0]


# -- in a window


@pytest.fixture
def loaded(tiny_preset, tmp_path, home):
    """The tiny preset with a journey, and two pictures for it."""
    folder = with_journey(tiny_preset, tmp_path, JOURNEY)
    for seed, name in ((8, "one.png"), (9, "two.png")):
        Image.fromarray(smooth(SIZE, seed)).save(folder / name)
    return open_preset(str(folder), size=SIZE)


@pytest.fixture
def show(screen, loaded, home):
    """show(*steps, pictures) -> what the log says; steps: see Script, and lines that the log must have. on_terminal: its
    lines for the terminal.
    """
    log_lines, on_terminal = [], []

    def of(*steps, pictures=None):
        class Lines(logging.Handler):
            def emit(self, record):
                log_lines.append(record.getMessage())

        handler = Lines()
        logger = logging.getLogger("visualizer")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        screen.move_pointer(40, 30)
        try:
            script = Script(screen, *steps, state=lambda: log_lines[-5:])
            options = {"title": "sources", "greeting": "", "pictures": pictures, "say": on_terminal.append}
            run(loaded, Quiet(), open_cache(), on_frame=script, **options)
        finally:
            logger.removeHandler(handler)
        return log_lines

    of.on_terminal = on_terminal
    of.said = lambda text: lambda: any(text in line for line in log_lines)
    return of


def test_a_picture_that_is_dropped_on_the_window_becomes_a_station(show, screen, tmp_path):
    picture = tmp_path / "a cat, älter.png"
    Image.fromarray(smooth(SIZE, 5)).save(picture)
    dropped = threading.Thread(target=screen.drop, args=("sources", [picture]))
    show(lambda: dropped.start() or True, lambda: not dropped.is_alive(), show.said("comes to a cat, älter.png"))


def test_of_several_dropped_files_each_follows_once_the_one_before_is_seen(show, screen, tmp_path):
    names = ["a.png", "b.png", "c.png"]
    for seed, name in enumerate(names):
        Image.fromarray(smooth(SIZE, 20 + seed)).save(tmp_path / name)
    dropped = threading.Thread(target=screen.drop, args=("sources", [tmp_path / name for name in names]))
    lines = show(lambda: dropped.start() or True, *(show.said(f"comes to {name}") for name in names))
    led_to = [line for line in lines if "the journey comes to" in line]
    assert [name for line in led_to for name in names if name in line] == names


def test_the_keys_lead_to_pictures_of_camera_folder_and_preset(show, own_screen, tmp_path):
    Image.fromarray(smooth(SIZE, 6)).save(tmp_path / "phone.png")
    show(
        "g",
        show.said("the journey comes to camera-20"),
        "shift+g",
        show.said("the journey comes to phone.png"),
        "v",
        show.said("the journey comes to one.png"),
        "v",
        show.said("the journey comes to two.png"),
        pictures=PictureOptions(f"x11grab:{own_screen.display}", tmp_path),
    )
    assert len(list(grabs_folder().iterdir())) == 1


def test_a_key_that_is_pressed_again_and_again_in_vain_writes_one_line_to_the_terminal(show, tmp_path):
    pictures = tmp_path / "phone"
    pictures.mkdir()

    def arrives():
        Image.fromarray(smooth(SIZE, 7)).save(pictures / "one.png")
        return True

    in_vain = ["shift+g", show.said("there is no picture in")] * 4
    show(*in_vain, arrives, show.said("the journey comes to one.png"), pictures=PictureOptions(None, pictures))
    assert [line for line in show.on_terminal if "there is no picture" in line] == [
        f"there is no picture in {pictures}"
    ]
