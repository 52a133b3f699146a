"""The networks there are to dream with, and how those that are not here come here: never unless asked for."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ..dream.weights import weights_file
from ..errors import BadInput, DreamError, nearest
from ..files.fetch import Fetched, fetch
from ..files.paths import networks_folder
from ..networks import DEFAULT_NETWORK, NETWORKS, NetworkInfo, hash_fault


@dataclass(frozen=True)
class ListedNetwork:
    """A network, and the file it lies in; None if it is not here."""

    info: NetworkInfo
    file: Path | None


def list_networks() -> list[ListedNetwork]:
    """Every network, the one that comes with pip first."""
    return [ListedNetwork(info, _file_of(name)) for name, info in NETWORKS.items()]


def get_network(name: str) -> Generator[Fetched, None, ListedNetwork]:
    """Fetch a network, unless a whole one is here; yields as it comes and returns where it lies.

    Stopped, it goes on from there the next time. Raises BadInput for a network there is not, and VisualizerError.
    """
    if name not in NETWORKS:
        raise BadInput(f"unknown network {name!r}{nearest(name, NETWORKS)}; there are: {', '.join(NETWORKS)}")
    info = NETWORKS[name]
    if not info.url:
        return ListedNetwork(info, weights_file())
    file = networks_folder() / info.file_name
    if not _is_whole(file, info):
        yield from fetch(info.url, file, sha256=info.sha256, git_blob=info.git_blob)
    return ListedNetwork(info, file)


def weights_of(network: str) -> Path | None:
    """The file to dream with; None for the network that comes with pip. Raises DreamError if it was not fetched yet."""
    if network == DEFAULT_NETWORK:
        return None
    file = _file_of(network)
    if file is None:
        n_mb = NETWORKS[network].n_bytes / 1e6
        raise DreamError(
            f"the network {network} is not here; `visualizer networks get {network}` fetches it ({n_mb:.0f} MB)"
        )
    return file


def _file_of(name: str) -> Path | None:
    info = NETWORKS[name]
    try:
        file = networks_folder() / info.file_name if info.url else weights_file()
        return file if file.is_file() else None
    except (OSError, DreamError):  # a folder that may not be looked into; a package that is not installed
        return None


def _is_whole(file: Path, info: NetworkInfo) -> bool:
    try:
        with file.open("rb") as opened:
            return not hash_fault(opened, info.sha256, info.git_blob)
    except OSError:
        return False
