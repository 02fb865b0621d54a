"""Augmentation: moves and mirrors by words, the same for any batch size."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from freezepack.train.augment import AUGMENTATIONS, crop_flip, draw_words, none, shift


def image(height: int = 6, width: int = 6) -> torch.Tensor:
    return torch.arange(1, height * width + 1, dtype=torch.uint8).reshape(1, 1, height, width)


@pytest.mark.parametrize(("word", "down", "right"), [(12, 0, 0), (25 + 12, 0, 0), (0, -2, -2)])
def test_a_shift_moves_the_window_and_fills_with_zeros(word: int, down: int, right: int) -> None:
    moved = shift(image(), torch.tensor([word]))[0, 0]
    for row in range(6):
        for column in range(6):
            i, j = row + down, column + right
            inside = 0 <= i < 6 and 0 <= j < 6
            assert moved[row, column] == (image()[0, 0, i, j] if inside else 0)


def test_crop_and_flip_reach_every_place_and_both_sides() -> None:
    words = torch.arange(162)
    images = image(10, 10).expand(162, 1, 10, 10)
    outcomes = {tuple(out.reshape(-1).tolist()) for out in crop_flip(images, words)}
    assert len(outcomes) == 162
    # word 80 stays where it is, 81 is its mirror image
    assert torch.equal(crop_flip(image(), torch.tensor([80])), image())
    assert torch.equal(crop_flip(image(), torch.tensor([81])), image().flip(3))


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8))
def test_an_image_does_not_depend_on_its_batch(drawn: list[int]) -> None:
    images = torch.randint(0, 256, (len(drawn), 3, 8, 8), dtype=torch.uint8)
    words = torch.tensor(drawn)
    for change in (shift, crop_flip, none):
        whole = change(images, words)
        parts = [change(images[i : i + 1], words[i : i + 1]) for i in range(len(drawn))]
        assert torch.equal(whole, torch.cat(parts))
        assert (whole.dtype, whole.shape) == (torch.uint8, images.shape)


def test_words_differ_by_epoch_and_seed_and_are_those_of_the_generator() -> None:
    words = {(s, e): draw_words(4, seed=s, epoch=e).tolist() for s in (1, 2) for e in (1, 2)}
    assert len({tuple(drawn) for drawn in words.values()}) == 4
    assert draw_words(2, seed=1, epoch=1).tolist() == words[1, 1][:2]
    assert all(0 <= word < 2**32 for drawn in words.values() for word in drawn)


def test_every_augmentation_of_the_table_keeps_shape_and_type() -> None:
    images, words = torch.zeros(2, 3, 32, 32, dtype=torch.uint8), torch.tensor([5, 6])
    for name in AUGMENTATIONS:
        assert AUGMENTATIONS.get_part(name)(images, words).shape == images.shape
