"""`visualizer rehearse`: its arguments. What it does is watched in tests/show/test_never_blank.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.cli.run import run


@pytest.mark.parametrize(
    "arguments, status, words",
    [
        (["--minutes", "0.5"], 2, "--minutes 0.5 is out of range; allowed: 1 .. 1440"),
        (["--minutes", "nan"], 2, "--minutes nan is out of range"),
        (["--minutes", "long"], 2, "Invalid value for '--minutes'"),
        (["--seed", "-1"], 2, "--seed"),
        (["--size", "huge"], 2, "--size 'huge' is not a size"),
        (["--report", "no/such/folder/r.md"], 2, "there is no folder"),
        (["--report", "."], 2, ".: is a folder; name a file in it"),
        (["more"], 2, "more"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str], status: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert run(["rehearse", *arguments]) == status
    told = capsys.readouterr().err
    assert words in told and len(told.splitlines()) == 1


def test_without_a_display_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert run(["rehearse", "--minutes", "1"]) == 1
    assert "no display to rehearse on" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_preset_that_is_not_there(screen: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rehearse", "--preset", "cloudz"]) == 2
    assert "(did you mean 'clouds'?)" in capsys.readouterr().err
