"""The bake, as the rest of the program sees it."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import visualizer.dream.ascent as ascent
import visualizer.dream.device as device
from tests.fixtures.watching import wait_for
from visualizer.dream.baking import bake
from visualizer.dream.device import Compute, choose_device
from visualizer.dream.network import Network
from visualizer.dream.wavefront import AHEAD
from visualizer.errors import BadInput, DreamError
from visualizer.settings import DreamSettings

SETTINGS = DreamSettings(layer="block6.expand", n_depths=6, n_octaves=3)


def frames_of(image: np.ndarray, dream: DreamSettings = SETTINGS, name: str | None = "cpu") -> list[np.ndarray]:
    return [frame for _, frame in bake(image, dream, device=name)]


@pytest.fixture(scope="module")
def baked(cloudscape: np.ndarray) -> list[np.ndarray]:
    return frames_of(cloudscape)


def as_tensor(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame.transpose(2, 0, 1).copy())[None].float() / 255


def test_depths_come_in_order_from_the_image_itself(cloudscape: np.ndarray) -> None:
    found = list(bake(cloudscape, SETTINGS.model_copy(update={"n_depths": 2})))
    assert [depth_index for depth_index, _ in found] == [0, 1, 2]
    assert np.array_equal(found[0][1], cloudscape)
    for _, frame in found:
        assert frame.shape == cloudscape.shape
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous


def test_objective_rises_with_every_depth(
    baked: list[np.ndarray], weights: dict[str, torch.Tensor], cpu: Compute
) -> None:
    network = Network(weights, SETTINGS.layer, cpu)
    with torch.no_grad():
        objectives = [network.objective(as_tensor(frame)) for frame in baked]
    assert all(low < high for low, high in itertools.pairwise(objectives))
    assert objectives[-1] > 1.4 * objectives[0]


def test_depths_differ_evenly(baked: list[np.ndarray]) -> None:
    assert min(changes_of(baked)) > 1
    assert unevenness(baked) < 0.25


@pytest.mark.parametrize("layer", ["block4.expand", "block8.expand", "block12.expand"])
@pytest.mark.slow
def test_depths_morph_evenly_whatever_the_layer(cloudscape: np.ndarray, layer: str) -> None:
    """No pair of neighbouring depths differs by a quarter more or less than the mean: a fade between them cannot
    ghost.
    """
    assert unevenness(frames_of(cloudscape, DreamSettings(layer=layer))) < 0.25


def changes_of(frames: list[np.ndarray]) -> list[float]:
    return [float(np.abs(a.astype(int) - b).mean()) for a, b in itertools.pairwise(frames)]


def unevenness(frames: list[np.ndarray]) -> float:
    """The largest difference of a pair of neighbours' change from the mean change, relative to that."""
    changes = np.array(changes_of(frames))
    return float(np.abs(changes / changes.mean() - 1).max())


@pytest.mark.slow
def test_the_dream_is_not_clipped_flat(cloudscape: np.ndarray) -> None:
    for change in ({"step_size": 0.025}, {"blend": 0.0}):
        deep = frames_of(cloudscape, SETTINGS.model_copy(update=change))[-1]
        assert ((deep == 0) | (deep == 255)).mean() < 0.05, change


def test_borders_change_like_the_rest(cloudscape: np.ndarray, baked: list[np.ndarray]) -> None:
    change = np.abs(baked[-1].astype(int) - cloudscape).mean(2)
    border = np.concatenate([change[:2].ravel(), change[-2:].ravel(), change[:, :2].ravel(), change[:, -2:].ravel()])
    assert 0.5 < border.mean() / change[8:-8, 8:-8].mean() < 1.6


@pytest.mark.slow
def test_same_image_and_settings_give_the_same_bits(cloudscape: np.ndarray, baked: list[np.ndarray]) -> None:
    again = frames_of(cloudscape)
    assert all(np.array_equal(a, b) for a, b in zip(baked, again, strict=True))
    other = frames_of(cloudscape, SETTINGS.model_copy(update={"seed": 1}))
    assert not np.array_equal(baked[-1], other[-1])


def test_the_number_of_threads_does_not_change_a_bit(cloudscape: np.ndarray, baked: list[np.ndarray]) -> None:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1 if n_threads > 1 else 2)
    try:
        again = frames_of(cloudscape)
    finally:
        torch.set_num_threads(n_threads)
    assert all(np.array_equal(a, b) for a, b in zip(baked, again, strict=True))


def test_a_thread_may_bake_while_the_image_is_reused(cloudscape: np.ndarray, baked: list[np.ndarray]) -> None:
    own = cloudscape.copy()
    frames = bake(own, SETTINGS, device="cpu")
    own[:] = 0
    found: list[np.ndarray] = []
    worker = threading.Thread(target=lambda: found.extend(frame for _, frame in frames))
    worker.start()
    worker.join()
    assert all(np.array_equal(a, b) for a, b in zip(baked, found, strict=True))


@pytest.mark.slow
def test_views_bake_like_their_copies(cloudscape: np.ndarray) -> None:
    once = SETTINGS.model_copy(update={"n_depths": 1})
    view = cloudscape[::-1, ::2]
    assert not view.flags.c_contiguous
    assert np.array_equal(frames_of(view, once)[1], frames_of(view.copy(), once)[1])


def test_closing_stops_the_work(cloudscape: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    depths: list[int] = []
    deepened = ascent.deepened

    def counted(before: object, change: object, depth_index: int, octave_index: int, *rest: object) -> object:
        if octave_index == SETTINGS.n_octaves - 1:  # coarser ones run ahead
            depths.append(depth_index)
        return deepened(before, change, depth_index, octave_index, *rest)

    monkeypatch.setattr(ascent, "deepened", counted)
    n_threads = torch.get_num_threads()
    frames = bake(cloudscape, SETTINGS.model_copy(update={"n_depths": 40}))
    assert isinstance(frames, Iterator)
    for depth_index, _ in frames:
        if depth_index == 2:
            break
    frames.close()
    assert max(depths) <= 2 + AHEAD
    assert list(frames) == []
    wait_for(lambda: not any(one.name.startswith("dream worker") for one in threading.enumerate()), "threads are left")
    assert torch.get_num_threads() == n_threads


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    layer=st.sampled_from(["block1.expand", "block8.expand", "block15.expand"]),
    n_octaves=st.integers(1, 10),
    octave_scale=st.sampled_from([1.1, 1.4, 2.5]),
    jitter_px=st.sampled_from([0, 1, 32, 256]),
    smoothing_px=st.sampled_from([0.0, 0.5, 8.0]),
    level=st.sampled_from([0, 128, 255, None]),
)
@settings(max_examples=15, deadline=None, derandomize=True)
@pytest.mark.slow
def test_any_size_and_any_settings_bake(
    height: int,
    width: int,
    layer: str,
    n_octaves: int,
    octave_scale: float,
    jitter_px: int,
    smoothing_px: float,
    level: int | None,
) -> None:
    dream = DreamSettings(
        layer=layer,
        n_depths=1,
        n_octaves=n_octaves,
        octave_scale=octave_scale,
        jitter_px=jitter_px,
        smoothing_px=smoothing_px,
        steps_per_depth=1,
    )
    noise = np.random.default_rng(height * 100 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = noise if level is None else np.full_like(noise, level)
    frame = frames_of(image, dream)[1]
    assert frame.shape == image.shape
    assert np.abs(frame.astype(int) - image).max() < 128


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (16, 16)])
def test_tiny_images_dream_too(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(64, 192, (*size, 3), dtype=np.uint8)
    frames = frames_of(image, SETTINGS.model_copy(update={"n_depths": 3}))
    assert [frame.shape for frame in frames] == [image.shape] * 4
    assert not np.array_equal(frames[3], image)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        "image.jpg",
        None,
    ],
)
def test_other_images_are_refused_at_once(image: object) -> None:
    with pytest.raises(BadInput, match="an image to dream in") as error:
        bake(image, SETTINGS)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
            "not enough memory",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nSee documentation"), "not enough memory"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("kernel went away\nat line 3"), "failed: kernel went away"),
    ],
)
def test_failures_are_dream_errors_in_one_line(
    failure: Exception, said: str, cloudscape: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise failure

    monkeypatch.setattr(ascent, "deepened", failing)
    with pytest.raises(DreamError, match=said) as error:
        frames_of(cloudscape)
    assert "160x90" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="address space is limited the Linux way")
@pytest.mark.parametrize("spare_mb", [60, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.slow
def test_running_out_of_memory_is_a_dream_error(spare_mb: int) -> None:
    code = f"""
import resource
import numpy as np
from visualizer.dream.baking import bake
from visualizer.errors import DreamError
from visualizer.settings import DreamSettings
list(bake(np.zeros((40, 40, 3), np.uint8), DreamSettings(n_depths=1), device="cpu"))
with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {spare_mb} * 2**20, resource.RLIM_INFINITY))
try:
    list(bake(np.zeros((1500, 2500, 3), np.uint8), DreamSettings(n_depths=1), device="cpu"))
except DreamError as error:
    print(error)
"""
    # on many cores the threads' stacks alone would take what there is, and OpenMP then ends the process itself
    few = {**os.environ, "OMP_NUM_THREADS": "2"}
    ran = subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True, text=True, env=few)
    assert ran.stdout.startswith("not enough memory to dream 2500x1500 on CPU")
    assert ran.stdout.count("\n") == 1


@pytest.mark.slow
def test_a_failing_gpu_falls_back_on_the_cpu_and_goes_on(
    cloudscape: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Torch's "meta" device stands in for a GPU that breaks: it takes tensors, and cannot give them back."""
    gpu = Compute(torch.device("meta"), torch.float32)
    monkeypatch.setattr(device, "choose_device", lambda name=None: gpu if name is None else choose_device(name))
    dream = SETTINGS.model_copy(update={"n_depths": 2})
    with caplog.at_level(logging.WARNING):
        found = frames_of(cloudscape, dream, name=None)
    expected = frames_of(cloudscape, dream)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert "continuing on the CPU" in caplog.text


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_dreams_what_the_cpu_dreams(cloudscape: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32, where only the order of sums differs. In bfloat16 both round differently after each layer."""
    found = frames_of(cloudscape, name="cuda")
    again = frames_of(cloudscape, name="cuda")
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))
    exact = {name: Compute(torch.device(name), torch.float32) for name in ("cpu", "cuda")}
    monkeypatch.setattr(device, "choose_device", lambda name=None: exact[name or "cuda"])
    one = SETTINGS.model_copy(update={"n_depths": 1})
    on_cuda, on_cpu = (frames_of(cloudscape, one, name)[1].astype(int) for name in ("cuda", "cpu"))
    assert np.abs(on_cuda - on_cpu).mean() < 0.5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_raises_the_objective_as_much_as_the_cpu(
    baked: list[np.ndarray], cloudscape: np.ndarray, weights: dict[str, torch.Tensor], cpu: Compute
) -> None:
    network = Network(weights, SETTINGS.layer, cpu)
    with torch.no_grad():
        on_cuda, on_cpu = (
            float(network.objective(as_tensor(frames[-1]))) for frames in (frames_of(cloudscape, name="cuda"), baked)
        )
    assert on_cuda == pytest.approx(on_cpu, rel=0.05)
