import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from tests.files.disks import full_disk, locked_folder
from visualizer.errors import VisualizerError
from visualizer.presets.cache import FrameCache, Note
from visualizer.settings import DreamSettings

SHAPE = (36, 64, 3)
N_DEPTHS = 5
BIG = 10**9
FRAME_BYTES = 36 * 64 * 3 + 100
ENTRY_BYTES = (N_DEPTHS + 1) * FRAME_BYTES


def frames_of(seed, shape=SHAPE, n_depths=N_DEPTHS):
    return list(np.random.default_rng(seed).integers(0, 256, (n_depths + 1, *shape), dtype=np.uint8))


def key_of(seed):
    return f"{seed:064x}"


def fill(cache, seed, frames=None):
    frames = frames or frames_of(seed)
    return [cache.save(key_of(seed), index, frame) for index, frame in enumerate(frames)]


def same(loaded, frames):
    return loaded is not None and len(loaded) == len(frames) and all(map(np.array_equal, loaded, frames))


def used_at(cache, seed, moment):
    os.utime(cache.entry_folder(key_of(seed)), (moment, moment))


def test_what_is_saved_is_loaded_by_another_run(tmp_path):
    assert all(fill(FrameCache(tmp_path / "deep" / "er", BIG), 1))
    cache = FrameCache(tmp_path / "deep" / "er", BIG)
    loaded = cache.load(key_of(1), N_DEPTHS, SHAPE)
    assert same(loaded, frames_of(1)) and cache.last_fault is None
    assert all(frame.dtype == np.uint8 and frame.flags.writeable and frame.flags.c_contiguous for frame in loaded)


def test_frames_that_are_views(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    frames = [frame[:, ::-1] for frame in frames_of(1)]
    fill(cache, 1, frames)
    assert same(cache.load(key_of(1), N_DEPTHS, SHAPE), frames)


def test_nothing_there(tmp_path):
    cache = FrameCache(tmp_path / "none", BIG)
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert cache.load_begun(key_of(1), N_DEPTHS, SHAPE) == []
    cache.trim()
    assert cache.last_fault is None and not (tmp_path / "none").exists()


def test_the_key_follows_everything_that_shapes_the_dream(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    image = frames_of(1)[0]
    dream = DreamSettings()
    base = cache.key(image, dream, "net 1")
    assert cache.key(image.copy(), DreamSettings(), "net 1") == base
    assert cache.key(np.asfortranarray(image), dream, "net 1") == base
    other = image.copy()
    other[0, 0, 0] ^= 1
    keys = {base, cache.key(other, dream, "net 1"), cache.key(image, dream, "net 2")}
    keys.add(cache.key(image.reshape(64, 36, 3), dream, "net 1"))
    changes = {
        "layer": "block6.expand",
        "channels": "0:3",
        "guide": "another.jpg",
        "blend": 0.7,
        "n_depths": 19,
        "n_octaves": 4,
        "octave_scale": 1.5,
        "steps_per_depth": 1,
    }
    changes |= {
        "step_size": 0.02,
        "smoothing_px": 1.0,
        "smoothing_growth_px": 1.5,
        "colour": 0.1,
        "jitter_px": 3,
        "contrast_growth": 0.5,
        "saturation_growth": 0.5,
        "fine_growth": 0.5,
        "clipped_growth": 0.5,
        "tone": "duotone",
        "tone_strength": 0.3,
        "tone_colours": ["#102030"],
        "tone_picture": "another.jpg",
        "seed": 7,
    }
    assert set(changes) | {"network"} == set(DreamSettings.model_fields)
    keys |= {cache.key(image, dream.model_copy(update={name: value}), "net 1") for name, value in changes.items()}
    assert len(keys) == 4 + len(changes)


def test_an_unfinished_bake_is_not_loaded_but_can_be_resumed(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    frames = frames_of(1)
    for index in (0, 1, 2, 4):
        cache.save(key_of(1), index, frames[index])
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert same(cache.load_begun(key_of(1), N_DEPTHS, SHAPE), frames[:3])
    assert cache.last_fault is None


def damaged(kind, path, cache):
    data = bytearray(path.read_bytes())
    if kind == "truncated":
        path.write_bytes(data[:-1])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "longer":
        path.write_bytes(data + b"\0")
    elif kind == "zeroed tail":  # what a power cut leaves
        path.write_bytes(data[:4096] + bytes(len(data) - 4096))
    elif kind == "text":
        path.write_bytes(b"hello " * (len(data) // 6) + b"!" * (len(data) % 6))
    elif kind == "other depth":
        shutil.copy(path.with_name("001.frame"), path)
    elif kind == "other dream":
        fill(cache, 2)
        shutil.copy(cache.entry_folder(key_of(2)) / path.name, path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "other shape":
        cache.save(key_of(1), 3, np.zeros((64, 36, 3), np.uint8))
    elif kind == "other version":
        data[8] += 1
        path.write_bytes(data)


@pytest.mark.parametrize(
    "kind",
    [
        "truncated",
        "empty",
        "longer",
        "zeroed tail",
        "text",
        "other depth",
        "other dream",
        "other shape",
        "other version",
    ],
)
def test_a_damaged_frame_is_found_told_once_and_baked_again(tmp_path, kind, caplog):
    cache = FrameCache(tmp_path, BIG)
    fill(cache, 1)
    path = cache.entry_folder(key_of(1)) / "003.frame"
    damaged(kind, path, cache)
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert "damaged" in cache.last_fault and "\n" not in cache.last_fault
    assert len(caplog.records) == 1
    assert not path.exists()
    again = FrameCache(tmp_path, BIG)
    assert again.load(key_of(1), N_DEPTHS, SHAPE) is None and again.last_fault is None
    assert same(again.load_begun(key_of(1), N_DEPTHS, SHAPE), frames_of(1)[:3])
    fill(again, 1)
    assert same(again.load(key_of(1), N_DEPTHS, SHAPE), frames_of(1))


def test_a_folder_where_a_frame_should_be(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    fill(cache, 1)
    damaged("folder", cache.entry_folder(key_of(1)) / "003.frame", cache)
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert len(cache.load_begun(key_of(1), N_DEPTHS, SHAPE)) == 3


def test_any_flipped_bit_is_found(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    fill(cache, 1)
    path = cache.entry_folder(key_of(1)) / "000.frame"
    good = path.read_bytes()
    rng = random.Random(5)
    places = [*range(0, 100 * 8, 3), *(rng.randrange(len(good) * 8) for _ in range(200))]
    for place in places:
        bad = bytearray(good)
        bad[place // 8] ^= 1 << place % 8
        path.write_bytes(bad)
        assert cache.load_begun(key_of(1), N_DEPTHS, SHAPE) == [], f"bit {place} was not noticed"


def test_wrong_use_is_told(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    for key in ("", "..", "A" * 64, "../" + "0" * 61, "0" * 63):
        with pytest.raises(ValueError, match="key"):
            cache.save(key, 0, frames_of(1)[0])
    for index, frame in ((-1, frames_of(1)[0]), (1000, frames_of(1)[0]), (0, frames_of(1)[0].astype(float))):
        with pytest.raises(ValueError, match="frame"):
            cache.save(key_of(1), index, frame)
    assert not list(tmp_path.iterdir())


PASSED = Note(preset="p", image="", layer="l", width=64, height=36, n_depths=N_DEPTHS, is_passing=True)


def filled(tmp_path, n_entries, *, passing):
    """A cache for so many dreams, the first of them used first; passing: those that are stations of a live journey."""
    cache = FrameCache(tmp_path, n_entries * (ENTRY_BYTES + 1000))
    for seed in range(n_entries + 1):
        fill(FrameCache(tmp_path, BIG), seed)
        cache.describe(key_of(seed), PASSED.model_copy(update={"is_passing": seed in passing}))
        used_at(cache, seed, 1000 + seed)
    return cache


def kept(cache):
    return sorted(int(entry.key, 16) for entry in cache.entries())


def test_stations_that_a_live_journey_has_passed_go_before_older_dreams(tmp_path):
    cache = filled(tmp_path, 9, passing={3, 4, 5, 6, 7, 8, 9})
    cache.trim()
    assert kept(cache) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_where_they_take_no_more_than_their_part_the_least_recently_used_go_first(tmp_path):
    cache = filled(tmp_path, 9, passing={3, 4, 5, 9})
    cache.trim()
    assert kept(cache) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_dream_of_another_show_does_not_become_one_that_was_passed(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    fill(cache, 1)
    cache.describe(key_of(1), PASSED.model_copy(update={"is_passing": False}))
    cache.describe(key_of(1), PASSED)
    assert not cache.entries()[0].note.is_passing
    fill(cache, 2)
    cache.describe(key_of(2), PASSED)
    cache.describe(key_of(2), PASSED.model_copy(update={"is_passing": False}))
    assert not any(entry.note.is_passing for entry in cache.entries())


def test_the_least_recently_used_go_first(tmp_path):
    cache = FrameCache(tmp_path, 3 * ENTRY_BYTES)
    for seed, moment in ((1, 3000), (2, 1000), (3, 2000)):
        fill(cache, seed)
        used_at(cache, seed, moment)
    fill(cache, 4)
    assert [cache.load(key_of(seed), N_DEPTHS, SHAPE) is not None for seed in (1, 2, 3, 4)] == [True, False, True, True]
    assert not cache.entry_folder(key_of(2)).exists()
    assert cache.last_fault is None


def test_loading_counts_as_use(tmp_path):
    moment = [5000.0]
    cache = FrameCache(tmp_path, BIG, now=lambda: moment[0])
    for seed in (1, 2, 3):
        fill(cache, seed)
        used_at(cache, seed, 1000 * seed)
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is not None
    small = FrameCache(tmp_path, 2 * ENTRY_BYTES)
    small.trim()
    assert sorted(path.name for path in tmp_path.iterdir()) == [key_of(1), key_of(3)]


def test_the_cap_holds_whatever_is_saved(tmp_path):
    cache = FrameCache(tmp_path, 4 * ENTRY_BYTES)
    for seed in range(12):
        fill(cache, seed)
        assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 4 * ENTRY_BYTES
        assert cache.load(key_of(seed), N_DEPTHS, SHAPE) is not None


def test_a_cap_smaller_than_one_dream(tmp_path):
    cache = FrameCache(tmp_path, ENTRY_BYTES // 2)
    kept = fill(cache, 1)
    assert kept[0] and not kept[-1]
    assert "max_gb" in cache.last_fault
    assert not list(tmp_path.iterdir())
    fill(cache, 2, frames_of(2, n_depths=1))
    assert cache.load(key_of(2), 1, SHAPE) is not None


def test_junk_is_left_alone_and_does_no_harm(tmp_path):
    cache = FrameCache(tmp_path, 2 * ENTRY_BYTES)
    fill(cache, 1)
    entry = cache.entry_folder(key_of(1))
    junk = [tmp_path / "README", tmp_path / "0123", tmp_path / key_of(9), entry / "notes.txt", entry / "003.frame.bak"]
    for path in junk:
        path.write_bytes(b"x" * 50_000)
    (tmp_path / "holiday").mkdir()
    (entry / "photos").mkdir()
    assert same(cache.load(key_of(1), N_DEPTHS, SHAPE), frames_of(1))
    used_at(cache, 1, 1000)
    for seed in (2, 3, 4):
        fill(cache, seed)
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert all(path.is_file() for path in junk) and (tmp_path / "holiday").is_dir() and (entry / "photos").is_dir()
    assert same(cache.load(key_of(4), N_DEPTHS, SHAPE), frames_of(4))
    assert cache.save(key_of(9), 0, frames_of(9)[0]) is False and cache.last_fault


def test_leftovers_of_killed_processes_go_fresh_ones_stay(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    fill(cache, 1)
    old, fresh = (cache.entry_folder(key_of(1)) / f".002-{digit * 16}.part" for digit in "ab")
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    FrameCache(tmp_path, BIG).trim()
    assert not old.exists() and fresh.exists()


def test_a_folder_that_may_not_be_written_to(caplog):
    with locked_folder() as folder:
        cache = FrameCache(folder / "cache", BIG)
        assert not any(fill(cache, 1))
        assert "not kept" in cache.last_fault and "Permission denied" in cache.last_fault
        assert len(caplog.records) == 1
        assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None


def test_a_folder_that_may_not_be_entered(caplog):
    with locked_folder(0o700) as folder:
        cache = FrameCache(folder / "cache", BIG)
        assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
        assert cache.load_begun(key_of(1), N_DEPTHS, SHAPE) == []
        assert cache.glance(key_of(1), 0, SHAPE) is None and cache.load_checkpoint(key_of(1)) is None
        assert not any(fill(cache, 1))
        assert "not kept" in cache.last_fault and "Permission denied" in cache.last_fault
        assert "damaged" not in caplog.text
        cache.drop_checkpoint(key_of(1))
        cache.trim()


def test_a_name_too_long_for_the_disk(tmp_path):
    cache = FrameCache(tmp_path / ("x" * 300), BIG)
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert not any(fill(cache, 1)) and "name too long" in cache.last_fault


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    cache = FrameCache(tmp_path / "cache", BIG)
    assert not any(fill(cache, 1))
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None
    assert cache.last_fault


def test_a_full_disk(tmp_path):
    shape = (200, 300, 3)
    with full_disk(tmp_path, 128 * 1024) as folder:
        cache = FrameCache(folder, BIG)
        assert not all(fill(cache, 1, frames_of(1, shape)))
        assert "not kept" in cache.last_fault
        assert cache.load(key_of(1), N_DEPTHS, shape) is None
        assert not [path for path in folder.rglob("*") if path.suffix == ".part"]


def test_a_full_disk_is_logged_once_until_it_has_room_again(tmp_path, caplog):
    """However many dreams cannot be kept."""
    folder = tmp_path / "cache"
    folder.write_text("no folder can be made here")
    cache = FrameCache(folder, BIG)
    for seed in (1, 2, 3):
        assert not any(fill(cache, seed)) and "not kept" in cache.last_fault
    assert len([one for one in caplog.records if one.levelname == "WARNING"]) == 1
    folder.unlink()
    assert not any(fill(cache, 1))
    cache.try_again()
    assert all(fill(cache, 1))
    shutil.rmtree(folder)
    folder.write_text("full again")
    assert not any(fill(cache, 4))
    assert len([one for one in caplog.records if one.levelname == "WARNING"]) == 2


def test_an_entry_thrown_out_while_it_is_written(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    cache.save(key_of(1), 0, frames_of(1)[0])
    shutil.rmtree(cache.entry_folder(key_of(1)))
    assert cache.save(key_of(1), 1, frames_of(1)[1])
    assert cache.load(key_of(1), N_DEPTHS, SHAPE) is None


def test_many_threads_save_load_and_trim_one_folder(tmp_path):
    """Whatever happens at once, a load gives None or exactly what was saved."""
    wrong = []

    def work(number):
        rng = random.Random(number)
        cache = FrameCache(tmp_path, 3 * ENTRY_BYTES)
        for _ in range(40):
            seed = rng.randrange(5)
            fill(cache, seed)
            loaded = cache.load(key_of(seed), N_DEPTHS, SHAPE)
            if loaded is not None and not same(loaded, frames_of(seed)):
                wrong.append(seed)
            cache.trim()
            if cache.last_fault and "damaged" in cache.last_fault:
                wrong.append(cache.last_fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong


BAKER = """
    import sys
    from pathlib import Path
    import numpy as np
    from visualizer.presets.cache import FrameCache

    cache = FrameCache(Path(sys.argv[1]), 10**9)
    frames = np.random.default_rng(1).integers(0, 256, (6, 720, 1280, 3), dtype=np.uint8)
    print("going", flush=True)
    for _ in range(int(sys.argv[2])):
        for index, frame in enumerate(frames):
            assert cache.save("1".zfill(64), index, frame)
        loaded = cache.load("1".zfill(64), 5, frames.shape[1:])
        assert loaded is not None and all(map(np.array_equal, loaded, frames)), cache.last_fault
"""


def baker(folder, n_rounds):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(BAKER), str(folder), str(n_rounds)], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_bake_the_same_dream_at_once(tmp_path):
    bakers = [baker(tmp_path, 8) for _ in range(2)]
    assert [process.wait(120) for process in bakers] == [0, 0]
    assert len(list((tmp_path / key_of(1)).iterdir())) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.slow
def test_kill_9_in_the_middle_of_saving(tmp_path):
    frames = list(np.random.default_rng(1).integers(0, 256, (6, 720, 1280, 3), dtype=np.uint8))
    rng = random.Random(3)
    for _ in range(6):
        process = baker(tmp_path, 10**6)
        try:
            assert process.stdout.readline() == "going\n"
            with pytest.raises(subprocess.TimeoutExpired):  # let it get anywhere in its work
                process.wait(rng.uniform(0.001, 0.03))
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        finally:
            process.kill()
            process.stdout.close()
        cache = FrameCache(tmp_path, BIG)
        found = cache.load_begun(key_of(1), 5, (720, 1280, 3))
        assert cache.last_fault is None
        assert same(found, frames[: len(found)])
    leftovers = list(tmp_path.rglob("*.part"))
    for path in leftovers:
        os.utime(path, (1000, 1000))
    FrameCache(tmp_path, BIG).trim()
    assert not list(tmp_path.rglob("*.part"))


NOTE = Note(preset="clouds", image="", layer="block10.expand", width=64, height=36, n_depths=N_DEPTHS)


def test_entries_tell_what_is_kept_the_last_used_first(tmp_path):
    cache = FrameCache(tmp_path, BIG, now=lambda: 5000.0)
    for seed in (1, 2, 3):
        fill(cache, seed)
    cache.describe(key_of(1), NOTE)
    cache.describe(key_of(9), NOTE)  # there is no such dream
    (cache.entry_folder(key_of(2)) / "004.frame").unlink()
    (cache.entry_folder(key_of(3)) / "note.json").write_text('{"preset": 5}')
    for seed, moment in ((1, 1000), (2, 3000), (3, 2000)):
        used_at(cache, seed, moment)
    (tmp_path / "holiday").mkdir()
    entries = cache.entries()
    assert [(entry.key, entry.age_s, entry.n_frames, entry.note) for entry in entries] == [
        (key_of(2), 2000.0, N_DEPTHS, None),
        (key_of(3), 3000.0, N_DEPTHS + 1, None),
        (key_of(1), 4000.0, N_DEPTHS + 1, NOTE),
    ]
    assert all(entry.n_bytes > 5 * 36 * 64 * 3 for entry in entries)
    assert FrameCache(tmp_path / "none", BIG).entries() == []


def test_a_dream_that_is_removed_leaves_only_what_is_not_ours(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    for seed in (1, 2):
        fill(cache, seed)
        cache.describe(key_of(seed), NOTE)
        cache.save_checkpoint(key_of(seed), [b"x"])
    foreign = cache.entry_folder(key_of(2)) / "photo.jpg"
    foreign.write_text("mine")
    assert cache.remove(key_of(1)) and cache.remove(key_of(2)) and cache.remove(key_of(3))
    assert not cache.entry_folder(key_of(1)).exists()
    assert list(cache.entry_folder(key_of(2)).iterdir()) == [foreign]
    fill(cache, 1)
    assert same(cache.load(key_of(1), N_DEPTHS, SHAPE), frames_of(1))


def test_a_note_that_cannot_be_written_is_no_fault():
    with locked_folder() as folder:
        cache = FrameCache(folder, BIG)
        cache.describe(key_of(1), NOTE)
        assert cache.last_fault is None and cache.entries() == []
    with locked_folder(0o700) as folder, pytest.raises(VisualizerError, match="cannot be read: Permission denied"):
        FrameCache(folder / "cache", BIG).entries()


def test_a_checkpoint_is_kept_in_place_of_the_one_before_and_dropped(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    assert cache.load_checkpoint(key_of(1)) is None
    cache.drop_checkpoint(key_of(1))
    assert cache.save_checkpoint(key_of(1), [b"one", memoryview(b"two")])
    assert cache.save_checkpoint(key_of(1), [b"three"])
    assert FrameCache(tmp_path, BIG).load_checkpoint(key_of(1)) == b"three"
    cache.drop_checkpoint(key_of(1))
    assert cache.load_checkpoint(key_of(1)) is None and cache.last_fault is None


def test_a_checkpoint_counts_and_goes_with_its_dream(tmp_path):
    cache = FrameCache(tmp_path, 3 * FRAME_BYTES)
    cache.save(key_of(1), 0, frames_of(1)[0])
    assert cache.save_checkpoint(key_of(1), [bytes(FRAME_BYTES)])
    for index in (0, 1):
        assert cache.save(key_of(2), index, frames_of(2)[index])
    assert not cache.entry_folder(key_of(1)).exists(), "the older dream goes, checkpoint and all"
    assert len(cache.load_begun(key_of(2), N_DEPTHS, SHAPE)) == 2


def test_a_checkpoint_half_written_is_never_seen(tmp_path):
    cache = FrameCache(tmp_path, BIG)
    cache.save_checkpoint(key_of(1), [b"before"])

    def parts():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.save_checkpoint(key_of(1), parts())
    assert cache.load_checkpoint(key_of(1)) == b"before"
    assert [file.name for file in cache.entry_folder(key_of(1)).iterdir()] == ["checkpoint"]


def test_a_checkpoint_that_cannot_be_kept_is_no_fault_for_the_user(tmp_path):
    folder = tmp_path / "a file in the way"
    folder.write_text("")
    cache = FrameCache(folder, BIG)
    assert not cache.save_checkpoint(key_of(1), [b"x"])
    assert cache.load_checkpoint(key_of(1)) is None and cache.last_fault is None
