"""The catalogue's facts hold together, and a file's hash is told from another's."""

from __future__ import annotations

import hashlib
import io
import re
from typing import get_args

import pytest

from visualizer.dream.nets import NETS
from visualizer.networks import NETWORKS, STAND_IN, hash_fault
from visualizer.settings import DreamSettings

CONTENT = b"weights" * 400_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT_BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


def test_settings_know_every_network() -> None:
    assert set(get_args(DreamSettings.model_fields["network"].annotation)) == set(NETWORKS) == set(NETS)


@pytest.mark.parametrize("name", NETWORKS)
def test_facts(name: str) -> None:
    info = NETWORKS[name]
    assert info.name == name and 2012 <= info.year <= 2030 and info.licence and info.origin and info.title
    assert 10e6 < info.n_bytes < 1e9
    assert re.fullmatch("[0-9a-f]{64}", info.sha256) or re.fullmatch("[0-9a-f]{40}", info.git_blob)
    if name == STAND_IN:
        assert not info.url and not info.file_name
    else:
        assert info.url.startswith("https://") and info.url.endswith("/" + info.file_name)
        # torchvision's names tell how the hash begins
        hint = re.search("-([0-9a-f]{8})[.]pth$", info.file_name)
        assert hint is None or info.sha256.startswith(hint[1])


@pytest.mark.parametrize("name", NETWORKS)
def test_layers(name: str) -> None:
    info = NETWORKS[name]
    assert len(set(info.layer_names)) == len(info.layers) >= 10
    for layer in info.layers:
        assert info.layer(layer.name) is layer
        assert layer.n_channels > 0 and layer.dreams
        assert layer.stand_in in NETWORKS[STAND_IN].layer_names
        DreamSettings(network=name, layer=layer.name, channels=[layer.n_channels - 1])  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        info.layer("mixed9")


@pytest.mark.parametrize(
    "hashes", [{"sha256": SHA256}, {"sha256": SHA256[:8].upper()}, {"git_blob": GIT_BLOB}, {}, {"sha256": ""}]
)
def test_a_hash_that_fits(hashes: dict[str, str]) -> None:
    file = io.BytesIO(CONTENT)
    file.seek(5)  # all of it counts, wherever it stands
    assert hash_fault(file, **hashes) == ""


@pytest.mark.parametrize("hashes", [{"sha256": GIT_BLOB}, {"git_blob": SHA256[:40]}, {"sha256": "1" * 64}])
def test_a_hash_that_does_not_fit(hashes: dict[str, str]) -> None:
    wanted = next(iter(hashes.values()))
    line = hash_fault(io.BytesIO(CONTENT), **hashes)
    assert wanted[:12] in line and (SHA256[:12] in line or GIT_BLOB[:12] in line)
    assert hash_fault(io.BytesIO(), **hashes)
