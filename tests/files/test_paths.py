import sys
from pathlib import Path

import pytest

from visualizer.errors import BadInput, VisualizerError
from visualizer.files import paths
from visualizer.settings import UserSettings

VARIABLES = {
    "VISUALIZER_CACHE_DIR": paths.cache_folder,
    "VISUALIZER_LOG_DIR": paths.log_folder,
    "VISUALIZER_CONFIG_DIR": paths.config_folder,
    "VISUALIZER_NETWORKS_DIR": paths.networks_folder,
    "VISUALIZER_SESSIONS_DIR": paths.sessions_folder,
    "VISUALIZER_GRABS_DIR": paths.grabs_folder,
}


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_platform_decides_unless_the_variable_is_set(tmp_path, monkeypatch, variable):
    monkeypatch.delenv(variable, raising=False)
    usual = VARIABLES[variable]()
    assert usual.is_absolute() and "visualizer" in usual.parts
    monkeypatch.setenv(variable, "")
    assert VARIABLES[variable]() == usual
    monkeypatch.setenv(variable, str(tmp_path / "own"))
    assert VARIABLES[variable]() == tmp_path / "own"
    assert not (tmp_path / "own").exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "own")
    assert VARIABLES[variable]() == tmp_path / "own"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv(variable, "~/own")
    assert VARIABLES[variable]() == tmp_path / "own"


def test_a_home_nobody_has(monkeypatch):
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", "~nobody-at-all/x")
    with pytest.raises(BadInput, match="VISUALIZER_CACHE_DIR"):
        paths.cache_folder()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows finds the home folder without HOME")
def test_without_a_home_no_folder_called_tilde_is_made(monkeypatch):
    """A process whose user is not in the list of users and that was started without HOME."""
    import pwd

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME", "VISUALIZER_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput, match="set HOME, or VISUALIZER_CACHE_DIR"):
        paths.cache_folder()
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: "~/.cache/visualizer")  # as older versions do
    with pytest.raises(BadInput, match="set HOME, or VISUALIZER_CACHE_DIR"):
        paths.cache_folder()
    monkeypatch.setenv("VISUALIZER_CACHE_DIR", "/somewhere")
    assert paths.cache_folder() == Path("/somewhere")


def test_user_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path / "none"))
    assert paths.load_user_settings() == UserSettings()
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path))
    file = tmp_path / "settings.yaml"
    file.write_text("cache: {max_gb: 2}\nlog_level: debug\n")
    loaded = paths.load_user_settings()
    assert (loaded.cache.max_gb, loaded.log_level) == (2.0, "debug")
    file.write_text("cache: {max_gb: 0}\n")
    with pytest.raises(BadInput, match=r"settings\.yaml:1: cache\.max_gb: 0 .*above 0"):
        paths.load_user_settings()


def test_settings_that_cannot_be_read_are_not_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path))
    Path(tmp_path / "settings.yaml").symlink_to(tmp_path / "gone.yaml")
    with pytest.raises(BadInput, match="no such file"):
        paths.load_user_settings()


def test_where_no_temporary_folder_can_be_made_it_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(VisualizerError, match=r"no temporary folder can be created: .*; TMPDIR can name another"):
        paths.temporary_folder("x-")


@pytest.mark.skipif(sys.platform == "win32", reason="folders of other systems are spelled by this one's rules")
def test_the_documents_name_the_folders_of_every_platform(monkeypatch):
    """docs/settings.md and docs/uninstall.md, against what platformdirs says on each system."""
    from platformdirs.macos import MacOS
    from platformdirs.unix import Unix

    for name in ("CACHE", "STATE", "DATA", "CONFIG"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    pages = [
        (Path(__file__).resolve().parents[2] / "docs" / name).read_text() for name in ("settings.md", "uninstall.md")
    ]
    for kind in (Unix, MacOS):
        dirs = kind("visualizer", appauthor=False)
        for folder in (dirs.user_cache_dir, dirs.user_log_dir, dirs.user_data_dir, dirs.user_config_dir):
            shown = folder.replace(str(Path.home()), "~")
            assert all(shown.removesuffix("/log") in page for page in pages), shown
