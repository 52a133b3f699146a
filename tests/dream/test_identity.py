"""What a cached dream is bound to, told without loading torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from visualizer.dream import identity
from visualizer.dream.weights import SHA256
from visualizer.settings import DreamSettings


def test_identity_names_the_weights_and_is_one_line() -> None:
    found = identity(DreamSettings())
    assert SHA256 in found
    assert "\n" not in found
    assert found == identity(DreamSettings(seed=3))  # settings have their own place in a cache's key


def test_identity_changes_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["visualizer.dream.identity"]
    before = identity(DreamSettings())
    for file in Path(str(module.__file__)).parent.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(module, "__file__", str(tmp_path / "identity.py"))
    module._source_hash.cache_clear()
    try:
        assert identity(DreamSettings()) == before
        with (tmp_path / "ascent.py").open("a") as source:
            source.write("# another recipe\n")
        module._source_hash.cache_clear()
        assert identity(DreamSettings()) != before
    finally:
        module._source_hash.cache_clear()


def test_depth_0_and_identity_come_without_torch() -> None:
    code = """
import sys, numpy as np
from visualizer.dream import bake, identity
from visualizer.settings import DreamSettings
image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
frames = bake(image, DreamSettings())
depth_index, frame = next(frames)
assert depth_index == 0 and np.array_equal(frame, image)
identity(DreamSettings())
frames.close()
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
