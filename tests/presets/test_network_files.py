"""Which networks are here, and fetching one from a server on this machine."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.files.web import Site, serving
from visualizer.dream import weights as weights_room
from visualizer.errors import BadInput, DreamError, VisualizerError
from visualizer.networks import DEFAULT_NETWORK, NETWORKS
from visualizer.presets.network_files import ListedNetwork, get_network, list_networks, weights_of

CONTENT = bytes(range(256)) * 500
NAME = "googlenet"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISUALIZER_NETWORKS_DIR", str(tmp_path / "networks"))
    return tmp_path / "networks"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    with serving(CONTENT) as site:
        sha256 = hashlib.sha256(CONTENT).hexdigest()
        info = dataclasses.replace(NETWORKS[NAME], url=site.url, file_name="net.pth", sha256=sha256)
        monkeypatch.setitem(NETWORKS, NAME, info)
        yield site


def run(steps: Generator[Any, None, ListedNetwork]) -> tuple[list[Any], ListedNetwork]:
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


def test_only_the_one_from_pip_is_here_at_first(folder: Path) -> None:
    listed = list_networks()
    assert [network.info.name for network in listed] == list(NETWORKS)
    assert [network.info.name for network in listed if network.file is not None] == [DEFAULT_NETWORK]
    assert not folder.exists()


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_room.importlib.util, "find_spec", lambda name: None)
    assert all(network.file is None for network in list_networks())


def test_a_network_is_fetched_once(site: Site, folder: Path) -> None:
    steps, found = run(get_network(NAME))
    assert steps[-1].n_bytes == len(CONTENT)
    assert found.file == folder / "net.pth" == weights_of(NAME) and found.file.read_bytes() == CONTENT
    assert found in list_networks()
    steps, again = run(get_network(NAME))
    assert steps == [] and again == found and len(site.asked) == 1


def test_a_damaged_one_is_fetched_again(site: Site, folder: Path) -> None:
    folder.mkdir()
    (folder / "net.pth").write_bytes(CONTENT[:-1])
    run(get_network(NAME))
    assert (folder / "net.pth").read_bytes() == CONTENT


def test_a_wrong_one_is_not_kept(site: Site, folder: Path) -> None:
    site.content = CONTENT[::-1]
    with pytest.raises(VisualizerError, match="not the file expected"):
        run(get_network(NAME))
    assert list(folder.iterdir()) == []
    with pytest.raises(DreamError):
        weights_of(NAME)


def test_the_one_from_pip_needs_no_fetching(folder: Path) -> None:
    steps, found = run(get_network(DEFAULT_NETWORK))
    assert steps == [] and found.file is not None and found.file.is_file()
    assert weights_of(DEFAULT_NETWORK) is None
    assert not folder.exists()


def test_a_network_there_is_not() -> None:
    with pytest.raises(BadInput, match=r"unknown network 'inception5' \(did you mean 'inception5h'\?\).*resnet50"):
        run(get_network("inception5"))


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != DEFAULT_NETWORK])
def test_one_that_is_not_here_says_how_to_fetch_it(name: str) -> None:
    with pytest.raises(DreamError, match=rf"{name} has not been fetched; `visualizer networks get {name}`.*\d+ MB"):
        weights_of(name)
