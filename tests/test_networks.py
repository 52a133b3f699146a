"""The catalogue's facts hold together, and a wrong hash of a file is found."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from visualizer.networks import DEFAULT_NETWORK, NETWORKS, hash_fault
from visualizer.settings import DreamSettings

PACKAGE = Path(__file__).resolve().parent.parent / "visualizer"
CONTENT = b"weights" * 400_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT_BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


@pytest.mark.parametrize("name", NETWORKS)
def test_facts(name: str) -> None:
    info = NETWORKS[name]
    assert info.name == name and 2012 <= info.year <= 2030 and info.licence and info.origin and info.title
    assert 10e6 < info.n_bytes < 1e9
    assert re.fullmatch("[0-9a-f]{64}", info.sha256) or re.fullmatch("[0-9a-f]{40}", info.git_blob)
    if name == DEFAULT_NETWORK:
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
        assert layer.stand_in in NETWORKS[DEFAULT_NETWORK].layer_names
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


def test_the_default_comes_first_then_by_year_and_size() -> None:
    assert list(NETWORKS) == [DEFAULT_NETWORK, "inception5h", "googlenet", "vgg16", "resnet50"]


def test_any_file_of_a_network_may_be_imported_first_and_from_a_zip_file(tmp_path: Path) -> None:
    """They import networks.py, which imports them all."""
    archive = tmp_path / "whole.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in [
            PACKAGE / "__init__.py",
            PACKAGE / "networks.py",
            *(PACKAGE / "dream").rglob("*.py"),
            PACKAGE / "errors.py",
            PACKAGE / "memory.py",
        ]:
            packed.write(path, path.relative_to(PACKAGE.parent))
    code = (
        "import visualizer.dream.nets.vgg as vgg; from visualizer.networks import NETWORKS; "
        "assert NETWORKS['vgg16'] is vgg.NETWORKS[0] and len(NETWORKS) == 5, NETWORKS; print(vgg.__file__)"
    )
    for place in (PACKAGE.parent, archive):
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(place)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.startswith(str(place))


def test_the_documents_name_every_network() -> None:
    line = next(
        line for line in (PACKAGE.parent / "docs" / "presets.md").read_text().splitlines() if "dream.network" in line
    )
    assert line.split("|")[3].strip() == ", ".join(NETWORKS)
