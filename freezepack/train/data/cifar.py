"""CIFAR-10 and CIFAR-100, from the python files as published or packed without loss.

Packed, a file is one or more archives of 32 pixels wide WebP strips, 125 images below one another,
between the bytes of the original before (`head`) and after the pixels (`tail`). Either way the
bytes of the published file come out, and are compared with its published checksum.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import DataError, MissingExtraError
from freezepack.train.data.batches import read_batch
from freezepack.train.data.dataset import Parts, Source, hold_out
from freezepack.train.data.fetch import VARIABLE

_MOST_STRIP = 1 << 24
"""Bytes of an archive's entry, unpacked; the largest real one has 550,000."""


@dataclass(frozen=True, slots=True)
class Batches:
    """The published files of one of the two data sets.

    Attributes
    ----------
    folder, packed : str
        Folders inside the data directory: as published, and packed.
    train, test : tuple of str
        File names, in order.
    archives : mapping of str to tuple of str
        Packed only: the archives of a file, without ".zip", if not one of the same name.
    md5 : mapping of str to str
        File name to published checksum.
    labels : str
        Key of the labels in a file.
    classes : int
        Labels are below this.
    validation : int
        How many training images are held out.
    """

    folder: str
    packed: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    archives: Mapping[str, tuple[str, ...]]
    md5: Mapping[str, str]
    labels: str
    classes: int
    validation: int = 5_000


def load_cifar(batches: Batches, data_dir: Path | None, splits: Iterable[str]) -> dict[str, Parts]:
    """Read the splits that are asked for.

    Raises
    ------
    DataError
        If a file is missing, is not the published one, or is no CIFAR batch.
    MissingExtraError
        If the files are packed and Pillow is not installed.
    """
    wanted = tuple(splits)
    parts: dict[str, Parts] = {}
    if set(wanted) & {"train", "validation"}:
        rest, drawn = hold_out(_read(batches, batches.train, data_dir), batches.validation)
        parts |= {"train": rest, "validation": drawn}
    if "test" in wanted:
        parts["test"] = _read(batches, batches.test, data_dir)
    return {name: parts[name] for name in wanted}


def _read(batches: Batches, names: Iterable[str], data_dir: Path | None) -> Parts:
    images, labels = [], []
    for name in names:
        content, place = _content(batches, name, data_dir)
        if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != batches.md5[name]:
            raise DataError(f"{place}: has MD5 {found}, expected {batches.md5[name]} as published")
        pixels, classes = read_batch(content, batches.labels, batches.classes, place)
        images.append(pixels)
        labels.append(classes)
    return np.concatenate(images), np.concatenate(labels)


def _content(batches: Batches, name: str, data_dir: Path | None) -> tuple[bytes, str]:
    """Return the bytes of a published file, and where they are from."""
    chosen = data_dir or os.environ.get(VARIABLE)
    if not chosen:
        remedy = f"unpack the published archive into DIR/{batches.folder}/ and give --data-dir DIR"
        raise DataError(f"{batches.packed} is not downloaded automatically: {remedy}")
    plain = Path(chosen) / batches.folder / name
    if plain.is_file():
        return plain.read_bytes(), str(plain)
    archives = batches.archives.get(name, (name,))
    packed = [Path(chosen) / batches.packed / f"{archive}.zip" for archive in archives]
    if not packed[0].is_file():
        raise DataError(f"{plain} is missing, and so is {packed[0]}")
    try:
        return b"".join(piece for path in packed for piece in _pieces(path)), str(packed[0])
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{packed[0]}: cannot be unpacked ({error})") from error


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield what one archive adds to the original file, in order."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.file_size > _MOST_STRIP:
                raise ValueError(f"{entry.filename} has {entry.file_size} bytes unpacked")
            content = archive.read(entry)
            yield _pixels(content) if entry.filename.endswith(".webp") else content


def _pixels(strip: bytes) -> bytes:
    """Return the bytes of the images below one another in a strip, each by channel."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("Pillow", "images", "reading packed images") from None
    with Image.open(io.BytesIO(strip), formats=["WEBP"]) as image:
        pixels: NDArray[np.uint8] = np.asarray(image.convert("RGB"))
    images: bytes = pixels.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2).tobytes()
    return images


_CIFAR_10 = Batches(
    folder="cifar-10-batches-py",
    packed="cifar-10",
    train=tuple(f"data_batch_{i}" for i in range(1, 6)),
    test=("test_batch",),
    archives={},
    md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    labels="labels",
    classes=10,
)
_CIFAR_100 = Batches(
    folder="cifar-100-python",
    packed="cifar-100",
    train=("train",),
    test=("test",),
    archives={"train": tuple(f"train.{i}" for i in range(1, 6))},
    md5={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    },
    labels="fine_labels",
    classes=100,
)

CIFAR_10 = Source(
    partial(load_cifar, _CIFAR_10),
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    classes=10,
    epochs=160,
    score_batch=256,
    augmentation="crop-flip",
)
CIFAR_100 = Source(
    partial(load_cifar, _CIFAR_100),
    mean=(0.5071, 0.4865, 0.4409),
    std=(0.2673, 0.2564, 0.2762),
    classes=100,
    epochs=160,
    score_batch=256,
    augmentation="crop-flip",
)
