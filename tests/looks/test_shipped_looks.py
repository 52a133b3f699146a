"""The shipped looks: the same at every frame rate, moving, without seams, and never a flash."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.render.pictures import smooth
from tests.sounds import kicks
from visualizer.beat import Analyzer
from visualizer.beat.features import BANDS, RELATIVE, Features
from visualizer.looks.look import find_look, look_names
from visualizer.presets.loaded import open_preset
from visualizer.render.chain import Link
from visualizer.render.offscreen import Offscreen
from visualizer.render.picture import Picture
from visualizer.resources import shipped
from visualizer.settings import BeatSettings
from visualizer.show.chain_control import ChainControl
from visualizer.show.look_values import uniforms_of
from visualizer.show.open_looks import open_links

SIZE, RATE_HZ = (320, 180), 44_100
N_DEPTHS = 3
LOOKS = ["breathe", "crossfade", "kaleidoscope", "liquid", "mood", "prism", "pulse", "relief", "trails"]
#: those that move without any sound
MOVING = ["breathe", "kaleidoscope", "liquid", "pulse", "relief"]
# Display frames begin this late: their times are no multiples of the 1/30 s in which trails go on, at any rate.
FIRST_S = 0.005


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """A picture, and what a dream might make of it: figures that grow with the depth."""
    with Image.open(shipped("presets") / "clouds" / "image.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE), np.float64)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    figures = (np.sin(x / 5.0) * np.sin(y / 6.0))[..., None] * [60, 30, -50]
    return [np.clip(pixels + figures * depth / N_DEPTHS, 0, 255).astype(np.uint8) for depth in range(N_DEPTHS + 1)]


@pytest.fixture(scope="module")
def heard() -> Analyzer:
    """Two kicks a second, and noise that comes and goes."""
    n_samples = 3 * RATE_HZ
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.05, n_samples) * np.sin(np.arange(n_samples) / RATE_HZ * 3) ** 2
    analyzer = Analyzer(RATE_HZ, BeatSettings(), BANDS | RELATIVE, is_known=True)
    analyzer.push((kicks(RATE_HZ, np.arange(0.3, 3.0, 0.5), 3.0) + noise).astype(np.float32))
    analyzer.finish()
    return analyzer


class Show:
    """Pictures drawn through looks, display frame by display frame."""

    def __init__(self, stage: Offscreen) -> None:
        self.stage = stage

    def pictures(self, look: str, frames: list[np.ndarray], moments: list[Features]) -> list[np.ndarray]:
        """One picture for each moment, (180, 320, 3) uint8; the look begins with the first."""
        self.stage.make_current()
        picture = Picture(self.stage.ctx, SIZE, N_DEPTHS, [Link(find_look(look))])
        for depth, frame in enumerate(frames):
            picture.put(depth, frame)
        found = []
        for one in moments:
            values = uniforms_of(one, picture.needs)
            picture.draw(one.level * N_DEPTHS, SIZE, one.time_s, uniforms=values)
            found.append(self.stage.read().copy())
        picture.release()
        return found


@pytest.fixture(scope="module")
def show() -> Iterator[Show]:
    with Offscreen(SIZE) as stage:
        yield Show(stage)


def moments(heard: Analyzer, fps: int, seconds: float) -> list[Features]:
    return [heard.features_at(FIRST_S + index / fps, 0.1) for index in range(round(seconds * fps))]


def silent(fps: int, seconds: float, **values: float) -> list[Features]:
    return [Features(FIRST_S + index / fps, **values) for index in range(round(seconds * fps))]


def light(pixels: np.ndarray) -> np.ndarray:
    """Relative luminance of blocks of 10 x 10 pixels, 0..1."""
    share = pixels / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return (linear @ [0.2126, 0.7152, 0.0722]).reshape(18, 10, 32, 10).mean((1, 3))


def test_these_are_the_shipped_looks():
    assert look_names() == LOOKS


@pytest.mark.parametrize("look", LOOKS)
def test_each_says_what_it_listens_to_and_what_it_costs(look):
    declared = find_look(look).declaration
    assert declared.description and declared.listens and declared.costs
    assert all(one.label and one.description for one in declared.inputs if one.kind != "image")


@pytest.mark.parametrize("look", LOOKS)
def test_at_30_60_and_144_frames_a_second_it_is_the_same(show, frames, heard, look):
    """99 of 100 values within 2 levels of 255, and none further apart than 6."""
    seconds = 1.5
    found = {fps: show.pictures(look, frames, moments(heard, fps, seconds)) for fps in (30, 60, 144)}
    for fps in (60, 144):
        for sixth in range(1, 9):  # 30, 60 and 144 have six moments a second in common
            one, other = (found[rate][sixth * rate // 6].astype(np.int32) for rate in (30, fps))
            apart = np.abs(one - other)
            assert np.percentile(apart, 99) <= 2 and apart.max() <= 6, f"{fps} frames a second, {sixth / 6:.2f} s"


@pytest.mark.parametrize("look", LOOKS)
def test_black_stays_black(show, heard, look):
    black = [np.zeros((*SIZE[::-1], 3), np.uint8)] * (N_DEPTHS + 1)
    assert max(one.max() for one in show.pictures(look, black, moments(heard, 30, 1.0))) == 0


@pytest.mark.parametrize("look", MOVING)
def test_it_moves_slowly_without_any_sound(show, frames, look):
    found = show.pictures(look, frames, silent(2, 8.0, level=1.0))
    apart = [np.abs(one.astype(np.int32) - found[0]).mean() for one in found[1:]]
    assert np.mean(apart) > 1.0 and max(apart) > 2.0


@pytest.mark.parametrize("look", [name for name in LOOKS if name != "relief"])
def test_a_smooth_picture_has_no_seam(show, heard, look):
    for picture in show.pictures(look, [smooth(SIZE)] * (N_DEPTHS + 1), moments(heard, 30, 1.0))[::5]:
        pixels = picture.astype(np.int32)
        assert max(np.abs(np.diff(pixels, axis=axis)).max() for axis in (0, 1)) <= 14


@pytest.mark.parametrize("look", LOOKS)
def test_the_music_makes_no_flash(show, frames, heard, look):
    """The look itself: the dream stands still. WCAG counts changes of a tenth of white over a quarter of the picture."""
    still = [frames[-1]] * (N_DEPTHS + 1)
    before = None
    for picture in show.pictures(look, still, moments(heard, 60, 1.5)):
        now = light(picture)
        if before is not None:
            assert np.mean(np.abs(now - before) >= 0.1) < 0.05
        before = now


@pytest.mark.parametrize("name", ["aurora", "clouds", "club", "first", "marble", "ridges"])
def test_each_preset_is_drawn_through_its_looks(show, frames, heard, name):
    loaded = open_preset(name, size=SIZE)
    links = open_links(loaded)
    assert (name == "first") == all(link.look.name == "crossfade" for link in links)
    show.stage.make_current()
    picture = Picture(show.stage.ctx, SIZE, N_DEPTHS, links)
    control = ChainControl(loaded, links)
    for depth, frame in enumerate(frames):
        picture.put(depth, frame)
    found = []
    for one in moments(heard, 30, 1.0):
        control.move(one, one.level * N_DEPTHS, 0.0)
        picture.draw(one.level * N_DEPTHS, SIZE, one.time_s, uniforms=uniforms_of(one, picture.needs))
        found.append(show.stage.read().copy())
    picture.release()
    assert all(10 < one.mean() < 245 for one in found) and not np.array_equal(found[0], found[-1])
