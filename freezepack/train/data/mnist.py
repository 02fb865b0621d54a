"""MNIST and Fashion-MNIST, from the files as published."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from freezepack.errors import DataError
from freezepack.train.data.dataset import Parts, Source, hold_out
from freezepack.train.data.fetch import Published
from freezepack.train.data.idx import read_idx

_VALIDATION = 5_000
_COUNTS = {"train": 60_000, "t10k": 10_000}

_MNIST_FILES = Published(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte.gz": (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        "train-labels-idx1-ubyte.gz": (
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
        "t10k-images-idx3-ubyte.gz": (
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
    },
)
_FASHION_FILES = Published(
    "fashion-mnist",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    {
        "train-images-idx3-ubyte.gz": (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        "train-labels-idx1-ubyte.gz": (
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
        ),
        "t10k-images-idx3-ubyte.gz": (
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
        ),
    },
)


def load_published(
    files: Published, data_dir: Path | None, splits: Iterable[str]
) -> dict[str, Parts]:
    """Read the splits that are asked for; the training file only if it is needed.

    Raises
    ------
    DataError
        If a file is missing, broken or has labels above 9.
    """
    wanted = tuple(splits)
    parts: dict[str, Parts] = {}
    if set(wanted) & {"train", "validation"}:
        rest, drawn = hold_out(_read(files, "train", data_dir), _VALIDATION)
        parts |= {"train": rest, "validation": drawn}
    if "test" in wanted:
        parts["test"] = _read(files, "t10k", data_dir)
    return {name: parts[name] for name in wanted}


def _read(files: Published, which: str, data_dir: Path | None) -> Parts:
    images = files.find(f"{which}-images-idx3-ubyte.gz", data_dir)
    labels = files.find(f"{which}-labels-idx1-ubyte.gz", data_dir)
    count = _COUNTS[which]
    classes = read_idx(labels, (count,))
    if classes.max() > 9:
        raise DataError(f"{labels}: has label {classes.max()}, expected 0 to 9")
    return read_idx(images, (count, 28, 28)), classes


MNIST = Source(
    partial(load_published, _MNIST_FILES),
    mean=0.1307,
    std=0.3081,
    classes=10,
    epochs=30,
    score_batch=1000,
)
FASHION_MNIST = Source(
    partial(load_published, _FASHION_FILES),
    mean=0.2860,
    std=0.3530,
    classes=10,
    epochs=30,
    score_batch=1000,
)
