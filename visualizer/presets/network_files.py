"""The files of the networks: which are here, and fetching one, only when the user asks for it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ..dream.weights import weights_file
from ..errors import BadInput, DreamError, nearest
from ..files.fetch import Fetched, fetch
from ..files.paths import networks_folder
from ..networks import DEFAULT_NETWORK, NETWORKS, NetworkInfo, hash_fault
from ..oneline import size_text


@dataclass(frozen=True)
class ListedNetwork:
    """A network and the file of its weights, None if it has not been fetched."""

    info: NetworkInfo
    file: Path | None


def known_network(name: str) -> NetworkInfo:
    """The network of that name. Raises BadInput."""
    if name not in NETWORKS:
        raise BadInput(f"unknown network {name!r}{nearest(name, NETWORKS)}; there are: {', '.join(NETWORKS)}")
    return NETWORKS[name]


def list_networks() -> list[ListedNetwork]:
    """Every network, the default first."""
    return [ListedNetwork(info, _file_of(name)) for name, info in NETWORKS.items()]


def get_network(name: str) -> Generator[Fetched, None, ListedNetwork]:
    """Fetch a network unless it is here already; yields as bytes come and returns where the file is.

    A fetch that was stopped continues the next time. Raises BadInput for an unknown network, and VisualizerError.
    """
    info = known_network(name)
    if not info.url:
        return ListedNetwork(info, weights_file())
    file = networks_folder() / info.file_name
    if not _is_whole(file, info):
        yield from fetch(info.url, file, sha256=info.sha256, git_blob=info.git_blob)
    return ListedNetwork(info, file)


def weights_of(network: str) -> Path | None:
    """The file of a network's weights; None for the default network. Raises DreamError if it has not been fetched."""
    if network == DEFAULT_NETWORK:
        return None
    file = _file_of(network)
    if file is None:
        raise DreamError(
            f"the network {network} has not been fetched; `visualizer networks get {network}` fetches it ({size_text(NETWORKS[network].n_bytes)})"
        )
    return file


def _file_of(name: str) -> Path | None:
    info = NETWORKS[name]
    try:
        file = networks_folder() / info.file_name if info.url else weights_file()
        return file if file.is_file() else None
    except (OSError, DreamError):  # a folder without permission; a package that is not installed
        return None


def _is_whole(file: Path, info: NetworkInfo) -> bool:
    try:
        with file.open("rb") as opened:
            return not hash_fault(opened, info.sha256, info.git_blob)
    except OSError:
        return False
