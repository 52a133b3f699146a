"""A checkpoint comes back from its bytes exactly, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.dream.checkpoint import Checkpoint


def made(sizes: list[tuple[int, int]], depth_index: int = 3) -> Checkpoint:
    """A checkpoint of torch states, as a dream makes it."""
    generator = torch.Generator().manual_seed(7)
    return Checkpoint(depth_index, tuple(torch.rand(1, 3, *size, generator=generator) for size in sizes))


def content_of(checkpoint: Checkpoint) -> bytes:
    return b"".join(checkpoint.parts())


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_it_survives_as_bytes(sizes: list[tuple[int, int]], depth_index: int) -> None:
    checkpoint = made(sizes, depth_index)
    content = content_of(checkpoint)
    found = Checkpoint.from_bytes(bytearray(content))
    assert found.depth_index == depth_index
    assert found.sizes == checkpoint.sizes == sizes
    for before, after in zip(checkpoint.states, found.states, strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(np.asarray(before), after)
    assert content_of(found) == content


def test_it_takes_little_more_than_its_numbers() -> None:
    assert len(content_of(made([(20, 30), (40, 60)]))) < 12 * (20 * 30 + 40 * 60) + 100


def test_states_that_are_views_are_written_as_they_look() -> None:
    wide = torch.rand(1, 3, 8, 20)
    checkpoint = Checkpoint(1, (wide[:, :, :, 3:9], wide.permute(0, 1, 3, 2)))
    found = Checkpoint.from_bytes(content_of(checkpoint))
    for before, after in zip(checkpoint.states, found.states, strict=True):
        assert np.array_equal(np.asarray(before), after)


def test_it_does_not_change_with_the_buffer_it_came_from() -> None:
    content = bytearray(content_of(made([(4, 5)])))
    found = Checkpoint.from_bytes(content)
    before = found.states[0].copy()
    content[:] = bytes(len(content))
    assert np.array_equal(found.states[0], before)


CONTENT = content_of(made([(3, 4), (5, 6)]))


@given(place=st.integers(0, 8 * len(CONTENT) - 1))
@settings(max_examples=150, deadline=None)
def test_a_single_wrong_bit_is_refused(place: int) -> None:
    damaged = bytearray(CONTENT)
    damaged[place // 8] ^= 1 << place % 8
    with pytest.raises(ValueError, match="checkpoint of a dream"):
        Checkpoint.from_bytes(damaged)


@given(end=st.integers(0, len(CONTENT) - 1))
@settings(max_examples=60, deadline=None)
def test_one_that_ends_early_is_refused(end: int) -> None:
    with pytest.raises(ValueError, match="checkpoint of a dream"):
        Checkpoint.from_bytes(CONTENT[:end])


@pytest.mark.parametrize("content", [b"", b"\0" * 100, CONTENT + b"\0", CONTENT * 2, b"VIZFRAME" + CONTENT[8:]])
def test_other_bytes_are_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(ValueError, match="checkpoint of a dream") as error:
        Checkpoint.from_bytes(content)
    assert "\n" not in str(error.value)
