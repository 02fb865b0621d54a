"""Augmented copies of the training images, made once each, with what a teacher says of them."""

from collections.abc import Callable
from math import floor

import torch
from torch import Tensor, nn

from freezepack.errors import UnknownNameError
from freezepack.rate.affine import affine
from freezepack.train.augment import AUGMENTATIONS, draw_words
from freezepack.train.data.dataset import Dataset

_CHUNK = 1000
AFFINE = "affine"


class Copies:
    """The training images, changed in a given number of ways.

    A network that sees each image in 16 ways learns as well as from ever new ones, and whatever
    is slow, a teacher above all, is asked once per copy. Copies are made when they are first
    needed and kept in memory.

    Parameters
    ----------
    data : Dataset
        Needs the split "train".
    count : int
        Number of copies, which epochs take in turn.
    plain : float
        Share of the epochs that take the images as they are.
    augmentation : str
        "affine", or a name of `AUGMENTATIONS`; with "none" all epochs take the images.
    strength : float
        Of "affine".
    seed : int
        The words of each copy are drawn from it.
    """

    def __init__(
        self,
        data: Dataset,
        count: int,
        augmentation: str,
        *,
        plain: float = 0.0,
        strength: float = 1.0,
        seed: int,
    ) -> None:
        self._data, self._seed, self._plain = data, seed, plain
        self._change = _find(augmentation, strength)
        self._count = 0 if augmentation == "none" else count
        self._images: dict[int, Tensor] = {}
        self._answers: dict[int, Tensor] = {}

    def number(self, epoch: int) -> int:
        """Return the copy of an epoch, from 1; 0 for the images as they are.

        Examples
        --------
        >>> from freezepack.train.data.dataset import load_data
        >>> copies = Copies(load_data("digits"), 3, "affine", plain=0.4, seed=1)
        >>> [copies.number(epoch) for epoch in range(1, 11)]
        [1, 2, 0, 3, 0, 1, 2, 0, 3, 0]
        """
        plain = floor(epoch * self._plain)
        if not self._count or plain > floor((epoch - 1) * self._plain):
            return 0
        return (epoch - plain - 1) % self._count + 1

    def images(self, epoch: int) -> Tensor:
        """Return the uint8 images of an epoch."""
        number = self.number(epoch)
        original = self._data.split("train").images
        if not number:
            return original
        if number not in self._images:
            drawn = draw_words(len(original), seed=self._seed, epoch=number)
            drawn = drawn.to(original.device)
            parts = zip(torch.split(original, _CHUNK), torch.split(drawn, _CHUNK), strict=True)
            self._images[number] = torch.cat([self._change(some, words) for some, words in parts])
        return self._images[number]

    def answers(self, epoch: int, teacher: nn.Module) -> Tensor:
        """Return the teacher's logits on the images of an epoch: float16, shape (n, classes)."""
        number = self.number(epoch)
        if number not in self._answers:
            found = [
                teacher(self.normalise(some)).to(torch.float16)
                for some in torch.split(self.images(epoch), _CHUNK)
            ]
            self._answers[number] = torch.cat(found)
        return self._answers[number]

    def normalise(self, images: Tensor) -> Tensor:
        """Return uint8 images as a network sees them."""
        return images.to(torch.float32).sub_(self._data.mean).div_(self._data.std)


def _find(augmentation: str, strength: float) -> Callable[[Tensor, Tensor], Tensor]:
    if augmentation == AFFINE:
        return lambda images, drawn: affine(images, drawn, strength)
    if augmentation not in AUGMENTATIONS:
        raise UnknownNameError("augmentation", augmentation, (AFFINE, *AUGMENTATIONS))
    change: Callable[[Tensor, Tensor], Tensor] = AUGMENTATIONS.get_part(augmentation)
    return change
