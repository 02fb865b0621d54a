"""CIFAR files are read as published or packed, and nothing in them is executed."""

import hashlib
import io
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freezepack.errors import DataError
from freezepack.train.data.batches import read_batch
from freezepack.train.data.cifar import Batches, load_cifar
from freezepack.train.data.dataset import load_data
from tests.published import PUBLISHED

IMAGES = np.arange(8 * 3072, dtype=np.uint32).astype(np.uint8).reshape(8, 3072)
LABELS = [3, 1, 4, 1, 5, 9, 2, 6]


def pickled(**changes: Any) -> bytes:
    """A batch as Python 3 writes it for Python 2, keys of bytes as in the published files."""
    entries = {"data": IMAGES, "labels": LABELS, "filenames": ["a.png"] * 8} | changes
    return pickle.dumps({key.encode(): value for key, value in entries.items()}, protocol=2)


def batches(content: bytes) -> Batches:
    md5 = hashlib.md5(content).hexdigest()
    return Batches("py", "zips", ("one",), ("two",), {}, {"one": md5, "two": md5}, "labels", 10, 3)


def as_published(folder: Path, content: bytes) -> None:
    (folder / "py").mkdir()
    for name in ("one", "two"):
        (folder / "py" / name).write_bytes(content)


def test_images_are_channels_of_32_by_32_and_labels_keep_their_order() -> None:
    images, labels = read_batch(pickled(), "labels", 10, "a")
    assert images.shape == (8, 3, 32, 32)
    assert images.dtype == np.uint8
    assert images[1, 2, 0, 0] == (3072 + 2048) % 256
    assert images[7].reshape(-1).tolist() == IMAGES[7].tolist()
    assert labels.tolist() == [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_any_protocol_and_keys_of_text_are_read(protocol: int) -> None:
    content = pickle.dumps({"data": IMAGES, "fine_labels": LABELS}, protocol=protocol)
    images, labels = read_batch(content, "fine_labels", 100, "a")
    assert (images.size, labels.size) == (8 * 3072, 8)


class Attack:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch attacked",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_asks_for_a_function_is_refused(
    protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"data": IMAGES, "labels": LABELS, "x": Attack()}, protocol=protocol)
    with pytest.raises(DataError, match=r"batch \(it asks for (posix|nt)\.system, which no batch"):
        read_batch(content, "labels", 10, "a")
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize("name", ["eval", "getattr", "bytearray", "exec"])
def test_not_even_builtins_are_within_reach(name: str) -> None:
    content = b"cbuiltins\n" + name.encode() + b"\n."
    with pytest.raises(DataError, match=f"it asks for builtins.{name}, which no batch needs"):
        read_batch(content, "labels", 10, "a")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"data": IMAGES.astype(np.uint16)}, r"elements of type .*, expected 'u1'"),
        ({"data": IMAGES[:, :-1].copy()}, r"array of shape \(8, 3071\)"),
        ({"data": np.asfortranarray(IMAGES)}, "not made of bytes in C order"),
        ({"data": b"abc"}, "'data' is no array of bytes with 3072 columns"),
        ({"labels": [10, *LABELS[1:]]}, "'labels' is not a list of 8 numbers from 0 to 9"),
        ({"labels": [True, *LABELS[1:]]}, "'labels' is not a list of 8 numbers from 0 to 9"),
        ({"labels": LABELS[1:]}, "'labels' is not a list of 8 numbers from 0 to 9"),
    ],
)
def test_other_content_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_batch(pickled(**changes), "labels", 10, "a")


def test_missing_entries_and_other_objects_are_named() -> None:
    with pytest.raises(DataError, match="a: has no entry 'fine_labels'"):
        read_batch(pickled(), "fine_labels", 10, "a")
    with pytest.raises(DataError, match="a: holds a list, expected a dictionary"):
        read_batch(pickle.dumps([1]), "labels", 10, "a")


def test_a_batch_cut_anywhere_is_refused() -> None:
    content = pickled()
    for cut in [*range(200), *range(200, len(content), 997)]:
        with pytest.raises(DataError, match=r"^a: "):
            read_batch(content[:cut], "labels", 10, "a")


def test_validation_is_drawn_from_the_training_files(tmp_path: Path) -> None:
    as_published(tmp_path, pickled())
    parts = load_cifar(batches(pickled()), tmp_path, ("train", "validation", "test"))
    assert {name: len(labels) for name, (_, labels) in parts.items()} == {
        "train": 5,
        "validation": 3,
        "test": 8,
    }
    seen = [*parts["train"][1].tolist(), *parts["validation"][1].tolist()]
    assert sorted(seen) == sorted(LABELS)


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    as_published(tmp_path, pickled())
    other = batches(pickled(labels=LABELS[::-1]))
    with pytest.raises(DataError, match=r"py/two: has MD5 [0-9a-f]{32}, expected [0-9a-f]{32} as"):
        load_cifar(other, tmp_path, ("test",))


def test_missing_files_are_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"py/two is missing, and so is .*zips/two.zip"):
        load_cifar(batches(b""), tmp_path, ("test",))
    monkeypatch.delenv("FREEZEPACK_DATA", raising=False)
    with pytest.raises(DataError, match="unpack the published archive into DIR/py/ and give"):
        load_cifar(batches(b""), None, ("test",))


def pack(folder: Path, content: bytes, images: np.ndarray[Any, Any]) -> None:
    """Write one archive as `data/README.md` describes it: head, strips, tail."""
    pil = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    (folder / "zips").mkdir()
    head = content.index(images.tobytes())
    with zipfile.ZipFile(folder / "zips" / "two.zip", "w") as archive:
        archive.writestr("head", content[:head])
        for first in (0, len(images) // 2):
            half = images.reshape(-1, 3, 32, 32)[first : first + len(images) // 2]
            strip = half.transpose(0, 2, 3, 1).reshape(-1, 32, 3)
            out = io.BytesIO()
            pil.fromarray(np.ascontiguousarray(strip)).save(out, "WEBP", lossless=True, exact=True)
            archive.writestr(f"{first}.webp", out.getvalue())
        archive.writestr("tail", content[head + images.size :])


def test_packed_files_give_the_bytes_of_the_published_ones(tmp_path: Path) -> None:
    content = pickle.dumps({"data": IMAGES, "labels": LABELS}, protocol=4)
    pack(tmp_path, content, IMAGES)
    images, labels = load_cifar(batches(content), tmp_path, ("test",))["test"]
    assert images.tobytes() == IMAGES.tobytes()
    assert labels.tolist() == LABELS


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips" / "two.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"two.zip: cannot be unpacked \(File is not a zip file\)"):
        load_cifar(batches(b""), tmp_path, ("test",))
    with zipfile.ZipFile(tmp_path / "zips" / "two.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("head", bytes(1 << 25))
    with pytest.raises(DataError, match="head has 33554432 bytes unpacked"):
        load_cifar(batches(b""), tmp_path, ("test",))


def test_several_archives_make_one_file(tmp_path: Path) -> None:
    content = pickle.dumps({"data": IMAGES, "labels": LABELS}, protocol=4)
    (tmp_path / "zips").mkdir()
    for name, part in (("two.1", content[:100]), ("two.2", content[100:])):
        with zipfile.ZipFile(tmp_path / "zips" / f"{name}.zip", "w") as archive:
            archive.writestr("head", part)
    split = replace(batches(content), archives={"two": ("two.1", "two.2")})
    assert load_cifar(split, tmp_path, ("test",))["test"][1].tolist() == LABELS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar-10", "cifar-100"])
def test_the_published_sets_are_whole(name: str) -> None:
    if not any(PUBLISHED.glob("cifar-*")):
        pytest.skip("CIFAR is not here: set FREEZEPACK_DATA to the parent of cifar-10/")
    data = load_data(name, PUBLISHED)
    sizes = {key: len(split) for key, split in data.splits.items()}
    assert sizes == {"train": 45_000, "validation": 5_000, "test": 10_000}
    counts = data.split("test").labels.bincount()
    assert counts.tolist() == [10_000 // data.classes] * data.classes
    pixels, _ = data.batch(data.split("train"), slice(0, 2000))
    assert pixels.shape == (2000, 3, 32, 32)
    assert pixels.mean((0, 2, 3)).abs().max() < 0.05
    assert (pixels.std((0, 2, 3)) - 1).abs().max() < 0.05
