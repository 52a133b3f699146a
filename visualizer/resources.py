"""Where the files shipped with the program are: shaders/, presets/ and demo/.

In a checkout they are top-level folders, easy to edit; in a wheel they are inside the package.
"""

from __future__ import annotations

from pathlib import Path

from .errors import VisualizerError

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder of shipped files called `name`: "shaders", "presets" or "demo"."""
    in_wheel = _PACKAGE / "_shipped" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name


def demo_song() -> Path:
    """The song shipped with the program. Raises VisualizerError if the installation lacks it."""
    song = shipped("demo") / "song.opus"
    if not song.is_file():
        raise VisualizerError(f"the bundled song is missing from {song.parent}; reinstall the program")
    return song


def project_file() -> Path:
    """The path of pyproject.toml. It exists in a checkout only."""
    return _PACKAGE.parent / "pyproject.toml"
