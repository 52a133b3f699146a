"""Dream frames: baked, kept, found again, and shown as they come."""

import json
import logging
import multiprocessing
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import visualizer.dream.identity as identity_room
from tests.fixtures.watching import wait_for
from visualizer.dream.baking import Dreamt
from visualizer.dream.checkpoint import Checkpoint
from visualizer.dream.identity import RECIPE
from visualizer.errors import DreamError, VisualizerError
from visualizer.presets import baker
from visualizer.presets import dreams as dreams_room
from visualizer.presets.bake import bake
from visualizer.presets.baker import BakedFrame, BakeRequest, Stop, bake_in_child, bake_inline, sharpened
from visualizer.presets.cache import FrameCache
from visualizer.presets.dreams import BackgroundDreams, Dreams, ReadyDreams, complete, open_cache, start
from visualizer.presets.loaded import Overrides, open_preset

SIZE = (96, 64)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def loaded(tiny_preset):
    return open_preset(str(tiny_preset), size=SIZE)


def bake_children():
    return [child for child in multiprocessing.active_children() if child.name == "bake"]


def frames_of(dreams, **options):
    return [placed.frame for placed in dreams.frames(**options)]


def request_of(loaded, cache):
    return BakeRequest(
        loaded.image,
        loaded.variants[0],
        dreams_room.cache_key(loaded.image, loaded.variants[0], cache),
        cache.folder,
        cache.max_bytes,
    )


def poll_until(frames, n_finished, deadline_s=180.0):
    """Everything polled until n finished frames have come or something went wrong."""
    got, end = [], time.monotonic() + deadline_s
    while sum(placed.finished for placed in got) < n_finished and frames.fault is None and time.monotonic() < end:
        if not (new := frames.poll()):
            time.sleep(0.005)  # a poll that never rests would take the processor from the one it waits for
        got += new
    return got


def same(ones, others):
    return len(ones) == len(others) and all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))


def test_a_bake_whose_variants_push_each_other_out_of_the_cache_fails(tiny_preset, tmp_path):
    """Two variants of 11 frames in a cache with room for 18: each can be kept, both cannot."""
    folder = tmp_path / "two"
    shutil.copytree(tiny_preset, folder)
    text = (folder / "preset.yaml").read_text().replace("n_depths: 4", "n_depths: 10")
    (folder / "preset.yaml").write_text(f"{text}variants: [{{seed: 1}}]\n")
    loaded = open_preset(str(folder), size=SIZE)
    with pytest.raises(VisualizerError, match=r"do not fit .* together .*raise cache\.max_gb in settings\.yaml"):
        list(bake(loaded, FrameCache(tmp_path / "cache", 18 * SIZE[0] * SIZE[1] * 3)))


def test_a_second_look_comes_from_the_cache_frame_for_frame(loaded):
    first = Dreams(loaded, open_cache())
    baked = list(first.frames())
    second = Dreams(loaded, open_cache())
    assert not first.from_cache and second.from_cache
    assert [placed.depth_index for placed in baked] == [0, 1, 2, 3, 4]
    assert same([placed.frame for placed in baked], frames_of(second))
    assert np.array_equal(baked[0].frame, loaded.image)


def test_the_cache_tells_looks_apart(loaded, tiny_preset):
    cache = open_cache()
    others = [
        loaded,
        open_preset(str(tiny_preset), size=(98, 64)),
        open_preset(str(tiny_preset), size=SIZE, overrides=Overrides(seed=1)),
        open_preset(str(tiny_preset), size=SIZE, overrides=Overrides(layer="block3.expand")),
    ]
    keys = {dreams_room.cache_key(one.image, one.variants[0], cache) for one in others}
    assert len(keys) == 4


@pytest.mark.slow
def test_a_bake_behind_the_show_gives_the_very_same_frames(loaded, tmp_path, monkeypatch):
    here = frames_of(Dreams(loaded, open_cache()))
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(tmp_path / "another"))
    apart = [
        baked.frame for baked in bake_in_child(request_of(loaded, open_cache()), Stop(), preview=True) if baked.finished
    ]
    assert len(here) == 5 and same(here, apart)
    assert same(here, frames_of(Dreams(loaded, open_cache()))), "the child keeps what it bakes"


@pytest.mark.slow
def test_frames_come_behind_the_show_and_are_kept(loaded):
    frames = start(loaded, open_cache())
    assert isinstance(frames, BackgroundDreams)
    got = poll_until(frames, 5)
    assert frames.fault is None
    assert [placed.depth_index for placed in got if placed.finished] == [0, 1, 2, 3, 4]
    frames.close()
    again = start(loaded, open_cache())
    assert isinstance(again, ReadyDreams)
    assert len(again.poll()) == 5 and again.poll() == []


@pytest.mark.slow
def test_every_depth_has_its_preview_before_the_first_is_finished(loaded):
    frames = start(loaded, open_cache())
    got = poll_until(frames, 5)
    frames.close()
    order = [(placed.depth_index, placed.finished) for placed in got]
    assert order[:6] == [(0, True), *((depth, False) for depth in range(1, 5)), (1, True)]
    assert [depth for depth, finished in order if finished] == [0, 1, 2, 3, 4]
    assert all((depth, True) not in order[:place] for place, (depth, finished) in enumerate(order) if not finished)
    for placed in got[1:]:
        assert placed.frame.shape == loaded.image.shape and not np.array_equal(placed.frame, loaded.image)


def test_previews_get_the_detail_that_is_there_the_deepest_first():
    """On a dream of which the preview is a blur, a finished depth makes the previews of the deeper ones better."""
    rng = np.random.default_rng(3)
    grain = rng.integers(-40, 40, (48, 64, 3))
    finished = {depth: np.clip(120 + depth * 4 + grain * depth / 6, 0, 255).astype(np.uint8) for depth in range(1, 7)}
    previews = {depth: np.full((48, 64, 3), 120 + depth * 4, np.uint8) for depth in range(1, 7)}
    better = dict(sharpened(previews, 3, finished[3]))
    assert list(better) == [6, 5, 4]
    for depth, frame in better.items():
        assert frame.dtype == np.uint8
        before, after = (np.abs(one.astype(int) - finished[depth]).mean() for one in (previews[depth], frame))
        assert after < 0.6 * before
    white = {1: np.full((2, 2, 3), 10, np.uint8), 2: np.full((2, 2, 3), 250, np.uint8)}
    assert dict(sharpened(white, 1, np.full((2, 2, 3), 200, np.uint8)))[2].max() == 255, "no sum wraps around"


def interrupted(loaded, cache):
    """Bakes four frames of the first variant into a cache and stops. Returns the bake's request."""
    request = request_of(loaded, cache)
    bake = bake_inline(request, cache, preview=False)
    for _ in range(4):
        next(bake)
    bake.close()
    return request


@pytest.mark.parametrize("n_done", [1, 2, 3])
@pytest.mark.slow
def test_an_interrupted_bake_goes_on_after_its_last_depth(loaded, tmp_path, monkeypatch, n_done, caplog):
    whole = frames_of(Dreams(loaded, open_cache()))
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(tmp_path / "interrupted"))
    monkeypatch.setattr(
        "visualizer.presets.baker.CHECKPOINT_FRACTION", 1e9
    )  # depths so small take less time than keeping them
    cache = open_cache()
    bake = bake_inline(request_of(loaded, cache), cache, preview=False)
    for baked in bake:
        if baked.depth_index == n_done:
            break
    bake.close()
    caplog.set_level("INFO", "visualizer")
    again = Dreams(loaded, open_cache())
    assert not again.from_cache
    assert same(whole, frames_of(again))
    assert f"continuing after depth {n_done} of 4" in caplog.text
    assert not (cache.entry_folder(again.variants[0].key) / "checkpoint").exists(), "a finished bake needs none"


@pytest.mark.slow
def test_a_bake_whose_process_is_killed_goes_on_where_it_was(tiny_preset, monkeypatch, caplog):
    loaded = open_preset(
        str(tiny_preset), size=(320, 180)
    )  # a frame is more than a pipe holds: it cannot end before it is read
    cache = open_cache()
    request = request_of(loaded, cache)
    bake = bake_in_child(request, Stop(), preview=False)
    while not (cache.entry_folder(request.key) / "checkpoint").exists():
        next(bake)
    for child in bake_children():
        child.kill()
    bake.close()
    caplog.set_level("INFO", "visualizer")
    again = frames_of(Dreams(loaded, open_cache()))
    assert "continuing after depth" in caplog.text
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(cache.folder / "fresh"))
    assert same(again, frames_of(Dreams(loaded, open_cache())))


@pytest.mark.parametrize(
    "spoil", [lambda content: content[:-1], lambda content: content[:40] + b"x" + content[41:], lambda _: b""]
)
@pytest.mark.slow
def test_a_damaged_checkpoint_only_costs_time(loaded, monkeypatch, spoil):
    whole = frames_of(Dreams(loaded, open_cache()))
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(open_cache().folder / "interrupted"))
    monkeypatch.setattr("visualizer.presets.baker.CHECKPOINT_FRACTION", 1e9)
    cache = open_cache()
    request = interrupted(loaded, cache)
    checkpoint = cache.entry_folder(request.key) / "checkpoint"
    checkpoint.write_bytes(spoil(checkpoint.read_bytes()))
    assert same(whole, frames_of(Dreams(loaded, open_cache())))


def test_a_checkpoint_deeper_than_the_frames_kept_is_not_gone_on_from(loaded, monkeypatch):
    whole = frames_of(Dreams(loaded, open_cache()))
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", str(open_cache().folder / "interrupted"))
    monkeypatch.setattr("visualizer.presets.baker.CHECKPOINT_FRACTION", 1e9)
    cache = open_cache()
    request = interrupted(loaded, cache)
    (cache.entry_folder(request.key) / "002.frame").unlink()
    assert same(whole, frames_of(Dreams(loaded, open_cache())))


@pytest.mark.parametrize("change", ["octaves", "depth"])
def test_a_checkpoint_that_does_not_fit_is_removed_and_the_bake_starts_again(
    loaded, tmp_path, monkeypatch, caplog, change
):
    """As one of an earlier version would be, which laid out its octaves otherwise."""
    whole = frames_of(Dreams(loaded, FrameCache(tmp_path / "whole", 10**9)))
    monkeypatch.setattr("visualizer.presets.baker.CHECKPOINT_FRACTION", 1e9)
    cache = open_cache()
    request = interrupted(loaded, cache)
    kept = Checkpoint.from_bytes(cache.load_checkpoint(request.key))
    other = Checkpoint(kept.depth_index, kept.states[1:]) if change == "octaves" else Checkpoint(99, kept.states)
    cache.save_checkpoint(request.key, other.parts())
    assert same(whole, [baked.frame for baked in bake_inline(request, cache, preview=False)])
    assert caplog.text.count("an interrupted bake cannot be continued and starts again: a checkpoint of depth") == 1


def test_dreams_of_an_older_recipe_are_baked_again_with_a_line(loaded, monkeypatch, caplog):
    caplog.set_level("INFO", "visualizer")
    list(Dreams(loaded, open_cache()).frames())
    assert Dreams(loaded, open_cache()).fault is None
    monkeypatch.setattr(dreams_room, "RECIPE", RECIPE + 1)
    monkeypatch.setattr(identity_room, "RECIPE", RECIPE + 1)
    assert "older" not in caplog.text
    again = start(loaded, open_cache())
    try:
        poll_until(again, loaded.n_depths + 1)
        assert again.fault == "dreams baked by an older version are baked again"
    finally:
        again.close()
    assert caplog.text.count("dreams baked by an older version are baked again") == 1


def test_an_interrupted_bake_of_an_older_recipe_is_not_continued(loaded, monkeypatch, caplog):
    monkeypatch.setattr("visualizer.presets.baker.CHECKPOINT_FRACTION", 1e9)
    older, cache = Dreams(loaded, open_cache()), open_cache()
    bake = older.frames()
    while next(bake).depth_index < 2:
        pass
    bake.close()
    monkeypatch.setattr(dreams_room, "RECIPE", RECIPE + 1)
    monkeypatch.setattr(identity_room, "RECIPE", RECIPE + 1)
    caplog.set_level("INFO", "visualizer")
    again = Dreams(loaded, cache)
    assert again.fault == "dreams baked by an older version are baked again"
    assert len(frames_of(again)) == loaded.n_depths + 1
    assert "continuing after depth" not in caplog.text
    assert cache.load_checkpoint(older.variants[0].key) is not None, "another entry: the older one is not touched"


@pytest.mark.parametrize("change", ["another picture", "another layer", "another size"])
def test_another_dream_of_the_preset_is_no_older_one(loaded, tiny_preset, monkeypatch, change):
    list(Dreams(loaded, open_cache()).frames())
    monkeypatch.setattr(dreams_room, "RECIPE", RECIPE + 1)
    monkeypatch.setattr(identity_room, "RECIPE", RECIPE + 1)
    overrides = {
        "another picture": Overrides(image=tiny_preset / "image.png"),
        "another layer": Overrides(layer="block3.expand"),
        "another size": Overrides(),
    }[change]
    other = open_preset(str(tiny_preset), size=(80, 64) if change == "another size" else SIZE, overrides=overrides)
    assert Dreams(other, open_cache()).fault is None


def test_a_note_without_a_recipe_counts_as_older(loaded):
    cache = open_cache()
    dreams = Dreams(loaded, cache)
    list(dreams.frames())
    key = dreams.variants[0].key
    note = cache.entry_folder(key) / "note.json"
    without = {name: value for name, value in json.loads(note.read_text()).items() if name != "recipe"}
    note.write_text(json.dumps(without))
    (cache.entry_folder(key) / "004.frame").unlink()
    other = open_preset(loaded.reference, size=SIZE, overrides=Overrides(seed=5))
    assert Dreams(other, cache).fault == "dreams baked by an older version are baked again"


def test_closing_ends_the_bake_at_once_and_leaves_no_process(loaded):
    frames = start(loaded, open_cache())
    poll_until(frames, 1)
    frames.close()
    assert not frames._thread.is_alive()
    wait_for(lambda: not bake_children(), "a process is left")


@pytest.mark.slow
def test_a_bake_whose_process_is_killed_says_so_and_leaves_what_there_is(loaded):
    generator = bake_in_child(request_of(loaded, open_cache()), Stop(), preview=True)
    assert next(generator).depth_index == 0
    first = next(generator)
    assert first.depth_index == 1
    for child in bake_children():
        child.kill()
    with pytest.raises(DreamError, match="died .*out of memory"):
        for _ in generator:
            pass


def _dies_at_once(pipe, orders):
    os.kill(os.getpid(), signal.SIGKILL)


def _dies_before_the_pixels(pipe, orders):
    order = orders.recv()
    pipe.send(("frame", (order.number, 1, order.request.image.shape, True, None, False)))
    os.kill(os.getpid(), signal.SIGKILL)


def _dies_in_the_middle_of_a_word(pipe, orders):
    os.write(pipe.fileno(), struct.pack("!i", 1000) + bytes(10))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL, and its pipes are no files")
@pytest.mark.parametrize("child", [_dies_at_once, _dies_before_the_pixels, _dies_in_the_middle_of_a_word])
def test_wherever_it_is_killed_that_is_what_is_said(tiny_preset, monkeypatch, child):
    loaded = open_preset(str(tiny_preset), size=(640, 360))  # more than a pipe holds
    monkeypatch.setattr("visualizer.presets.baker._child", child)
    with pytest.raises(DreamError, match="the dream's process died \\(killed by the system: out of memory"):
        list(bake_in_child(request_of(loaded, open_cache()), Stop(), preview=True))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_bake_that_is_killed_while_it_loads_is_told(tiny_preset, monkeypatch):
    """The image is more than a pipe holds: nobody may wait for ever until somebody takes it out."""
    really = baker._send

    def send(pipe, order):
        for child in bake_children():
            child.kill()
            child.join()
        really(pipe, order)

    monkeypatch.setattr(baker, "_send", send)
    loaded = open_preset(str(tiny_preset), size=(640, 360))
    with pytest.raises(DreamError, match="the dream's process died"):
        list(bake_in_child(request_of(loaded, open_cache()), Stop(), preview=True))


def _logs_while_it_sends(pipe, orders):
    """The real child, with a thread that logs all the while, as those that run out of memory do (tiles.py)."""

    def bakes(request, cache, **_):
        over = threading.Event()
        logger = logging.getLogger("visualizer.dream.tiles")
        threads = [threading.Thread(target=_log_until, args=(logger, over)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for depth_index in range(1, 40):
            yield BakedFrame(depth_index, np.full_like(request.image, depth_index), True)
        over.set()

    baker.bake_inline = bakes
    really_child(pipe, orders)


really_child = baker._child


def _log_until(logger, over):
    while not over.is_set():
        logger.info("not enough memory at once %s", "x" * 200)


def test_frames_and_log_records_do_not_mix_in_the_pipe(tiny_preset, monkeypatch):
    loaded = open_preset(str(tiny_preset), size=(640, 360))  # more than a pipe holds
    monkeypatch.setattr("visualizer.presets.baker._child", _logs_while_it_sends)
    baked = list(bake_in_child(request_of(loaded, open_cache()), Stop(), preview=True))[1:]
    assert [int(one.frame.min()) for one in baked] == list(range(1, 40))
    assert [int(one.frame.max()) for one in baked] == list(range(1, 40))


def _stops_in_the_middle_of_a_word(pipe, orders):
    os.write(pipe.fileno(), struct.pack("!i", 1000) + bytes(10))
    os.kill(os.getpid(), signal.SIGSTOP)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process, and its pipes are no files")
def test_a_bake_that_stands_still_in_the_middle_of_a_message_can_be_closed(loaded, monkeypatch):
    monkeypatch.setattr("visualizer.presets.baker._child", _stops_in_the_middle_of_a_word)
    frames = start(loaded, open_cache())
    stopped = [psutil.STATUS_STOPPED]
    wait_for(lambda: [psutil.Process(one.pid).status() for one in bake_children()] == stopped, "no bake")
    closing = threading.Thread(target=frames.close, daemon=True)
    closing.start()
    closing.join(60)
    hangs = closing.is_alive()
    for child in bake_children():
        child.kill()
    assert not hangs and frames.fault is None


STARTS_A_BAKE = """
import os, signal, sys, time
from visualizer.presets import baker
from visualizer.presets.dreams import open_cache, start
from visualizer.presets.loaded import open_preset

def kill(*_):
    if sys.argv[2] == "the show":
        os.kill(os.getpid(), signal.SIGKILL)
    os.killpg(os.getpgid(0), signal.SIGINT)

if __name__ == "__main__":
    baker._send = kill  # the process has been started, and is loading
    frames = start(open_preset(sys.argv[1], size=(1280, 720)), open_cache())
    try:
        while True:
            frames.poll()
            time.sleep(0.005)
    except KeyboardInterrupt:
        frames.close()
        print("ended")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL and no process groups")
@pytest.mark.parametrize(("who", "out"), [("the show", ""), ("all", "ended\n")])
def test_what_is_killed_just_as_the_bake_starts_neither_hangs_nor_prints(tiny_preset, tmp_path, who, out):
    (tmp_path / "starts.py").write_text(STARTS_A_BAKE)
    run = subprocess.run(
        [sys.executable, str(tmp_path / "starts.py"), str(tiny_preset), who],
        capture_output=True,
        text=True,
        timeout=120,
        process_group=0,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (run.stdout, run.stderr) == (out, "")


def test_a_bake_that_fails_is_a_line_for_the_screen(loaded, monkeypatch):
    def broken(*_, **__):
        yield BakedFrame(0, loaded.image, True)
        raise RuntimeError("the card\nfell out")

    monkeypatch.setattr(dreams_room, "bake_in_child", broken)
    frames = start(loaded, open_cache())
    got = poll_until(frames, 5, deadline_s=60)
    frames.close()
    assert [placed.depth_index for placed in got] in ([0], [])
    assert "fell out" in frames.fault or "the card" in frames.fault
    assert "\n" not in frames.fault


def test_a_damaged_cache_is_baked_again_and_said(loaded):
    cache = open_cache()
    first = Dreams(loaded, cache)
    baked = frames_of(first)
    victim = sorted(cache.entry_folder(first.variants[0].key).glob("*.frame"))[2]
    victim.write_bytes(victim.read_bytes()[:-100])
    second = Dreams(loaded, open_cache())
    assert not second.from_cache
    assert second.fault
    assert same(baked, frames_of(second))
    assert Dreams(loaded, open_cache()).from_cache


def test_too_few_depths_are_an_error_for_an_export(loaded, monkeypatch):
    two = [Dreamt(depth, loaded.image, True, None) for depth in (0, 1)]
    monkeypatch.setattr(baker, "dream_on", lambda *_, **__: iter_closable(two))
    with pytest.raises(DreamError, match="depth 1 of 4"):
        list(complete(Dreams(loaded, open_cache())))


def iter_closable(frames):
    yield from frames
