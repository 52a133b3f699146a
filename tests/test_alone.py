"""Tests in processes of their own go the way they go there."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import os
import pytest

here = int(os.environ.setdefault("HERE", str(os.getpid())))  # the first to read this

@pytest.mark.alone
def test_in_another_process():
    assert os.getpid() != here

@pytest.mark.alone
@pytest.mark.parametrize("word", ["a b", "c"])
def test_bad(word):
    assert word == "c", "not so: " + word

@pytest.mark.alone
def test_left_out():
    pytest.skip("no such thing here")  # on purpose: whether that is told is looked at below

def test_with_the_others():
    assert os.getpid() == here
"""


@pytest.mark.slow
def test_passed_failed_and_skipped(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    pytester.makeconftest("pytest_plugins = ['tests.fixtures.alone']")
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_subprocess("-rs", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=3, failed=1, skipped=1)
    done.stdout.fnmatch_lines(["*not so: a b*", "*no such thing here*"])
