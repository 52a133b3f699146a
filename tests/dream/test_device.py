"""The device is chosen by itself, and told to people."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading

import pytest
import torch

from visualizer.dream.device import (
    Compute,
    by_threads,
    choose_device,
    describe_device,
    load_torch,
    one_core_less,
    worker_plan,
)
from visualizer.errors import BadInput, DreamError


def test_cpu_is_always_there_and_described() -> None:
    compute = choose_device("cpu")
    assert compute.device.type == "cpu"
    assert compute.dtype in (torch.float32, torch.bfloat16)
    precision = str(compute.dtype).removeprefix("torch.")
    assert describe_device("cpu") == f"CPU, {precision}, {torch.get_num_threads()} threads"


def test_a_cpu_without_bf16_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, probe, lambda: False, raising=False)
    assert choose_device("cpu").dtype == torch.float32
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert choose_device("cpu").dtype == torch.float32


def test_a_gpu_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Test GPU")
    for capability, dtype in (((9, 0), torch.bfloat16), ((7, 5), torch.float32)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, found=capability: found)
        assert choose_device() == Compute(torch.device("cuda", 0), dtype, "Test GPU")
    assert str(choose_device()) == "CUDA Test GPU, float32"
    with pytest.raises(BadInput, match="'cuda:7' is not on this machine"):
        choose_device("cuda:7")


@pytest.mark.parametrize("name", ["toaster", "", "cuda:", "meta", "cpu:1:2"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(BadInput) as error:
        choose_device(name)
    assert repr(name) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("error", [ImportError("No module named 'torch'"), OSError("libgomp.so: cannot open\nfile")])
def test_a_broken_torch_is_an_error_in_one_line(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(name: str) -> None:
        raise error

    monkeypatch.setattr(importlib, "import_module", failing)
    with pytest.raises(DreamError, match="torch cannot be loaded.*pip install") as raised:
        load_torch()
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_threads_are_told_to_sleep_unless_the_user_says_otherwise() -> None:
    code = "import os; from visualizer.dream.device import describe_device; describe_device(); print(os.environ['OMP_WAIT_POLICY'])"
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "KMP_"))}
    for environment, expected in ((plain, "PASSIVE"), ({**plain, "OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, timeout=120, capture_output=True, text=True
        )
        assert ran.stdout.strip() == expected


def test_coarse_octaves_share_the_cores_and_finer_ones_get_them_all(cpu: Compute) -> None:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with worker_plan(cpu) as shared:
            assert shared == (2, 2, 1, 4)
            torch.set_num_threads(1)
        assert torch.get_num_threads() == 4
        with worker_plan(cpu, (720, 1280), beside_show=True) as shared:
            assert shared == (2, 2, 2, 2)
        with worker_plan(cpu, (4320, 7680), beside_show=True) as shared:
            assert shared.n_finer == 1, "memory for one step only"
        with one_core_less(), worker_plan(cpu, (720, 1280), beside_show=True) as shared:
            assert shared == (2, 1, 2, 1)
        assert torch.get_num_threads() == 4
        torch.set_num_threads(2)
        with one_core_less(), worker_plan(cpu, (720, 1280), beside_show=True) as shared:
            assert shared == (1, 1, 1, 1)
        torch.set_num_threads(1)
        with worker_plan(cpu) as shared:
            assert shared == (1, 1, 1, 1)
        with one_core_less():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(n_threads)
    with worker_plan(Compute(torch.device("meta"), torch.float32)) as shared:
        assert (shared.n_coarse, shared.n_finer) == (1, 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc, Linux's C library, has several heaps")
@pytest.mark.slow
def test_a_bake_has_one_heap() -> None:
    code = """
import ctypes, sys, threading
from visualizer.dream.device import load_torch
load_torch()
import torch
def work():
    torch.set_num_threads(2)
    torch.rand(1, 64, 200, 200).relu_()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    ran = subprocess.run([sys.executable, "-c", code], env=own, check=True, timeout=120, capture_output=True, text=True)
    assert ran.stderr.count("Arena ") == 1


@pytest.mark.parametrize("n_threads", [1, 2])
def test_parts_are_worked_on_by_as_many_threads_as_torch_has(n_threads: int) -> None:
    x = torch.arange(10.0)
    before = torch.get_num_threads()
    together = threading.Barrier(n_threads, timeout=60)

    def add(part: slice) -> tuple[int, bool]:
        together.wait()
        x[part] += 1
        return torch.get_num_threads(), torch.is_inference_mode_enabled()

    torch.set_num_threads(n_threads)
    try:
        for is_inference in (False, True):
            with torch.inference_mode(is_inference), torch.no_grad():
                found = by_threads(add, [slice(0, 5), slice(5, 10)])
            assert found == [(1, is_inference)] * 2
            assert torch.get_num_threads() == n_threads
        with pytest.raises(ZeroDivisionError):
            by_threads(lambda part: 1 / part, [1, 0])
    finally:
        torch.set_num_threads(before)
    assert x.tolist() == (torch.arange(10.0) + 2).tolist()
