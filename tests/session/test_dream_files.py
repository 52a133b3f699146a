import hashlib

import numpy as np
import pytest
from PIL import Image

from visualizer.session.dream_files import encode_png, pixel_sha256, write_dream


def frames():
    rng = np.random.default_rng(3)
    yield rng.integers(0, 256, (36, 64, 3), np.uint8)
    yield np.zeros((1, 1, 3), np.uint8)
    yield np.full((7, 5, 3), 255, np.uint8)
    yield rng.integers(0, 256, (40, 50, 3), np.uint8)[::2, ::2]  # not contiguous


@pytest.mark.parametrize("frame", list(frames()), ids=lambda frame: str(frame.shape))
@pytest.mark.parametrize("compress", [True, False])
def test_a_dream_frame_comes_back_as_it_was(tmp_path, frame, compress):
    path = tmp_path / "dream.png"
    n_bytes = write_dream(path, frame, compress=compress)
    assert n_bytes == path.stat().st_size
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), frame)
    assert [one.name for one in tmp_path.iterdir()] == ["dream.png"]


def test_it_is_compressed():
    smooth = np.linspace(0, 255, 64 * 36 * 3).astype(np.uint8).reshape(36, 64, 3)
    assert len(encode_png(smooth)) < len(encode_png(smooth, compress=False)) / 4


def test_the_hash_is_of_the_pixels():
    frame = next(frames())
    assert pixel_sha256(frame) == hashlib.sha256(frame.tobytes()).hexdigest()
    assert pixel_sha256(frame[::-1]) == hashlib.sha256(frame[::-1].tobytes()).hexdigest()
