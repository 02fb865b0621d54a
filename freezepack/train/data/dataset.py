"""A data set in memory: uint8 images and labels in three splits, normalised batch by batch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freezepack.errors import UnknownNameError
from freezepack.train.data import DATASETS
from freezepack.train.device import find_device
from freezepack.train.order import Purpose, draw_order

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Split:
    """Images, uint8 of shape (n, channels, height, width), and labels, int64 of shape (n,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, order: Tensor) -> "Split":
        """Return the examples at the given positions."""
        return Split(self.images[order], self.labels[order])


@dataclass(frozen=True, slots=True)
class Dataset:
    """The splits of a data set, all on one device.

    Attributes
    ----------
    name : str
        Its name in `DATASETS`.
    splits : mapping of str to Split
        "train", "validation" and "test", or those that were asked for.
    mean, std : float32 Tensor, shape (channels, 1, 1)
        Of the training pixels, on the scale 0 to 255; inputs are normalised with them.
    classes : int
        Labels are below this.
    """

    name: str
    splits: Mapping[str, Split]
    mean: Tensor
    std: Tensor
    classes: int

    def split(self, name: str) -> Split:
        """Return a split.

        Raises
        ------
        UnknownNameError
            If there is none of that name, or it was not loaded.
        """
        if name not in self.splits:
            raise UnknownNameError(f"split of {self.name}", name, self.splits)
        return self.splits[name]

    def batch(
        self,
        split: Split,
        where: Tensor | slice,
        change: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return normalised float32 inputs and the labels of some examples.

        `change` is given the uint8 images before they are normalised.
        """
        chosen = split.images[where]
        images = (chosen if change is None else change(chosen)).to(torch.float32)
        return images.sub_(self.mean).div_(self.std), split.labels[where]


Parts = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Images of shape (n, height, width) or (n, channels, height, width), and labels."""


@dataclass(frozen=True, slots=True)
class Source:
    """How a data set is loaded, and what training on it takes unless told otherwise.

    Attributes
    ----------
    load : callable
        (data_dir, splits) -> split name to arrays; only what is asked for need be read.
    mean, std : float or tuple of float
        Of the training pixels as published, on the scale 0 to 1, for each channel.
    classes : int
        Labels are below this.
    epochs, score_batch, augmentation
        Defaults of `RunConfig`.
    """

    load: Callable[[Path | None, Iterable[str]], dict[str, Parts]]
    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    classes: int
    epochs: int
    score_batch: int
    augmentation: str = "none"


def load_data(
    name: str,
    data_dir: str | Path | None = None,
    splits: Iterable[str] = SPLITS,
    device: torch.device | str = "cpu",
) -> Dataset:
    """Load a data set into the memory of a device.

    Parameters
    ----------
    name : str
        A name of `DATASETS`.
    data_dir : path, optional
        Parent of the data set's folder. Without it: the environment variable FREEZEPACK_DATA,
        else files are downloaded once into the user's cache and checked. `digits` needs none.
    splits : iterable of str
        Of "train", "validation" and "test". Validation is drawn from the published training
        images by our generator with key 0, so it belongs to the data set and not to a run.
    device : torch.device or str
        Where the tensors are put.

    Raises
    ------
    UnknownNameError
        If there is no such data set, split or device.
    DataError
        If a file is missing or is not what it should be; the message names it.

    Examples
    --------
    >>> data = load_data("digits")
    >>> {name: len(split) for name, split in data.splits.items()}
    {'train': 1257, 'validation': 180, 'test': 360}
    """
    source: Source = DATASETS.get_part(name)
    wanted, device = tuple(splits), find_device(device)
    for split in wanted:
        if split not in SPLITS:
            raise UnknownNameError("split", split, SPLITS)
    loaded = source.load(None if data_dir is None else Path(data_dir), wanted)
    tensors = {
        key: Split(
            torch.from_numpy(images if images.ndim == 4 else images[:, None]).to(device),
            torch.from_numpy(labels.astype(np.int64)).to(device),
        )
        for key, (images, labels) in loaded.items()
    }
    mean, std = (
        (255 * torch.tensor(value, dtype=torch.float32, device=device)).reshape(-1, 1, 1)
        for value in (source.mean, source.std)
    )
    return Dataset(name, tensors, mean, std, source.classes)


def hold_out(parts: Parts, count: int) -> tuple[Parts, Parts]:
    """Divide examples into the rest and `count` drawn ones, each in published order.

    Examples
    --------
    >>> rest, drawn = hold_out((np.zeros((5, 1, 1), np.uint8), np.arange(5, dtype=np.uint8)), 2)
    >>> sorted([*rest[1].tolist(), *drawn[1].tolist()])
    [0, 1, 2, 3, 4]
    """
    images, labels = parts
    order = draw_order(len(labels), Purpose.validation, seed=0).numpy()
    drawn, rest = np.sort(order[:count]), np.sort(order[count:])
    return (images[rest], labels[rest]), (images[drawn], labels[drawn])
