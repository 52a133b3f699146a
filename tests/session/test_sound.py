import numpy as np
import pytest

from tests.session.recorded import decoded
from visualizer.session.sound import GRID, SoundPart, full_scale_for, on_grid


def noise(shape, level=0.3, seed=1):
    return (np.random.default_rng(seed).standard_normal(shape) * level).astype(np.float32)


def test_what_a_device_of_16_bits_delivers_is_on_the_grid_and_the_error_of_others_is_inaudible():
    whole = np.arange(-32768, 32768, dtype=np.float32) / 32768
    assert np.array_equal(on_grid(whole), whole)
    halves = (whole[:-1] + whole[1:]) / 2  # the mean of two channels
    assert np.array_equal(on_grid(halves), halves)
    sound = noise(48_000)
    error = on_grid(sound).astype(np.float64) - sound
    assert 20 * np.log10(np.sqrt(np.mean(error**2))) < -120
    assert np.array_equal(on_grid(on_grid(sound)), on_grid(sound))
    assert on_grid(sound).dtype == np.float32


def test_what_the_analyzer_takes_for_an_error_is_zero():
    bad = np.array([np.nan, np.inf, -np.inf, 16.5, -17, 1e30, 16.0, -16.0, 1.0, 0.0], np.float32)
    assert on_grid(bad).tolist() == [0, 0, 0, 0, 0, 0, 16 - 1 / GRID, -16 + 1 / GRID, 1.0, 0.0]


@pytest.mark.parametrize(
    ("samples", "scale"), [([], 1), ([0.0, -1.0], 1), ([1.0], 2), ([-1.5], 2), ([2.0], 4), ([-16.0], 16), ([15.9], 16)]
)
def test_full_scale_holds_the_samples(samples, scale):
    assert full_scale_for(np.array(samples, np.float32)) == scale


@pytest.mark.parametrize("n_channels", [1, 2, 4, 8])
@pytest.mark.parametrize("level", [0.1, 2.0])
@pytest.mark.parametrize("n_block", [1, 777, 5000])
def test_a_part_holds_the_samples_exactly_in_blocks_of_any_length(tmp_path, n_channels, level, n_block):
    sound = on_grid(noise((6000, n_channels), level))
    part = SoundPart(tmp_path / "part.flac", 44_100, n_channels, full_scale_for(sound))
    for at in range(0, len(sound), n_block):
        part.write(sound[at : at + n_block])
    part.finish()
    part.file.close()
    whole, rate_hz = decoded(part.path)
    assert rate_hz == 44_100 and part.n_samples == len(sound)
    assert np.array_equal(whole / 2**23 * part.full_scale, sound)


def test_a_part_can_be_read_while_it_is_written(tmp_path):
    sound = on_grid(noise((48_000, 1), 0.1))
    part = SoundPart(tmp_path / "part.flac", 48_000, 1, 1)
    for at in range(0, len(sound), 480):
        part.write(sound[at : at + 480])
        n_written = at + 480
        if n_written % 9600 == 0:
            whole, _ = decoded(part.path)
            assert n_written - len(whole) <= 0.05 * 48_000
            assert np.array_equal(whole / 2**23, sound[: len(whole)])
    part.file.close()


def test_no_file_is_replaced(tmp_path):
    (tmp_path / "part.flac").write_text("mine")
    with pytest.raises(FileExistsError):
        SoundPart(tmp_path / "part.flac", 48_000, 1, 1)
    assert (tmp_path / "part.flac").read_text() == "mine"
