from array import array
from pathlib import Path

import pytest

from freezepack.errors import CorruptError, TruncatedError
from freezepack.format.cursor import varint_bytes
from freezepack.format.reader import PackReader
from freezepack.format.tables import UnitEntry, UnitTable
from freezepack.types import SeedBase
from tests.conformance.vectors import VECTORS, golden
from tests.robustness.surgery import seal

LARGE = VECTORS / "files" / "large.fpk"


def test_the_sizes_of_parts_add_up_to_the_file() -> None:
    header = PackReader(golden("tiny")[0]).header
    assert header.sizes == {
        "preamble": 12, "metadata": 6, "kinds": 23, "tensors": 18, "digests": 8, "index": 2,
        "values": 16,
    }  # fmt: skip
    assert header.file_size == 85
    assert header.nbytes == 48
    assert header.bases == (SeedBase(0x0123456789ABCDEF),)


def test_units_of_which_the_table_says_nothing_are_computed() -> None:
    header = PackReader(golden("units")[0]).header
    huge, zeros = header.tensors["huge"], header.tensors["zeros"]
    assert (huge.explicit_units, zeros.explicit_units) == (None, None)
    assert huge.unit(1) == UnitEntry(2**20, huge.offset, 0, 0, None)
    assert zeros.unit(2) == UnitEntry(0, zeros.offset, 0, 0, None)
    bias = PackReader(golden("tiny")[0]).header.tensors["fc.bias"]
    assert bias.unit(0) == UnitEntry(2, 67, 0, 8, None)


def test_a_small_payload_is_read_once(tmp_path: Path) -> None:
    """What was checked is what is used, even if the file changes."""
    path = tmp_path / "a.fpk"
    path.write_bytes(golden("tiny")[0])
    with PackReader(path) as reader:
        path.write_bytes(b"")
        index, values = reader.sections(reader.header.tensors["fc.weight"], 0)
        assert (bytes(index), len(values)) == (b"\x02\x01", 8)


def test_a_large_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.fpk"
    data = LARGE.read_bytes()
    path.write_bytes(data)
    with PackReader(path) as reader:
        weight = reader.header.tensors["weight"]
        assert [weight.unit(n).count for n in range(3)] == [9000, 0, 8000]
        assert [len(section) for section in reader.sections(weight, 1)] == [0, 0]
        path.write_bytes(data[:-1])
        with pytest.raises(
            TruncatedError, match=r"index of 'weight' at byte .*the file became shor"
        ):
            reader.sections(weight, 2)
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(CorruptError, match=r"unit_checksum of 'weight' at byte .*damaged"):
            reader.sections(weight, 2)


def test_a_file_that_cannot_be_opened_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.fpk"
    path.write_bytes(b"\x89FPK\x01")
    with pytest.raises(TruncatedError, match="features at byte 5: 0 bytes left, expected 1"):
        PackReader(path)
    path.unlink()


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PackReader(tmp_path / "none.fpk")


def test_a_table_of_units_makes_entries_when_asked() -> None:
    table = UnitTable(array("q", [3, 100, 2, 12, -1, 5, 114, 0, 20, 0xFFFFFFFF]))
    first, second = UnitEntry(3, 100, 2, 12, None), UnitEntry(5, 114, 0, 20, 0xFFFFFFFF)
    assert (len(table), list(table), table[-1]) == (2, [first, second], second)
    assert table.index_bytes == 2
    with pytest.raises(IndexError):
        table[2]


def test_sections_of_any_length_are_compared_with_the_payload() -> None:
    """Two units of 2**63 - 1 bytes each: their offsets fit no machine number."""
    unit = b"\x01" + varint_bytes(2**63 - 1)
    kinds = b"\x01" + bytes([1, 0, 0, 3, 2])
    record = b"\x01\0a\0\x01" + varint_bytes(2**21) + bytes(4) + unit + unit
    with pytest.raises(CorruptError, match=r"payload at byte .*: the sections have 18446744073709"):
        PackReader(seal(b"\0\0" + kinds + b"\x01" + record + bytes(8), b""))
