"""Augmentation on the device, a batch at a time; what is done to an image comes from a word.

The words are drawn by the generator from seed and epoch, one for each training image, so a
resumed run and another batch size see the same images.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from freezepack.random import words
from freezepack.registry import Entry, Registry
from freezepack.train.order import Purpose, stream_of

AUGMENTATIONS = Registry(
    "augmentation",
    {
        "none": Entry("freezepack.train.augment:none", "images as they are"),
        "shift": Entry("freezepack.train.augment:shift", "moved by up to 2 pixels, for digits"),
        "crop-flip": Entry(
            "freezepack.train.augment:crop_flip",
            "moved by up to 4 pixels and mirrored half of the time, the standard of CIFAR",
        ),
    },
)


def draw_words(count: int, *, seed: int, epoch: int) -> Tensor:
    """Return a word for each of `count` training images: int64 Tensor, 0 to 2**32 - 1.

    Examples
    --------
    >>> draw_words(2, seed=1, epoch=1).shape
    torch.Size([2])
    """
    drawn = np.empty(count, np.uint32)
    words(drawn, key=seed, stream=stream_of(Purpose.augmentation, epoch))
    return torch.from_numpy(drawn.astype(np.int64))


def none(images: Tensor, drawn: Tensor) -> Tensor:
    """Return the images as they are."""
    return images


def shift(images: Tensor, drawn: Tensor) -> Tensor:
    """Move each image by -2 to 2 pixels either way; what comes in is 0.

    Parameters
    ----------
    images : uint8 Tensor, shape (n, channels, height, width)
        Not changed.
    drawn : int64 Tensor, shape (n,)
        Words. The 25 moves are equally likely.

    Examples
    --------
    >>> image = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    >>> image[0, 0, 2, 2] = 9
    >>> shift(image, torch.tensor([0]))[0, 0, 4, 4].item()
    9
    """
    place = drawn % 25
    return _move(images, place // 5, place % 5, pixels=2)


def crop_flip(images: Tensor, drawn: Tensor) -> Tensor:
    """Move each image by -4 to 4 pixels either way, and mirror it left to right half of the time.

    Parameters
    ----------
    images, drawn
        As for `shift`. The 162 outcomes are equally likely.
    """
    place = drawn % 162
    moved = _move(images, place // 2 // 9, place // 2 % 9, pixels=4)
    return torch.where((place % 2 == 1)[:, None, None, None], moved.flip(3), moved)


def _move(images: Tensor, down: Tensor, right: Tensor, pixels: int) -> Tensor:
    """Cut a window out of each padded image that begins at row `down` and column `right`."""
    count, channels, height, width = images.shape
    padded = F.pad(images, (pixels,) * 4)
    rows = down[:, None] + torch.arange(height, device=images.device)
    columns = right[:, None] + torch.arange(width, device=images.device)
    each = torch.arange(count, device=images.device)[:, None, None, None]
    planes = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[each, planes, rows[:, None, :, None], columns[:, None, None, :]]
