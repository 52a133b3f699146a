"""Dream frames: baked, kept, found again, and shown as they come."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.errors import DreamError
from visualizer.show import dreams as dreams_room
from visualizer.show.baker import bake_apart
from visualizer.show.dreams import BackgroundDreams, Dreams, Reach, ReadyDreams, complete, open_cache, start
from visualizer.show.look import open_look

SIZE = (96, 64)


@pytest.fixture
def look(tiny_preset):
    return open_look(str(tiny_preset), size=SIZE)


def poll_until(frames, n, deadline_s=60.0):
    """Everything polled until n frames have come or something went wrong."""
    got, end = [], time.monotonic() + deadline_s
    while len(got) < n and frames.fault is None and time.monotonic() < end:
        got += frames.poll()
    return got


def test_a_second_look_comes_from_the_cache_frame_for_frame(look):
    first = Dreams(look, open_cache())
    baked = list(first)
    second = Dreams(look, open_cache())
    assert not first.from_cache and second.from_cache
    assert [index for index, _ in baked] == [0, 1, 2, 3, 4]
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(baked, second, strict=True))
    assert np.array_equal(baked[0][1], look.image)


def test_the_cache_tells_looks_apart(look, tiny_preset):
    cache = open_cache()
    keys = {
        dreams_room.cache_key(look, cache),
        dreams_room.cache_key(open_look(str(tiny_preset), size=(98, 64)), cache),
        dreams_room.cache_key(open_look(str(tiny_preset), size=SIZE, seed=1), cache),
    }
    assert len(keys) == 3


def test_a_bake_behind_the_show_gives_the_very_same_frames(look, tmp_path):
    here = [frame for _, frame in Dreams(look, open_cache())]
    apart = [frame for _, frame in bake_apart(look.image, look.settings.dream, threading.Event())]
    assert len(here) == len(apart) == 5
    assert all(np.array_equal(one, other) for one, other in zip(here, apart, strict=True))


def test_frames_come_behind_the_show_and_are_kept(look):
    frames = start(look, open_cache())
    assert isinstance(frames, BackgroundDreams)
    got = poll_until(frames, 5)
    assert frames.fault is None
    assert [index for index, _ in got] == [0, 1, 2, 3, 4]
    frames.close()
    again = start(look, open_cache())
    assert isinstance(again, ReadyDreams)
    assert len(again.poll()) == 5 and again.poll() == []


def test_closing_ends_the_bake_at_once_and_leaves_no_process(look):
    import multiprocessing

    frames = start(look, open_cache())
    poll_until(frames, 1)
    frames.close()
    assert not frames._thread.is_alive()
    assert multiprocessing.active_children() == []


def test_a_bake_whose_process_is_killed_says_so_and_leaves_what_there_is(look):
    import multiprocessing

    generator = bake_apart(look.image, look.settings.dream, threading.Event())
    assert next(generator)[0] == 0
    first = next(generator)
    assert first[0] == 1
    for child in multiprocessing.active_children():
        child.kill()
    with pytest.raises(DreamError, match="died .*out of memory"):
        for _ in generator:
            pass


def test_a_bake_that_fails_is_a_line_for_the_screen(look, monkeypatch):
    def broken(*_):
        yield 0, look.image
        raise RuntimeError("the card\nfell out")

    monkeypatch.setattr(dreams_room, "bake_apart", broken)
    frames = start(look, open_cache())
    got = poll_until(frames, 5, deadline_s=10)
    frames.close()
    assert [index for index, _ in got] in ([0], [])
    assert "fell out" in frames.fault or "the card" in frames.fault
    assert "\n" not in frames.fault


def test_a_damaged_cache_is_baked_again_and_said(look):
    cache = open_cache()
    first = Dreams(look, cache)
    baked = [frame for _, frame in first]
    victim = sorted(cache.entry_folder(first.key).glob("*.frame"))[2]
    victim.write_bytes(victim.read_bytes()[:-100])
    second = Dreams(look, open_cache())
    assert not second.from_cache
    assert second.fault
    assert all(np.array_equal(one, other) for one, (_, other) in zip(baked, second, strict=True))
    assert Dreams(look, open_cache()).from_cache


def test_too_few_depths_are_an_error_for_an_export(look, monkeypatch):
    monkeypatch.setattr(dreams_room.dream, "bake", lambda *_: iter_closable([(0, look.image), (1, look.image)]))
    with pytest.raises(DreamError, match="depth 1 of 4"):
        list(complete(Dreams(look, open_cache())))


def iter_closable(frames):
    yield from frames


@given(st.floats(0, 20), st.integers(0, 20))
def test_reach_never_asks_for_what_is_not_there(depth, deepest):
    reach = Reach(20)
    for step in range(5):
        assert 0 <= reach.scale(depth, deepest, step * 0.1) <= deepest


def test_reach_is_the_depth_itself_once_all_is_baked():
    reach = Reach(20)
    assert reach.scale(13.7, 20, 0.0) == pytest.approx(13.7)


def test_reach_eases_when_a_depth_lands():
    reach = Reach(20)
    assert reach.scale(20.0, 5, 0.0) == pytest.approx(5.0)
    shown = [reach.scale(20.0, 6, n / 60) for n in range(1, 61)]
    assert max(abs(b - a) for a, b in zip([5.0, *shown], shown, strict=False)) < 0.2
    assert shown[-1] == pytest.approx(6.0, abs=0.01)


def test_reach_does_not_depend_on_the_frame_rate():
    slow, fast = Reach(20), Reach(20)
    slow.scale(20, 0, 0.0), fast.scale(20, 0, 0.0)
    for n in range(1, 7):
        at_30 = slow.scale(20, 10, n / 30)
    for n in range(1, 25):
        at_120 = fast.scale(20, 10, n / 120)
    assert at_30 == pytest.approx(at_120, rel=1e-6)
