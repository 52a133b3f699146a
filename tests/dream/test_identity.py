"""What a cached dream is bound to, told without loading torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import visualizer.dream.ascent as ascent
import visualizer.dream.identity as identity_room
from tests.dream.make_golden import COMMAND, dreamt, read_golden
from visualizer.dream.identity import RECIPE, identity
from visualizer.errors import DreamError
from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.presets.cache import FrameCache
from visualizer.settings import DreamSettings

TOLERANCE = 2  # levels of 255, at every pixel: more than rounding makes (docs/decisions/0018)
CLASSIC = DreamSettings(network="inception5h", layer="mixed4d")


def test_identity_names_the_weights_and_is_one_line() -> None:
    found = identity(DreamSettings())
    assert NETWORKS[DEFAULT_NETWORK].sha256 in found
    assert "\n" not in found
    assert found == identity(DreamSettings(seed=3))  # settings have their own place in a cache's key


def test_every_network_has_its_own() -> None:
    assert NETWORKS["inception5h"].git_blob in identity(CLASSIC)
    assert len({NETWORKS[name].sha256 or NETWORKS[name].git_blob for name in NETWORKS}) == len(NETWORKS)


def test_identity_changes_with_the_weights(tmp_path: Path) -> None:
    file, same, other = tmp_path / "own", tmp_path / "same", tmp_path / "other"
    for path, content in ((file, b"1"), (same, b"1"), (other, b"2")):
        path.write_bytes(content)
    found = identity(CLASSIC, weights=file)
    assert found == identity(CLASSIC, weights=same)
    assert len({found, identity(CLASSIC, weights=other), identity(CLASSIC), identity(DreamSettings())}) == 4
    file.write_bytes(b"another length")
    assert identity(CLASSIC, weights=file) != found


def test_a_fetched_file_counts_as_the_published_one(tmp_path: Path) -> None:
    # it is checked when it is loaded; a warm start need not read half a gigabyte
    fetched = tmp_path / NETWORKS["inception5h"].file_name
    assert identity(CLASSIC, weights=fetched) == identity(CLASSIC)


def test_weights_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match=r"own\.pth cannot be read"):
        identity(DreamSettings(), weights=tmp_path / "own.pth")


def test_identity_changes_with_the_guide() -> None:
    rng = np.random.default_rng(1)
    guide = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    found = identity(DreamSettings(), guide)
    assert found == identity(DreamSettings(), guide.copy())
    assert found == identity(DreamSettings(), np.asfortranarray(guide))
    brighter = guide.copy()
    brighter[0, 0, 0] ^= 1
    others = [
        identity(DreamSettings()),
        identity(DreamSettings(), brighter),
        identity(DreamSettings(), guide.reshape(8, 6, 3)),
    ]
    assert len({found, *others}) == 4


def test_identity_changes_with_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(DreamSettings())
    monkeypatch.setattr(identity_room, "RECIPE", RECIPE + 1)
    assert identity(DreamSettings()) != before


def test_the_golden_frame_is_of_this_recipe() -> None:
    recipe, _ = read_golden()
    assert recipe == RECIPE, f"the golden frame was made with recipe {recipe}, not {RECIPE}: run `{COMMAND}`"


def off_by() -> int:
    """How far the golden dream is from what was kept: the largest difference of a pixel, in levels of 255."""
    return int(np.abs(dreamt().astype(int) - read_golden()[1]).max())


def test_the_recipe_gives_the_golden_frame() -> None:
    found = off_by()
    assert found <= TOLERANCE, (
        f"the same settings dream differently now (by {found} levels of 255; {TOLERANCE} are allowed): raise RECIPE in "
        f"visualizer/dream/identity.py and make the golden picture again with `{COMMAND}`"
    )


def test_the_golden_frame_tells_longer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ascent, "FINEST", ascent.FINEST * 1.2)
    assert off_by() > TOLERANCE


def test_depth_0_and_identity_come_without_torch() -> None:
    code = """
import sys, numpy as np
from visualizer.dream.baking import bake
from visualizer.dream.identity import identity
from visualizer.settings import DreamSettings
image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
frames = bake(image, DreamSettings())
depth_index, frame = next(frames)
assert depth_index == 0 and np.array_equal(frame, image)
identity(DreamSettings(), image)
frames.close()
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "575ca0fa1cc695326d1ace0e62edd80bc3fb71ad8d85f507b22a24f924dd5bb3"),
        (
            {"network": "inception5h", "layer": "mixed4d"},
            "9f5fb87bbaf466933fbcca318ac2645581541908500eb9198ee0b704bec14e21",
        ),
        (
            {"network": "googlenet", "layer": {"conv2": 1.0, "inception4c": 2.0}, "channels": "0:3"},
            "639a58a9489c9401095c28594281e3be9cbb3293916b1686c3178eec836ba22d",
        ),
    ],
)
def test_dreams_baked_with_recipe_3_are_still_found(settings: dict[str, object], key: str, tmp_path: Path) -> None:
    """Keys as an earlier version of the program made them: only a new recipe or other defaults may change them."""
    image = (np.arange(6 * 8 * 3) * 7 % 256).astype(np.uint8).reshape(6, 8, 3)
    dream = DreamSettings.model_validate(settings)
    assert FrameCache(tmp_path, 1).key(image, dream, identity(dream)) == key
