import os
from pathlib import Path

import pytest

from freezepack.errors import TruncatedError
from freezepack.format.source import BytesSource, FileSource


@pytest.fixture(params=["positioned", "shared"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, read with and without positioned reads."""
    if request.param == "shared":
        monkeypatch.delattr(os, "preadv", raising=False)
    path = tmp_path / "a.fpk"
    path.write_bytes(bytes(range(100)))
    return path


def test_pieces_of_a_file(file: Path) -> None:
    source = FileSource(file)
    assert source.size == 100
    assert bytes(source.read(98, 2, "index")) == b"bc"
    assert bytes(source.read(0, 3, "index")) == b"\0\1\2"
    assert bytes(source.read(100, 0, "index")) == b""
    source.close()


def test_reading_past_the_end(file: Path) -> None:
    source = FileSource(file)
    with pytest.raises(TruncatedError, match="index at byte 98: 2 bytes left, expected 3"):
        source.read(98, 3, "index")
    with pytest.raises(TruncatedError, match="index at byte 200: 0 bytes left, expected 1"):
        source.read(200, 1, "index")
    source.close()


def test_a_file_that_shrinks_while_it_is_open(file: Path) -> None:
    source = FileSource(file)
    file.write_bytes(b"short")
    problem = "values at byte 3: 2 bytes left, expected 10: the file became shorter"
    with pytest.raises(TruncatedError, match=problem):
        source.read(3, 10, "values")
    source.close()


def test_bytes_are_not_copied() -> None:
    data = bytearray(b"abcdef")
    piece = BytesSource(data).read(2, 2, "index")
    data[2] = ord("x")
    assert bytes(piece) == b"xd"
    with pytest.raises(TruncatedError, match="index at byte 5: 1 bytes left, expected 2"):
        BytesSource(data).read(5, 2, "index")
