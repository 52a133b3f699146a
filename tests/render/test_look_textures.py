"""Textures that a look reads besides the dream: noise."""

from __future__ import annotations

import numpy as np

from visualizer.render.look_textures import noise_of


def test_the_channels_of_noise_are_each_other_moved_as_in_shadertoys():
    noise = noise_of(64, is_grey=False)
    assert noise.shape == (64, 64, 4) and np.array_equal(noise, noise_of(64, is_grey=False))
    for first, moved in ((0, 1), (2, 3)):
        assert np.array_equal(np.roll(noise[..., first], (17, 37), axis=(0, 1)), noise[..., moved])
    assert 100 < noise.mean() < 155 and noise.std() > 60


def test_grey_noise_is_opaque():
    noise = noise_of(8, is_grey=True)
    assert (noise[..., 3] == 255).all() and np.array_equal(noise[..., 0], noise[..., 2])
