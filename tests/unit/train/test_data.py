"""Data sets: the published files, read strictly; splits that belong to the data set."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from freezepack.errors import DataError, UnknownNameError
from freezepack.train.data import DATASETS
from freezepack.train.data.dataset import Source, hold_out, load_data
from freezepack.train.data.digits import enlarge
from freezepack.train.data.fetch import Published
from freezepack.train.data.idx import read_idx
from freezepack.train.order import Purpose, draw_order

HEADER = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])


def test_digits_need_no_files_and_their_splits_are_fixed() -> None:
    data = load_data("digits")
    sizes = {name: tuple(split.images.shape) for name, split in data.splits.items()}
    assert sizes == {
        "train": (1257, 1, 28, 28),
        "validation": (180, 1, 28, 28),
        "test": (360, 1, 28, 28),
    }
    assert data.split("test").labels[:12].tolist() == [0, 2, 0, 7, 8, 9, 5, 5, 0, 8, 3, 2]
    assert int(data.split("train").images.sum()) == 76_494_287


def test_every_digit_is_in_exactly_one_split() -> None:
    data = load_data("digits")
    counts = sum(torch.bincount(split.labels) for split in data.splits.values())
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # type: ignore[union-attr]


def test_inputs_are_normalised_batch_by_batch() -> None:
    data = load_data("digits", splits=["train"])
    inputs, labels = data.batch(data.split("train"), slice(None))
    assert inputs.dtype == torch.float32
    assert (round(inputs.mean().item(), 3), round(inputs.std().item(), 3)) == (0.0, 1.0)
    assert labels.dtype == torch.int64
    assert data.split("train").images.dtype == torch.uint8


def test_enlarging_is_bilinear_in_integers() -> None:
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, :, 1] = 14
    row = enlarge(image)[0, 9].tolist()
    # output pixel i lies at (4 i - 5) / 14 input pixels; 14 of 16 is 223.125 of 255
    assert row[:9] == [0, 0, 48, 112, 175, 207, 143, 80, 16]
    assert sum(row[9:]) == 0
    assert enlarge(np.full((1, 8, 8), 16, np.uint8)).tolist() == [[[255] * 28] * 28]


def test_a_split_that_was_not_loaded_is_named() -> None:
    data = load_data("digits", splits=["test"])
    with pytest.raises(UnknownNameError, match="no split of digits named 'train'"):
        data.split("train")


@pytest.mark.parametrize("name", list(DATASETS))
def test_an_unknown_split_is_named_before_a_file_is_looked_for(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"no split named 'tset'\. Did you mean 'test'\?"):
        load_data(name, "/nowhere", splits=["train", "tset"])


@pytest.mark.parametrize("name", ["cdu", "cuda:99"])
def test_a_device_that_is_not_here_is_named_with_those_that_are(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no device named '{name}'.*Known: cpu"):
        load_data("digits", device=name)


def test_held_out_examples_are_drawn_by_the_generator_and_belong_to_the_data_set() -> None:
    images, labels = np.arange(10, dtype=np.uint8).reshape(10, 1, 1), np.arange(10, dtype=np.uint8)
    rest, drawn = hold_out((images, labels), 3)
    expected = sorted(draw_order(10, Purpose.validation, seed=0)[:3].tolist())
    assert drawn[1].tolist() == expected
    assert rest[1].tolist() == [i for i in range(10) if i not in expected]
    assert (rest[0].reshape(-1) == rest[1]).all()


def test_purposes_and_epochs_have_their_own_orders() -> None:
    orders = {
        tuple(draw_order(50, purpose, seed=1, epoch=epoch).tolist())
        for purpose in Purpose
        for epoch in range(3)
    }
    assert len(orders) == 3 * len(Purpose)


def test_all_sources_of_the_table_are_complete() -> None:
    for name in DATASETS:
        source = DATASETS.get_part(name)
        assert isinstance(source, Source)
        assert source.classes >= 2
        assert source.epochs >= 1


def test_an_idx_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(HEADER + bytes(range(6))))
    assert read_idx(path, (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "begins with , expected 00000802"),
        (HEADER[:7], r"has shape \(\), expected \(2, 3\)"),
        (bytes([0, 0, 9, 2]) + HEADER[4:] + bytes(6), "begins with 00000902, expected 00000802"),
        (HEADER[:8] + bytes([0, 0, 0, 4]) + bytes(8), r"has shape \(2, 4\), expected \(2, 3\)"),
        (HEADER + bytes(5), "17 bytes, expected 18 bytes after unpacking"),
        (HEADER + bytes(7), "more than 18 bytes after unpacking"),
        (HEADER + bytes(10**6), "more than 18 bytes after unpacking"),
    ],
)
def test_an_idx_file_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=problem):
        read_idx(path, (2, 3))


def test_a_file_that_is_cut_or_no_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    whole = gzip.compress(HEADER + bytes(6))
    for content in (whole[:-9], whole[:15], whole[:5], b"plain text", whole[:-8] + bytes(8)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.gz: "):
            read_idx(path, (2, 3))


def test_a_missing_file_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = r"train-labels-idx1-ubyte\.gz is missing; --data-dir is .*: give the parent of mnist/"
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").touch()
    with pytest.raises(DataError, match=problem):
        load_data("mnist", tmp_path)
    monkeypatch.setenv("FREEZEPACK_DATA", str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"FREEZEPACK_DATA is .*none"):
        load_data("fashion-mnist")


def test_a_download_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pooch = pytest.importorskip("pooch")
    monkeypatch.delenv("FREEZEPACK_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    published = tmp_path / "published"
    published.mkdir()
    (published / "a").write_bytes(b"content")
    (published / "b").write_bytes(b"tampered")
    digest = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"

    def retrieve(url: str, known_hash: str, fname: str, path: Path) -> str:
        target = Path(path) / fname
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((published / url.rpartition("/")[2]).read_bytes())
        if not pooch.hashes.hash_matches(target, known_hash):
            raise ValueError("SHA256 hash does not match")
        return str(target)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    files = Published("set", "https://example.org/", {"a": digest, "b": digest, "c": digest})
    assert files.find("a", None).read_bytes() == b"content"
    problem = (
        r"example\.org/b: download failed \(SHA256 hash does not match\); put it into DIR/set/"
    )
    with pytest.raises(DataError, match=problem):
        files.find("b", None)
    with pytest.raises(DataError, match="download failed"):
        files.find("c", None)


def test_real_mnist_has_the_published_counts(mnist_folder: Path) -> None:
    data = load_data("mnist", mnist_folder, ["validation", "test"])
    assert torch.bincount(data.split("test").labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert len(data.split("validation")) == 5000


def test_published_labels_above_nine_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freezepack.train.data.mnist._COUNTS", {"t10k": 2})
    folder = tmp_path / "mnist"
    folder.mkdir()
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 2, 9, 10])
    images = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(2 * 784)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    with pytest.raises(DataError, match=r"t10k-labels.*: has label 10, expected 0 to 9"):
        load_data("mnist", tmp_path, ["test"])
