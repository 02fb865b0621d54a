"""The embedded digits: 8x8 pixels brought to 28x28 by an integer rule."""

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from freezepack.train.data.dataset import Parts, Source, hold_out

_TEST = 360
_VALIDATION = 180


def load_digits(data_dir: Path | None, splits: Iterable[str]) -> dict[str, Parts]:
    """Read the archive in the package; `data_dir` is not used.

    360 images are drawn for the test and 180 of the rest for validation, by our generator with
    key 0.
    """
    archive = resources.files("freezepack.data") / "digits.npz"
    with archive.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        images, labels = enlarge(arrays["images"]), arrays["labels"]
    rest, test = hold_out((images, labels), _TEST)
    train, validation = hold_out(rest, _VALIDATION)
    parts = {"train": train, "validation": validation, "test": test}
    return {name: parts[name] for name in splits}


def enlarge(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring 8x8 images with values 0 to 16 to 28x28 images with values 0 to 255.

    Parameters
    ----------
    images : uint8 array, shape (n, 8, 8)

    Returns
    -------
    uint8 array, shape (n, 28, 28)

    Notes
    -----
    Bilinear between pixel centres, edges held: output pixel i lies at (2 i + 1) / 7 - 1/2 input
    pixels. All in integers (fourteenths of a pixel), rounded once, halves up.

    Examples
    --------
    >>> enlarge(np.full((1, 8, 8), 16, np.uint8))[0, 0, :3].tolist()
    [255, 255, 255]
    """
    places = np.clip(4 * np.arange(28) - 5, 0, 98)  # in fourteenths of an input pixel
    low, part = places // 14, places % 14
    high = np.minimum(low + 1, 7)
    wide = images.astype(np.int64)
    rows = wide[:, low] * (14 - part)[:, None] + wide[:, high] * part[:, None]
    both = rows[:, :, low] * (14 - part) + rows[:, :, high] * part
    scale = 16 * 14 * 14
    return ((both * 510 + scale) // (2 * scale)).astype(np.uint8)


SOURCE = Source(load_digits, mean=0.3044, std=0.3244, classes=10, epochs=40, score_batch=1000)
