"""The folders of the program's files, as usual on each platform."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from ..errors import BadInput, VisualizerError
from ..oneline import reason_of
from ..settings import UserSettings
from .yamlfile import read_settings

_APP = "visualizer"


def cache_folder() -> Path:
    """Baked dreams. Environment variable VISUALIZER_CACHE_DIR overrides it. The folder need not exist yet."""
    return _folder("VISUALIZER_CACHE_DIR", lambda: platformdirs.user_cache_dir(_APP, appauthor=False))


def log_folder() -> Path:
    """Log files. Environment variable VISUALIZER_LOG_DIR overrides it. The folder need not exist yet."""
    return _folder("VISUALIZER_LOG_DIR", lambda: platformdirs.user_log_dir(_APP, appauthor=False))


def config_folder() -> Path:
    """The user's settings.yaml and presets/. Environment variable VISUALIZER_CONFIG_DIR overrides it."""
    return _folder("VISUALIZER_CONFIG_DIR", lambda: platformdirs.user_config_dir(_APP, appauthor=False))


def networks_folder() -> Path:
    """Networks that were fetched. Environment variable VISUALIZER_NETWORKS_DIR overrides it. Need not exist
    yet.
    """
    return _folder(
        "VISUALIZER_NETWORKS_DIR", lambda: str(Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "networks")
    )


def sessions_folder() -> Path:
    """Recorded sessions, a folder each. Environment variable VISUALIZER_SESSIONS_DIR overrides it. Need not exist
    yet.
    """
    return _folder(
        "VISUALIZER_SESSIONS_DIR", lambda: str(Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "sessions")
    )


def grabs_folder() -> Path:
    """Pictures grabbed from a camera. Environment variable VISUALIZER_GRABS_DIR overrides it. Need not exist yet."""
    return _folder(
        "VISUALIZER_GRABS_DIR", lambda: str(Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "grabs")
    )


def pictures_folder() -> Path:
    """Where screenshots go. Environment variable VISUALIZER_PICTURES_DIR overrides it. The folder need not exist."""
    return _folder("VISUALIZER_PICTURES_DIR", platformdirs.user_pictures_dir)


def load_user_settings() -> UserSettings:
    """The settings in settings.yaml in the config folder; the defaults if there is no such file. Raises BadInput."""
    path = config_folder() / "settings.yaml"
    try:
        exists = os.path.lexists(path)
    except (OSError, ValueError):
        exists = False
    return read_settings(path, UserSettings) if exists else UserSettings()


def temporary_folder(prefix: str) -> Path:
    """A new private folder, which the caller removes. Raises VisualizerError if it cannot be created."""
    try:
        return Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as fault:
        raise VisualizerError(
            f"no temporary folder can be created: {reason_of(fault)}; TMPDIR can name another place"
        ) from fault


def is_file(path: Path) -> bool:
    """True if `path` is an ordinary file; False also if that cannot be determined, as without permissions or for a name
    that is too long. Path.is_file raises OSError then before Python 3.14.
    """
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """True if `path` is a folder; False also if that cannot be determined, see `is_file`."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_writable_folder(path: Path) -> bool:
    """True if the permissions of the folder `path` allow creating files; False also if they cannot be determined."""
    return is_folder(path) and os.access(path, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _folder(variable: str, default: Callable[[], str]) -> Path:
    asked = os.environ.get(variable, "")
    if not asked:
        try:
            folder = Path(default())
            if folder.parts[:1] != ("~",):  # older platformdirs return it, and a folder called "~" would be created
                return folder
        except RuntimeError:
            pass
        raise BadInput(f"HOME is not set and this user has no home folder; set HOME, or {variable} to a folder")
    try:
        # absolute: the program may change folder, and "~" is not expanded when the variable was set without a shell
        return Path(asked).expanduser().absolute()
    except (OSError, RuntimeError) as fault:
        raise BadInput(f"{variable}={asked!r} is not a usable folder: {fault}") from fault
