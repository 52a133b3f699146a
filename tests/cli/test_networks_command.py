"""`visualizer networks` as a user types it: the list at several widths, and fetching from a server on this machine."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import here, refused, visualizer
from tests.files.web import Site, dead_address, serving
from visualizer.networks import NETWORKS

CONTENT = bytes(range(256)) * 500

# the program, with one network's address replaced by that of a server on this machine
PROGRAM = """
import dataclasses, hashlib, sys
from visualizer.networks import NETWORKS
url, sha256, *arguments = sys.argv[1:]
NETWORKS["vgg16"] = dataclasses.replace(NETWORKS["vgg16"], url=url, sha256=sha256)
from visualizer.cli import main
main(arguments)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISUALIZER_NETWORKS_DIR", str(tmp_path / "networks"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path / "networks"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(CONTENT) as site:
        yield site


def start(site: Site, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, site.url, hashlib.sha256(CONTENT).hexdigest(), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    with start(site, *arguments) as process:
        output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def on_a_terminal(n_columns: int) -> list[str]:
    """What `visualizer networks` writes on a terminal of that width, line by line."""
    fcntl, pty = pytest.importorskip("fcntl"), pytest.importorskip("pty")
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, n_columns, 0, 0))
    environment = {**os.environ, "TERM": "dumb"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "visualizer", "networks"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        try:
            while block := os.read(ours, 65536):
                written += block
        except OSError:  # the other end was closed
            pass
    os.close(ours)
    assert process.returncode == 0
    return written.decode().replace("\r\n", "\n").splitlines()


def names_everything(lines: list[str]) -> None:
    for info in NETWORKS.values():
        row = next(line for line in lines if line.startswith(info.name + " "))
        for word in (str(info.year), f"{info.n_bytes / 1e6:.0f} MB", info.licence, info.origin):
            assert word in row
        for layer in info.layers:
            assert any(layer.name in line and layer.dreams in line for line in lines)


@pytest.mark.parametrize("n_columns", [80, 100])
def test_the_list_on_a_terminal(n_columns: int) -> None:
    lines = on_a_terminal(n_columns)
    names_everything(lines)
    assert all(len(line) <= n_columns for line in lines)
    assert len(lines) < 60


def test_the_list_in_a_pipe(folder: Path) -> None:
    listed = visualizer("networks")
    assert listed.returncode == 0 and listed.stderr == ""
    lines = listed.stdout.splitlines()
    names_everything(lines)
    assert "\x1b" not in listed.stdout
    assert [line.split()[0] for line in lines if " yes " in line] == ["efficientnet-lite0"]
    assert "`visualizer networks get inception5h`" in lines[-1]
    assert not folder.exists()


@pytest.mark.slow
def test_fetching(site: Site, folder: Path) -> None:
    fetched = run(site, "networks", "get", "vgg16")
    assert (fetched.returncode, fetched.stdout) == (0, f"vgg16 installed: {folder / 'vgg16-397923af.pth'}\n")
    assert "vgg16" in fetched.stderr  # the bar
    assert (folder / "vgg16-397923af.pth").read_bytes() == CONTENT
    again = run(site, "networks", "get", "vgg16")
    assert again.stdout.startswith("vgg16 was already installed: ") and again.stderr == "" and len(site.asked) == 1
    listed = run(site, "networks")
    assert [line.split()[0] for line in listed.stdout.splitlines() if " yes " in line] == [
        "efficientnet-lite0",
        "vgg16",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_interrupted_it_says_so_and_goes_on_the_next_time(site: Site, folder: Path, number: int) -> None:
    part = folder / "vgg16-397923af.pth.part"
    site.waits_after = 50_000
    with start(site, "networks", "get", "vgg16") as process:
        while not (part.exists() and part.stat().st_size == 50_000):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 1 and output == ""
    assert errors.splitlines()[-1] == "visualizer: interrupted; `visualizer networks get vgg16` resumes the download"
    site.waits_after = None
    assert run(site, "networks", "get", "vgg16").returncode == 0
    assert site.ranges == ["", "bytes=50000-"]


@pytest.mark.slow
def test_faults_are_one_line(site: Site, folder: Path) -> None:
    refused(here("networks", "get", "vgg"), "'vgg'", "did you mean 'vgg16'")
    refused(here("networks", "get"), "NAME", "networks get --help")
    refused(here("networks", "fetch"), "fetch", "networks --help")
    site.content = b"another"
    line = run(site, "networks", "get", "vgg16")
    assert line.returncode == 1 and "not the file expected" in line.stderr.splitlines()[-1]
    site.status = 404
    refused(run(site, "networks", "get", "vgg16"), "404", status=1)
    with dead_address() as dead:
        refused(visualizer("networks", "get", "vgg16", https_proxy=dead), "cannot be reached", status=1)
    refused(here("networks", "get", "vgg16", VISUALIZER_NETWORKS_DIR="~nobody-at-all/x"), "NETWORKS_DIR")
    folder.rmdir()
    folder.write_text("")
    refused(run(site, "networks", "get", "vgg16"), "cannot be written", "VISUALIZER_NETWORKS_DIR", status=1)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from visualizer.cli.run import run\n"
        "for words in (['networks', '--help'], ['networks', 'get', '-h']): assert run(words) == 0\n"
        "print(sorted({'torch', 'numpy', 'httpx', 'PIL'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
