"""The weights are checked before torch sees them, and the errors say the way out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from visualizer.dream import weights as room
from visualizer.errors import DreamError


def test_the_packages_weights_are_whole() -> None:
    found = room.load_weights()
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert all(tensor.isfinite().all() for tensor in found.values())


@pytest.mark.parametrize("spoil", ["one bit", "cut short", "empty", "longer"])
def test_damaged_weights_are_refused(spoil: str, tmp_path: Path) -> None:
    content = bytearray(room.weights_file().read_bytes())
    if spoil == "one bit":
        content[len(content) // 2] ^= 1
    spoilt = {"cut short": content[: len(content) // 3], "empty": b"", "longer": content + b"\0"}.get(spoil, content)
    file = tmp_path / "weights.pth"
    file.write_bytes(spoilt)
    with pytest.raises(DreamError, match="damaged.*pip install") as error:
        room.load_weights(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["missing.pth", "."])
def test_unreadable_weights_are_an_error_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(DreamError, match="cannot be read.*pip install") as error:
        room.load_weights(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DreamError, match="not installed.*pip install"):
        room.load_weights()
