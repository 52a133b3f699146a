"""What `make` sets up: the script for real, in a folder of its own, without a package index; and the lower bounds."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.oldest import oldest
from visualizer.diagnostics.doctor.machine import fits

ROOT = Path(__file__).resolve().parent.parent


def set_up(folder: Path, purpose: str = "run", **env: str) -> subprocess.CompletedProcess[str]:
    without_index = {"PYTHON": sys.executable, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "TORCH")}
    return subprocess.run(
        ["sh", str(folder / "tools" / "setup.sh"), purpose],
        env={**kept, **without_index, **env},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("tools/setup.sh", "tools/oldest.py", "pyproject.toml", "constraints.txt", "visualizer/__init__.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="the script needs a POSIX shell; Windows installs with pip alone")
class TestScript:
    @pytest.mark.parametrize(
        ("purpose", "torch", "said"),
        [
            ("run", "gpu", "setup: TORCH=gpu is neither cpu nor cuda; name one of them or leave TORCH out\n"),
            ("all", "", "setup: all is not one of: run, dev, test, oldest\n"),
        ],
    )
    def test_wrong_use_is_one_line(self, checkout: Path, purpose: str, torch: str, said: str) -> None:
        done = set_up(checkout, purpose, TORCH=torch)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
        assert not (checkout / ".venv").exists()

    @pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux has a choice of torch builds")
    @pytest.mark.slow
    def test_a_failure_of_pip_is_short_and_names_the_way_out(self, checkout: Path) -> None:
        done = set_up(checkout)
        assert done.returncode == 1
        assert re.search(r"^setup: torch [\d.]+, (default|CUDA) build", done.stdout, re.MULTILINE), done.stdout
        *shown, last = done.stderr.splitlines()
        assert len(shown) <= 20 and any("No matching distribution" in line for line in shown)
        assert last.startswith("setup: pip could not install the packages; ") and ".setup.log" in last
        assert "No matching distribution" in (checkout / ".setup.log").read_text()
        # what is asked for by name is not replaced by a download of gigabytes
        done = set_up(checkout, TORCH="cpu")
        assert done.returncode == 1 and "default build" not in done.stdout
        assert done.stderr.startswith("setup: TORCH=cpu: ") and done.stderr.count("\n") == 1


def test_a_lower_bound_is_a_version_and_not_above_the_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = (ROOT / "constraints.txt").read_text().lower().replace("_", "-").splitlines()
    pinned = dict(line.split("==") for line in pins if "==" in line)
    for line in oldest(project):
        name, _, version = line.lower().replace("_", "-").partition("==")
        assert fits(pinned[name], f">={version}"), line


@pytest.mark.parametrize("requirement", ["numpy", "numpy>2", "numpy>=2.0,<3"])
def test_a_requirement_without_one_lower_bound_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="has no lower bound of the form"):
        oldest({"name": "kickdream", "dependencies": [requirement], "optional-dependencies": {}})
