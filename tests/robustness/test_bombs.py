"""Small files that ask for much: refused in milliseconds, and nothing large is allocated."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import pytest

from freezepack.errors import CorruptError, LimitError, TruncatedError
from freezepack.format.cursor import varint_bytes
from freezepack.format.reader import PackReader
from freezepack.rebuild.rebuilder import Rebuilder
from tests.robustness.surgery import seal

NO_TABLES = b"\0\0"
ZEROS = b"\x01" + bytes([1, 0, 0, 0, 0])
CONSTANT = b"\x01" + bytes([1, 0, 0, 1, 2])
BITMAP = b"\x01" + bytes([1, 0, 0, 2, 0])
PETABYTE = 2**48


def tensor(size: int, rest: bytes = b"") -> bytes:
    """Return a table with one float32 tensor `a` of `size` elements."""
    return b"\x01" + b"\x01\0a\0" + b"\x01" + varint_bytes(size) + rest


@pytest.mark.parametrize(
    "header",
    [ZEROS + tensor(PETABYTE), CONSTANT + tensor(PETABYTE, bytes(4))],
    ids=["zeros", "constant"],
)
def test_a_petabyte_in_a_hundred_bytes_opens_at_once_and_does_not_load(header: bytes) -> None:
    data = seal(NO_TABLES + header + bytes(8), b"")
    assert len(data) < 100
    tracemalloc.start()
    begin = time.perf_counter()
    reader = PackReader(data)
    assert reader.header.nbytes == 4 * PETABYTE
    assert reader.header.tensors["a"].layout.units == PETABYTE // 2**20
    rebuilder = Rebuilder(reader)
    with pytest.raises(LimitError, match="max_bytes = 17,179,869,184"):
        rebuilder.check_limit()
    with pytest.raises(LimitError, match=r"1,125,899,906,842,624 bytes .*max_bytes"):
        rebuilder.tensor("a")
    elapsed = time.perf_counter() - begin
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert elapsed < 1
    assert peak < 1_000_000


def test_units_that_the_header_cannot_hold_are_refused_before_they_are_looked_at() -> None:
    data = seal(NO_TABLES + BITMAP + tensor(2**41, b"\x01") + bytes(8), b"")
    with pytest.raises(CorruptError, match="units of 'a' at byte 32: 9 header bytes left"):
        PackReader(data)
    data = seal(NO_TABLES + BITMAP + tensor(PETABYTE, b"\x01") + bytes(8), b"")
    with pytest.raises(
        LimitError, match="units of 'a' at byte 33: 268435456 units, expected at mo"
    ):
        PackReader(data)


@pytest.mark.parametrize("table", [b"\0\0\0" + varint_bytes(2**18), b"\0\0" + varint_bytes(4096)])
def test_tables_that_the_header_cannot_hold_are_truncated(table: bytes) -> None:
    with pytest.raises(TruncatedError):
        PackReader(seal(table, b""))


def test_lengths_of_the_preamble_are_compared_with_the_file() -> None:
    start = b"\x89FPK\x01\0" + varint_bytes(2**26) + varint_bytes(2**62) + bytes(4)
    with pytest.raises(TruncatedError, match="header at byte 23: 0 bytes left, expected 67108864"):
        PackReader(start)


PROGRAM = """
import resource, sys
from freezepack.errors import LimitError
from freezepack.format.reader import PackReader
from freezepack.rebuild.rebuilder import Rebuilder
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
rebuilder = Rebuilder(PackReader(bytes.fromhex(sys.argv[1])))
try:
    rebuilder.tensor("a")
except LimitError:
    sys.exit(7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
def test_loading_a_petabyte_needs_no_memory() -> None:
    data = seal(NO_TABLES + CONSTANT + tensor(PETABYTE, bytes(4)) + bytes(8), b"")
    done = subprocess.run([sys.executable, "-c", PROGRAM, data.hex()], timeout=60, check=False)
    assert done.returncode == 7


def names(count: int) -> list[bytes]:
    """Return the stored names 00000 to `count` - 1 in hexadecimal, front-coded."""
    stored, before = [], ""
    for number in range(count):
        name = f"{number:05x}"
        shared = next((n for n in range(5) if name[n] != before[n : n + 1]), 0)
        stored.append(bytes([shared]) + name[shared:].encode() + b"\0")
        before = name
    return stored


def many_records(count: int) -> bytes:
    records = b"".join(b"\x01" + name + b"\x01\0" for name in names(count))
    return seal(NO_TABLES + ZEROS + varint_bytes(count) + records + bytes(8), b"")


def most_records() -> bytes:
    """Return as many records as a file may have, of as many dimensions."""
    shape = b"\x20\0" + b"\x01" * 31
    records = b"".join(b"\x01" + name + shape for name in names(2**18))
    return seal(NO_TABLES + ZEROS + varint_bytes(2**18) + records + bytes(8), b"")


def most_units() -> bytes:
    """Return as many units as a file may have, in one tensor."""
    counts = b"\x01" + bytes(4) + bytes(2**21 - 1)  # one is trained, and has a checksum
    return seal(NO_TABLES + BITMAP + tensor(2**41, counts) + bytes(8), bytes(2**17 + 4))


def test_records_of_empty_tensors_are_read_in_linear_time() -> None:
    begin = time.perf_counter()
    assert len(PackReader(many_records(20_000)).header.tensors) == 20_000
    assert time.perf_counter() - begin < 10


def test_names_that_share_nearly_all_cost_little_more_than_the_rest() -> None:
    prefix = b"x" * 1019
    first, *others = names(10_000)
    stored = [b"\0" + prefix + first[1:]]
    stored += [varint_bytes(1019 + name[0]) + name[1:] for name in others]
    records = b"".join(b"\x01" + name + b"\x01\0" for name in stored)
    begin = time.process_time()
    header = PackReader(seal(NO_TABLES + ZEROS + varint_bytes(10_000) + records + bytes(8), b""))
    assert len(header.header.tensors) == 10_000
    assert time.process_time() - begin < 2


@pytest.mark.slow
@pytest.mark.parametrize("make", [most_records, most_units])
def test_the_largest_tables_open_in_seconds_and_a_few_hundred_megabytes(
    make: Callable[[], bytes],
) -> None:
    data = make()
    begin = time.process_time()
    PackReader(data)
    assert time.process_time() - begin < 20
    tracemalloc.start()
    reader = PackReader(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000_000
    assert len(reader.header.tensors) in (1, 2**18)


def test_one_record_too_many_is_refused_before_any_is_read() -> None:
    with pytest.raises(LimitError, match="tensor_count at byte 20: found 262145"):
        PackReader(seal(NO_TABLES + ZEROS + varint_bytes(2**18 + 1), b""))
