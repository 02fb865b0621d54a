"""Small affine changes of images."""

import torch
from hypothesis import given, settings
from hypothesis.strategies import integers

from freezepack.rate.affine import affine


def blob(row: int, column: int) -> torch.Tensor:
    image = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    image[0, 0, row : row + 4, column : column + 4] = 200
    return image


def centre(image: torch.Tensor) -> tuple[float, float]:
    weights = image[0, 0].double()
    places = torch.arange(28, dtype=torch.float64)
    total = weights.sum()
    return float((weights.sum(1) * places).sum() / total), float(
        (weights.sum(0) * places).sum() / total
    )


@settings(max_examples=50, deadline=None)
@given(integers(0, 2**32 - 1))
def test_an_image_moves_by_two_pixels_and_a_turn_at_most(word: int) -> None:
    image = blob(12, 12)
    moved = affine(image, torch.tensor([word]))
    down, right = centre(moved)
    # two pixels, stretched by up to 12 % and slanted, and half a pixel for rounding
    assert abs(down - 13.5) < 3.0
    assert abs(right - 13.5) < 3.0
    assert moved.dtype == torch.uint8


def test_strength_zero_changes_nothing() -> None:
    images = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    words = torch.tensor([0, 123456789, 2**32 - 1])
    assert torch.equal(affine(images, words, strength=0.0), images)


def test_the_lowest_bits_turn_and_the_highest_move_down() -> None:
    middle = 0b100000_100000_10000_10000_10000_10000  # each parameter just above its middle
    ends = []
    for down in (0, 63):
        word = (middle & ~(63 << 26)) | (down << 26)
        ends.append(centre(affine(blob(12, 12), torch.tensor([word])))[0])
    # the map says where a pixel comes from: a move down in it is a move up of the image
    assert 3.5 < ends[0] - ends[1] < 4.1
    turned = affine(blob(2, 12), torch.tensor([middle | 31]))
    straight = affine(blob(2, 12), torch.tensor([middle]))
    assert abs(centre(turned)[1] - centre(straight)[1]) > 1.5


def test_images_with_other_words_differ() -> None:
    images = blob(12, 12).expand(2, 1, 28, 28)
    moved = affine(images, torch.tensor([5, 2**31 + 77]))
    assert not torch.equal(moved[0], moved[1])
