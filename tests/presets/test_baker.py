"""The process that bakes one variant after another: interrupted, it is ready for the next at once."""

from __future__ import annotations

import multiprocessing
from contextlib import closing

import numpy as np
import pytest

from tests.fixtures.watching import wait_for
from visualizer.presets.baker import BakeProcess, BakeRequest, Stop
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import Dreams, cache_key
from visualizer.presets.loaded import Overrides, open_preset

SIZE = (320, 180)


@pytest.fixture
def process():
    with closing(BakeProcess(Stop(), preview=True)) as process:
        yield process


def request_of(loaded, folder):
    cache = FrameCache(folder, 10**9)
    key = cache_key(loaded.image, loaded.variants[0], cache)
    return BakeRequest(loaded.image, loaded.variants[0], key, cache.folder, cache.max_bytes)


def children():
    return {child.pid for child in multiprocessing.active_children() if child.name == "bake"}


@pytest.fixture
def two(tiny_preset):
    """Two dreams of the tiny preset."""
    return [open_preset(str(tiny_preset), size=SIZE, overrides=Overrides(seed=seed)) for seed in (1, 2)]


def finished(bake):
    return [one.frame for one in bake if one.finished]


@pytest.mark.parametrize("how", ["interrupted", "closed"])
@pytest.mark.parametrize("n_frames", [1, 2, 6])
def test_a_bake_that_is_given_up_leaves_the_process_to_the_next(two, process, tmp_path, how, n_frames):
    first, other = two
    bake = process.bake(request_of(first, tmp_path))
    for _ in range(n_frames):
        next(bake)
    if how == "closed":
        bake.close()
    else:
        process.interrupt()
        assert list(bake) == []
        assert len(list(process.bake(request_of(first, tmp_path)))) == 1, "the image alone, until it is allowed"
        process.allow()
    started = children()
    for loaded in (other, first):  # the second one continues where it was
        alone = [one.frame for one in Dreams(loaded, FrameCache(tmp_path / "alone", 10**9)).frames()]
        found = finished(process.bake(request_of(loaded, tmp_path)))
        assert len(found) >= 5 and all(np.array_equal(*pair) for pair in zip(found[-4:], alone[-4:], strict=True))
    assert children() >= started and len(children()) == 1


def test_interruptions_do_not_add_up(two, process, tmp_path):
    for _ in range(3):
        process.interrupt()
        process.interrupt()
        process.allow()
        process.allow()
    assert len(finished(process.bake(request_of(two[0], tmp_path)))) == 5


def test_a_process_that_is_prepared_is_the_one_that_bakes(two, process, tmp_path):
    process.prepare()
    process.prepare()
    wait_for(lambda: len(children()) == 1, "the process")
    started = children()
    assert len(finished(process.bake(request_of(two[0], tmp_path)))) == 5
    assert children() == started
