import numpy as np
import pytest

from tests.fixtures.watching import wait_for
from visualizer.errors import BadInput
from visualizer.panel.thumbnails import DEPTH, WIDTH_PX, ThumbnailOptions, Thumbnails, thumbnail
from visualizer.presets.dreams import cache_key, open_cache
from visualizer.presets.loaded import open_preset

SIZE = (160, 90)


def test_a_preset_that_was_not_dreamt_yet_is_pictured_by_its_image(tiny_preset):
    made = thumbnail(str(tiny_preset), ThumbnailOptions(SIZE))
    assert not made.is_dreamt
    assert np.array_equal(made.pixels, open_preset(str(tiny_preset), size=SIZE).image)


def test_a_preset_that_was_is_pictured_by_what_it_dreamt_deep_down(tiny_preset):
    loaded, cache = open_preset(str(tiny_preset), size=SIZE), open_cache()
    key, n_depths = cache_key(loaded.image, loaded.variants[0], cache), loaded.n_depths
    for depth_index in range(n_depths + 1):
        cache.save(key, depth_index, np.full((SIZE[1], SIZE[0], 3), 10 * depth_index, np.uint8))
    made = thumbnail(str(tiny_preset), ThumbnailOptions(SIZE))
    assert made.is_dreamt
    assert np.all(made.pixels == 10 * round(DEPTH * n_depths))


def test_a_damaged_frame_is_passed_over(tiny_preset):
    loaded, cache = open_preset(str(tiny_preset), size=SIZE), open_cache()
    key = cache_key(loaded.image, loaded.variants[0], cache)
    depth_index = round(DEPTH * loaded.n_depths)
    cache.save(key, depth_index, np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    (file,) = (path for path in cache.entry_folder(key).iterdir() if path.name.startswith(f"{depth_index:03d}"))
    file.write_bytes(file.read_bytes()[:-7])
    assert not thumbnail(str(tiny_preset), ThumbnailOptions(SIZE)).is_dreamt


def test_pictures_are_made_small_and_keep_their_shape(tiny_preset):
    made = thumbnail(str(tiny_preset), ThumbnailOptions((1280, 720)))
    height, width, _ = made.pixels.shape
    assert width <= WIDTH_PX * 1.5 and width / height == pytest.approx(16 / 9, rel=0.02)


def test_a_preset_that_is_not_there_cannot_be_pictured():
    with pytest.raises(BadInput):
        thumbnail("no such preset", ThumbnailOptions(SIZE))


def test_a_thread_makes_them_passes_over_faults_and_looks_again_once_a_dream_is_baked(tiny_preset):
    thumbnails, name = Thumbnails(ThumbnailOptions(SIZE)), str(tiny_preset)
    thumbnails.request(["no such preset", name])
    (image,) = wait_for(lambda: thumbnails.take() or None, "a thumbnail")
    assert image.preset == name and not image.is_dreamt
    loaded, cache = open_preset(name, size=SIZE), open_cache()
    key = cache_key(loaded.image, loaded.variants[0], cache)
    cache.save(key, round(DEPTH * loaded.n_depths), np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    thumbnails.request([name])
    assert thumbnails.take() == []
    thumbnails.request([name], baked=name)
    (dreamt,) = wait_for(lambda: thumbnails.take() or None, "a thumbnail of the dream")
    assert dreamt.is_dreamt
    thumbnails.request([name], baked=name)
    assert thumbnails.take() == []
