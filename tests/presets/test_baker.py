"""The process that bakes one variant after another: interrupted, it is ready for the next at once."""

from __future__ import annotations

import dataclasses
import json
import logging
import multiprocessing
import os
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.watching import wait_for
from visualizer.presets import baker
from visualizer.presets.baker import NICENESS, PREVIEW_NICENESS, BakeProcess, BakeRequest, Stop
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import Dreams, cache_key
from visualizer.presets.loaded import Overrides, open_preset

SIZE = (320, 180)


@pytest.fixture
def process():
    with closing(BakeProcess(Stop())) as process:
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


@pytest.mark.parametrize("how, n_frames", [("interrupted", 1), ("closed", 2), ("interrupted", 6)])
def test_a_bake_that_is_given_up_leaves_the_process_to_the_next(two, process, tmp_path, how, n_frames):
    first, other = two
    bake = process.bake(request_of(first, tmp_path), preview=True)
    for _ in range(n_frames):
        next(bake)
    if how == "closed":
        bake.close()
    else:
        process.interrupt()
        assert list(bake) == []
        assert len(list(process.bake(request_of(first, tmp_path), preview=True))) == 1, (
            "the image alone, until it is allowed"
        )
        process.allow()
    started = children()
    for loaded in (other, first):  # the second one continues where it was
        alone = [one.frame for one in Dreams(loaded, FrameCache(tmp_path / "alone", 10**9)).frames()]
        found = finished(process.bake(request_of(loaded, tmp_path), preview=True))
        assert len(found) >= 5 and all(np.array_equal(*pair) for pair in zip(found[-4:], alone[-4:], strict=True))
    assert children() >= started and len(children()) == 1


def test_interruptions_do_not_add_up(two, process, tmp_path):
    for _ in range(3):
        process.interrupt()
        process.interrupt()
        process.allow()
        process.allow()
    assert len(finished(process.bake(request_of(two[0], tmp_path), preview=True))) == 5


def test_a_process_that_is_prepared_is_the_one_that_bakes(two, process, tmp_path):
    process.prepare()
    process.prepare()
    wait_for(lambda: len(children()) == 1, "the process")
    started = children()
    assert len(finished(process.bake(request_of(two[0], tmp_path), preview=True))) == 5
    assert children() == started


really_child, really_inline = baker._child, baker.bake_inline


def _tells_its_niceness(pipe, orders):
    """The real child, which logs its threads' niceness at every frame: of the one that bakes, of those that wait for
    orders, of all others."""

    def bakes(*arguments, **options):
        is_first = True
        with closing(really_inline(*arguments, **options)) as bake:
            for baked in bake:
                if is_first:  # threads of the bake before end a little later than it, those of this one start later
                    with suppress(AssertionError):
                        wait_for(lambda: len(threads_niceness()[1]) <= 1, "the end of the threads of the bake before")
                is_first = False
                own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
                logging.getLogger("visualizer.test").info(json.dumps([own, *threads_niceness()]))
                yield baked

    def threads_niceness():
        waiting = {one.native_id for one in threading.enumerate() if one.name in {"MainThread", "bake orders"}}
        found = [[], []]
        for number in [int(one.name) for one in Path("/proc/self/task").iterdir()]:
            with suppress(ProcessLookupError):  # a thread that has ended since
                found[number not in waiting].append(os.getpriority(os.PRIO_PROCESS, number))
        return found

    baker.bake_inline = bakes
    really_child(pipe, orders)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
def test_each_bake_has_the_priority_that_it_needs_and_leaves_no_thread(two, process, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(baker, "_child", _tells_its_niceness)
    caplog.set_level("INFO", "visualizer")
    high, low = (max(niceness, os.nice(0)) for niceness in (PREVIEW_NICENESS, NICENESS))
    n_threads = []
    for turn in range(12):
        caplog.clear()
        preview, one_core_less = turn % 3 != 1, turn % 3 == 2
        request = dataclasses.replace(request_of(two[0], tmp_path / str(turn)), one_core_less=one_core_less)
        assert len(finished(process.bake(request, preview=preview))) == 5
        told = [json.loads(one.getMessage()) for one in caplog.records if one.name == "visualizer.test"]
        n_high = 5 if preview and not one_core_less else 0  # the image, and the first preview of each depth
        assert [own for own, _, _ in told[:n_high]] == [high] * n_high
        assert [own for own, _, _ in told[n_high:]] == [low] * (len(told) - n_high)
        assert len(told) >= 5 + n_high
        for own, waiting, others in told:
            assert waiting == [high, high], "what is asked for later must be dreamt at high priority"
            assert set(others) == {low} or own == high
        n_threads.append(len(told[0][2]))  # those of the bake itself are not started yet
    assert max(n_threads[6:]) <= max(n_threads[:6]), "threads are left over"


def test_an_order_that_cannot_be_read_ends_the_process(monkeypatch):
    """It would wait for orders for ever, and the show for frames."""
    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    to_read, to_write = multiprocessing.Pipe(duplex=False)
    with closing(to_read), closing(to_write):
        orders = baker._Orders(to_read)
        to_write.send_bytes(b"not an order")
        assert orders.next() is None and orders.is_over()
    wait_for(lambda: said, "the reason, which goes to the standard error")
