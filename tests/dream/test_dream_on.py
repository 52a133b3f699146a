"""Previews, checkpoints, blend, tiles and missing memory, as the rest of the program meets them."""

from __future__ import annotations

import functools
import itertools
import logging
import threading
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import visualizer.dream.baking as baking
import visualizer.dream.device as device
import visualizer.dream.tiles as tiles
from tests.fixtures.watching import wait_for
from visualizer.dream.ascent import FINEST, steps_of
from visualizer.dream.baking import COARSE_PX, MOST_COARSE_PX, Dreamt, bake, dream_on, n_coarse
from visualizer.dream.checkpoint import Checkpoint
from visualizer.dream.network import Network
from visualizer.dream.octaves import octave_sizes
from visualizer.errors import BadInput
from visualizer.settings import DreamSettings

SETTINGS = DreamSettings(layer="block2.expand", n_depths=5, n_octaves=4, octave_scale=1.3)


def picture(height: int = 80, width: int = 100) -> np.ndarray:
    """Smooth hills and a little noise, (height, width, 3) uint8."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [127 + 60 * np.sin(rows / 7 + index) * np.cos(columns / 9 - index) for index in range(3)]
    noise = np.random.default_rng(3).normal(0, 4, (height, width, 3))
    return np.clip(np.stack(waves, axis=2) + noise, 0, 255).astype(np.uint8)


@functools.cache
def plain() -> list[np.ndarray]:
    """The finished frames of an uninterrupted dream, depth 0 first."""
    return [frame for _, frame in bake(picture(), SETTINGS, device="cpu")]


def workers_running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("dream worker")]


@pytest.fixture
def few_ahead(monkeypatch: pytest.MonkeyPatch) -> int:
    """Only the two coarsest of SETTINGS' four octaves run ahead, at the size of `picture()`."""
    sizes = octave_sizes(80, 100, SETTINGS.n_octaves, SETTINGS.octave_scale)
    monkeypatch.setattr(baking, "COARSE_PX", sizes[1][0] * sizes[1][1])
    return 2


@pytest.mark.slow
def test_previews_come_first_and_change_nothing() -> None:
    told = list(dream_on(picture(), SETTINGS, device="cpu", preview=True))
    depths = range(1, SETTINGS.n_depths + 1)
    assert [(dreamt.depth_index, dreamt.finished) for dreamt in told] == [
        (0, True),
        *((depth, False) for depth in depths),
        *((depth, True) for depth in depths),
    ]
    finished = [dreamt.frame for dreamt in told if dreamt.finished]
    assert all(np.array_equal(a, b) for a, b in zip(finished, plain(), strict=True))
    assert not any(dreamt.checkpoint for dreamt in told)


def test_the_order_of_work_changes_nothing(few_ahead: int) -> None:
    told = list(dream_on(picture(), SETTINGS, device="cpu", preview=True))
    assert all(np.array_equal(a.frame, b) for a, b in zip((d for d in told if d.finished), plain(), strict=True))


def test_a_preview_is_on_the_way_to_its_frame() -> None:
    told = list(dream_on(picture(), SETTINGS, device="cpu", preview=True))
    image = told[0].frame.astype(int)
    previews = {dreamt.depth_index: dreamt.frame.astype(int) for dreamt in told if not dreamt.finished}
    assert list(previews) == [1, 2, 3, 4, 5]
    assert all(frame.shape == image.shape for frame in previews.values())
    strengths = [np.abs(frame - image).mean() for frame in previews.values()]
    assert all(low < high for low, high in itertools.pairwise(strengths))
    for dreamt in told:
        if dreamt.finished and dreamt.depth_index > 0:
            preview = previews[dreamt.depth_index]
            assert np.abs(dreamt.frame - preview).mean() < np.abs(dreamt.frame - image).mean()


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (20, 20), (33, 33), (60, 45)])
@pytest.mark.slow
def test_any_size_previews_and_resumes(size: tuple[int, int]) -> None:
    image = picture(*size)
    told = list(dream_on(image, SETTINGS, device="cpu", preview=True, checkpoints=True))
    n_octaves = len(octave_sizes(*size, SETTINGS.n_octaves, SETTINGS.octave_scale))
    assert sum(not dreamt.finished for dreamt in told) == (SETTINGS.n_depths if n_octaves > 1 else 0)
    finished = [dreamt for dreamt in told if dreamt.finished]
    assert [dreamt.frame.shape for dreamt in finished] == [image.shape] * 6
    resumed = list(dream_on(image, SETTINGS, device="cpu", resume=finished[2].checkpoint))
    assert [dreamt.depth_index for dreamt in resumed] == [3, 4, 5]
    assert np.array_equal(resumed[-1].frame, finished[-1].frame)


def test_which_octaves_run_ahead() -> None:
    at_720p = octave_sizes(720, 1280, 7, 1.4)
    ahead = at_720p[: n_coarse(at_720p)]
    assert ahead and all(height * width <= COARSE_PX for height, width in ahead)
    assert n_coarse([(90, 160)]) == 0  # it would be the dream itself
    assert n_coarse([(64, 114), (90, 160)]) == 1
    assert n_coarse([(4320 // 8, 7680 // 8), (4320, 7680)]) == 1
    large = (1200, 1200)
    assert large[0] * large[1] > MOST_COARSE_PX and n_coarse([large, (2400, 2400)]) == 0


@pytest.mark.parametrize("coarse_px", [0, COARSE_PX])
def test_without_octaves_that_run_ahead_it_is_the_same(coarse_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baking, "COARSE_PX", coarse_px)
    monkeypatch.setattr(baking, "MOST_COARSE_PX", coarse_px)
    told = list(dream_on(picture(), SETTINGS, device="cpu", preview=True))
    assert any(not dreamt.finished for dreamt in told) == (coarse_px > 0)
    assert all(np.array_equal(a.frame, b) for a, b in zip((d for d in told if d.finished), plain(), strict=True))


@given(stop=st.integers(1, 5), again=st.integers(1, 5), preview=st.booleans(), through_bytes=st.booleans())
@settings(max_examples=8, deadline=None)
@pytest.mark.slow
def test_resumed_anywhere_it_is_as_if_never_interrupted(
    stop: int, again: int, preview: bool, through_bytes: bool
) -> None:
    """Interrupted after depth `stop`, and once more at `again` if that is later."""
    checkpoint: Checkpoint | None = None
    found: dict[int, np.ndarray] = {}
    for end in sorted({stop, again, SETTINGS.n_depths}):
        begun = 0 if checkpoint is None else checkpoint.depth_index
        dream = dream_on(picture(), SETTINGS, device="cpu", preview=preview, resume=checkpoint, checkpoints=True)
        for dreamt in dream:
            assert dreamt.depth_index > begun or checkpoint is None
            if dreamt.finished:
                found[dreamt.depth_index] = dreamt.frame
                if dreamt.depth_index == end:
                    assert dreamt.checkpoint is not None
                    checkpoint = dreamt.checkpoint
                    if through_bytes:
                        checkpoint = Checkpoint.from_bytes(b"".join(checkpoint.parts()))
                    break
        dream.close()
    assert list(found) == list(range(SETTINGS.n_depths + 1))
    assert all(np.array_equal(frame, expected) for frame, expected in zip(found.values(), plain(), strict=True))


def test_nothing_is_left_to_do_after_the_last_depth(few_ahead: int) -> None:
    last = list(dream_on(picture(), SETTINGS, device="cpu", checkpoints=True))[-1]
    assert last.checkpoint is not None
    assert len(last.checkpoint.states) == SETTINGS.n_octaves - few_ahead
    assert list(dream_on(picture(), SETTINGS, device="cpu", resume=last.checkpoint, preview=True)) == []


def test_a_checkpoint_of_another_dream_is_refused_at_once() -> None:
    made = [dreamt.checkpoint for dreamt in dream_on(picture(), SETTINGS, device="cpu", checkpoints=True)]
    assert made[0] is None and made[-1] is not None
    for image, change in (
        (picture(81, 100), {}),
        (picture(), {"n_depths": 4}),
    ):
        with pytest.raises(ValueError, match="is not one of this dream") as error:
            dream_on(image, SETTINGS.model_copy(update=change), resume=made[-1])
        assert "\n" not in str(error.value)


@pytest.mark.slow
def test_closing_at_any_point_ends_the_threads() -> None:
    n_threads = torch.get_num_threads()
    n_all = 1 + 2 * SETTINGS.n_depths
    for n_taken in range(n_all + 1):
        dream = dream_on(picture(), SETTINGS, device="cpu", preview=True, checkpoints=True)
        for _ in range(n_taken):
            next(dream)
        dream.close()
        wait_for(lambda: not workers_running(), "threads are left")
        assert torch.get_num_threads() == n_threads
        assert list(dream) == []


def test_an_abandoned_dream_ends_its_threads() -> None:
    for dreamt in dream_on(picture(), SETTINGS, device="cpu", preview=True):
        if dreamt.depth_index == 1:
            break
    del dreamt
    wait_for(lambda: not workers_running(), "threads are left")


@pytest.mark.slow
def test_blend_lets_the_coarse_dream_go() -> None:
    image = picture()
    single = SETTINGS.model_copy(update={"n_octaves": 1})
    low = {}
    for blend in (0.0, SETTINGS.blend, 0.5, 1.0):
        frames = [frame for _, frame in bake(image, SETTINGS.model_copy(update={"blend": blend}), device="cpu")]
        change = frames[-1].astype(float) - image
        low[blend] = np.abs(change.reshape(8, 10, 10, 10, 3).mean((1, 3))).mean()
        if blend == SETTINGS.blend:
            assert all(np.array_equal(a, b) for a, b in zip(frames, plain(), strict=True))
    assert low[0.0] > 1.2 * low[0.5] > 1.2 * low[1.0]
    # with all of it removed, the finest octave dreams as if alone, but for its random shifts
    alone = [frame for _, frame in bake(image, single, device="cpu")][-1].astype(float) - image
    assert np.abs(alone.reshape(8, 10, 10, 10, 3).mean((1, 3))).mean() == pytest.approx(low[1.0], rel=0.3)


def dream_in(image: np.ndarray, dream: DreamSettings) -> np.ndarray:
    """The deepest frame."""
    return [frame for _, frame in bake(image, dream, device="cpu")][-1]


@pytest.mark.parametrize(("bf16", "tolerance"), [(False, 0.02), (True, 0.25)])
@pytest.mark.slow
def test_a_dream_in_tiles_looks_like_the_whole_one(
    bf16: bool, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16 a bit that rounds the other way grows with every depth, so that only the looks can be compared."""
    emulated = bf16 and not device._cpu_computes_bf16()  # twenty times slower
    monkeypatch.setattr(device, "_cpu_computes_bf16", lambda: bf16)
    image = picture(300, 400)
    layer, n_octaves, n_depths = ("block2.expand", 1, 1) if emulated else ("block5.expand", 2, 4)
    # shifted by up to 32 px, as a picture that needs tiles is at least: shifts below the network's stride would add up cuts
    jitter_px = 32 * 720 // 300
    dream = SETTINGS.model_copy(
        update={"layer": layer, "n_octaves": n_octaves, "n_depths": n_depths, "jitter_px": jitter_px}
    )
    whole = dream_in(image, dream)
    n_seen: list[int] = []
    gradient = Network.gradient

    def counted(self: Network, seen: Tensor) -> Tensor:
        n_seen.append(seen.shape[2] * seen.shape[3])
        return gradient(self, seen)

    monkeypatch.setattr(Network, "gradient", counted)
    monkeypatch.setattr(tiles, "default_limit_px", lambda *_: 1)
    tiled = dream_in(image, dream)
    assert max(n_seen) < 0.7 * 300 * 400  # it was cut
    change = np.abs(whole.astype(float) - image).mean()
    assert np.abs(tiled.astype(float) - whole).mean() < tolerance * change
    # a seam would stand out: a row or a column where neighbours differ more than in the whole dream
    for axis in (0, 1):
        steps = [np.abs(np.diff(frame.astype(float), axis=axis)).mean((1 - axis, 2)) for frame in (tiled, whole)]
        assert np.abs(steps[0] / steps[1] - 1).max() < 0.1


def test_missing_memory_is_said_once_and_the_dream_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    image = picture(300, 400)
    dream = SETTINGS.model_copy(update={"n_octaves": 2, "n_depths": 2})
    whole = dream_in(image, dream)
    gradient = Network.gradient

    def cramped(self: Network, seen: Tensor) -> Tensor:
        if seen.shape[2] * seen.shape[3] > 80_000:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return gradient(self, seen)

    monkeypatch.setattr(Network, "gradient", cramped)
    with caplog.at_level(logging.WARNING):
        found = dream_in(image, dream)
    assert np.abs(found.astype(float) - whole).mean() < 0.25 * np.abs(whole.astype(float) - image).mean()
    said = [record.message for record in caplog.records]
    assert len(said) == 1
    assert "not enough memory for" in said[0] and "going on in tiles" in said[0]


def test_a_guide_draws_the_dream_and_is_checked() -> None:
    image = picture()
    guide = np.random.default_rng(5).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    dream = SETTINGS.model_copy(update={"n_depths": 2})
    guided = [frame for _, frame in bake(image, dream, guide=guide, device="cpu")]
    assert not np.array_equal(guided[-1], dream_in(image, dream))
    again = [frame for _, frame in bake(image, dream, guide=guide.copy(), device="cpu")]
    assert all(np.array_equal(a, b) for a, b in zip(guided, again, strict=True))
    with pytest.raises(BadInput, match="a guide must be"):
        bake(image, dream, guide=guide[:, :, 0])


def test_several_layers_dream_together() -> None:
    image = picture()
    dream = SETTINGS.model_copy(update={"layer": {"block2.expand": 1.0, "block4.expand": 0.5}, "n_depths": 2})
    both = dream_in(image, dream)
    for layer in ("block2.expand", "block4.expand"):
        assert not np.array_equal(both, dream_in(image, dream.model_copy(update={"layer": layer})))


@pytest.mark.parametrize("n_octaves", [1, 3, 7])
def test_coarser_octaves_go_their_way_in_fewer_steps(n_octaves: int) -> None:
    dream = DreamSettings(steps_per_depth=4, step_size=0.01)
    plans = [steps_of(dream, index, n_octaves) for index in range(n_octaves)][::-1]
    assert [n_steps for n_steps, _ in plans] == [4, 2, 1, 0.5, 0.5, 0.5, 0.5][:n_octaves]
    ways = [n_steps * step_size for n_steps, step_size in plans]
    assert ways == pytest.approx([0.01 * FINEST] + [0.01] * (n_octaves - 1))
    assert steps_of(dream.model_copy(update={"steps_per_depth": 1}), 0, 2) == (0.5, pytest.approx(0.02))


def test_a_dreamt_frame_is_a_plain_record() -> None:
    first = next(dream_on(picture(), SETTINGS))
    assert isinstance(first, Dreamt)
    assert (first.depth_index, first.finished, first.checkpoint) == (0, True, None)


def test_a_dream_holds_no_checkpoint_that_its_caller_let_go(few_ahead: int) -> None:
    dream = dream_on(picture(), SETTINGS, device="cpu", checkpoints=True)
    next(dream)
    checkpoint = next(dream).checkpoint
    assert checkpoint is not None
    watched = weakref.ref(checkpoint)
    coarser = weakref.ref(checkpoint.states[0])
    del checkpoint
    assert watched() is None
    for _ in range(2):
        next(dream)
    assert coarser() is None
    dream.close()


def test_a_resumed_dream_lets_the_old_states_go(few_ahead: int) -> None:
    made = [dreamt.checkpoint for dreamt in dream_on(picture(), SETTINGS, device="cpu", checkpoints=True)][2]
    assert made is not None
    made = Checkpoint.from_bytes(b"".join(made.parts()))
    finest = weakref.ref(made.states[-1])
    dream = dream_on(picture(), SETTINGS, device="cpu", resume=made)
    del made
    assert finest() is not None
    for _ in range(3):
        next(dream)
    assert finest() is None
    dream.close()


def test_a_failing_gpu_repeats_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Torch's "meta" device stands in for a GPU that breaks: it takes tensors, and cannot give them back."""
    gpu = device.Compute(torch.device("meta"), torch.float32)
    choose = device.choose_device
    monkeypatch.setattr(device, "choose_device", lambda name=None: gpu if name is None else choose(name))
    last = [dreamt.checkpoint for dreamt in dream_on(picture(), SETTINGS, device="cpu", checkpoints=True)][2]
    with caplog.at_level(logging.WARNING):
        told = list(dream_on(picture(), SETTINGS, preview=True, resume=last))
    assert [(dreamt.depth_index, dreamt.finished) for dreamt in told] == [
        *((depth, False) for depth in (3, 4, 5)),
        *((depth, True) for depth in (3, 4, 5)),
    ]
    assert all(np.array_equal(dreamt.frame, plain()[dreamt.depth_index]) for dreamt in told if dreamt.finished)
    assert "continuing on the CPU" in caplog.text
