"""Where the files shipped with the program lie: shaders/, presets/ and demo/.

In a checkout they are top-level folders, so that one can edit them; in a wheel they travel inside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder of shipped files called `name` ("shaders", "presets" or "demo")."""
    in_wheel = _PACKAGE / "_shipped" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name


def project_file() -> Path:
    """Where pyproject.toml is in a checkout; an installed program has none."""
    return _PACKAGE.parent / "pyproject.toml"
