"""`visualizer cache`: which dreams are kept, and removing them: those asked for, and nothing else."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

from tests.cli.running import here, refused
from tests.fixtures.pulse import wait_until
from visualizer.presets.cache import FrameCache, Note

DAY_S = 86_400


@pytest.fixture
def cache(home):
    """Two dreams of clouds, used now and 10 days ago, one of marble used 40 days ago, and one without a note; other
    files.
    """
    cache = FrameCache(home / "cache", 10**9)
    kept = [("clouds", 0), ("clouds", 10), ("marble", 40), (None, 5)]
    for number, (preset, days) in enumerate(kept):
        key = f"{number:064x}"
        for index in range(3):
            cache.save(key, index, np.zeros((90, 160, 3), np.uint8))
        if preset is not None:
            note = Note(preset=preset, image="", layer="block10.expand", width=160, height=90, n_depths=2 + number)
            cache.describe(key, note)
        used_at = time.time() - days * DAY_S
        os.utime(cache.entry_folder(key), (used_at, used_at))
    (home / "cache" / "README").write_text("mine")
    (home / "cache" / "holiday").mkdir()
    return cache


def kept(cache):
    return [int(entry.key, 16) for entry in sorted(cache.entries(), key=lambda entry: entry.key)]


def others_stay(cache):
    return (cache.folder / "README").read_text() == "mine" and (cache.folder / "holiday").is_dir()


def test_a_list_of_what_is_kept(cache):
    ran = here("cache", "list")
    assert ran.returncode == 0 and ran.stderr == ""
    lines = ran.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["clouds", "?", "clouds", "marble"]
    assert "160x90" in lines[1] and "2 of 3" in lines[3] and "2 of 4" in lines[4]
    assert lines[5] == f"4 dreams, 1 MB of at most 5.0 GB, in {cache.folder}"
    told = json.loads(here("cache", "list", "--json").stdout)
    assert told["n_bytes"] == sum(entry["n_bytes"] for entry in told["dreams"]) and told["max_bytes"] == 5e9
    assert [entry["note"] and entry["note"]["preset"] for entry in told["dreams"]] == [
        "clouds",
        None,
        "clouds",
        "marble",
    ]
    assert here("cache").stdout == ran.stdout


def test_an_empty_cache(home):
    assert here("cache", "list").stdout == f"0 dreams, 0 MB of at most 5.0 GB, in {home / 'cache'}\n"
    ran = here("cache", "clear", "--yes")
    assert ran.returncode == 0 and "nothing to remove" in ran.stdout
    assert not (home / "cache").exists()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ([], []),
        (["--preset", "clouds"], [2, 3]),
        (["--older-than", "7"], [0, 3]),
        (["--older-than", "7", "--preset", "clouds"], [0, 2, 3]),
        (["--older-than", "99"], [0, 1, 2, 3]),
    ],
)
def test_what_is_asked_for_is_removed_and_nothing_else(cache, options, left):
    ran = here("cache", "clear", "--yes", *options)
    assert ran.returncode == 0 and ran.stderr == ""
    assert kept(cache) == left and others_stay(cache)
    assert ("removed" in ran.stdout) == (len(left) < 4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["4 dreams, 1 MB would be removed", "--yes"]),
        (["--yes", "--preset", "cluods"], ["cluods", "'clouds'"]),
        (["--yes", "--older-than", "-1"], ["--older-than -1", "0 or more"]),
        (["--yes", "--older-than", "nan"], ["--older-than nan"]),
        (["--yes", "--older-than", "long"], ["--older-than"]),
    ],
)
def test_wrong_use_removes_nothing(cache, options, words):
    refused(here("cache", "clear", *options), *words)
    assert kept(cache) == [0, 1, 2, 3]


def test_on_a_terminal_it_asks(cache, terminal):
    for key, status, left in ((b"n\n", 1, [0, 1, 2, 3]), (b"y\n", 0, [])):
        opened = terminal("cache", "clear")
        wait_until(lambda opened=opened: "[y/N]" in opened.raw)
        assert "Remove 4 dreams, 1 MB from" in opened.raw
        opened.type(key)
        assert opened.ended() == status
        assert kept(cache) == left and others_stay(cache)


@pytest.mark.slow
def test_a_bake_writes_down_what_it_is_of(tiny_preset, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 36), (90, 60, 30)).save(tmp_path / "holiday.png")
    for options in ([], ["--image", tmp_path / "holiday.png"]):
        assert here("bake", "-p", tiny_preset, "--size", "64x48", *options).returncode == 0
    lines = here("cache", "list").stdout.splitlines()
    assert lines[1].startswith("tiny, holiday.png ") and lines[2].startswith("tiny ")
    assert "block2.expand" in lines[1] and "64x48" in lines[1] and " 4 " in lines[1]
