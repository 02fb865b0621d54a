import zlib

import pytest

from freezepack.errors import CorruptError, LimitError, NotFreezepackError, TruncatedError
from freezepack.format.preamble import preamble_bytes, read_checked, read_preamble
from freezepack.format.source import BytesSource

EMPTY = "8946504b01000000"


def test_the_smallest_preamble() -> None:
    data = preamble_bytes(0, b"", [], 0)
    assert data[:-4].hex() == EMPTY
    assert int.from_bytes(data[-4:], "little") == zlib.crc32(bytes.fromhex(EMPTY))
    preamble = read_preamble(BytesSource(data))
    assert (preamble.features, preamble.length, preamble.file_size) == (0, 12, 12)
    assert preamble.one_checksum
    assert bytes(read_checked(BytesSource(data), preamble)) == b""


@pytest.mark.parametrize(("length", "covered"), [(65_536, True), (65_537, False)])
def test_the_checksum_covers_a_small_payload(length: int, covered: bool) -> None:
    payload = bytes(length)
    data = bytearray(preamble_bytes(1, b"header", [payload], length) + b"header" + payload)
    preamble = read_preamble(BytesSource(data))
    assert preamble.one_checksum is covered
    assert preamble.payload_offset == len(data) - length
    assert len(read_checked(BytesSource(data), preamble)) == 6 + length * covered
    data[-1] = 1
    if covered:
        with pytest.raises(CorruptError, match=r"checksum at byte 10: found .*the file is damaged"):
            read_checked(BytesSource(data), preamble)
    else:
        read_checked(BytesSource(data), preamble)


def test_another_file_is_not_freezepack() -> None:
    with pytest.raises(NotFreezepackError, match="magic at byte 0: found 50 4b 03 04, expected 89"):
        read_preamble(BytesSource(b"PK\x03\x04"))
    with pytest.raises(NotFreezepackError, match="found 89 50"):
        read_preamble(BytesSource(b"\x89P"))
    with pytest.raises(TruncatedError, match="magic at byte 0: 2 bytes left, expected 4"):
        read_preamble(BytesSource(b"\x89F"))


def test_lengths_are_compared_with_the_file() -> None:
    data = preamble_bytes(0, b"abc", [b"de"], 2) + b"abcde"
    with pytest.raises(TruncatedError, match="header at byte 12: 2 bytes left, expected 3"):
        read_preamble(BytesSource(data[:14]))
    with pytest.raises(TruncatedError, match="payload at byte 15: 1 bytes left, expected 2"):
        read_preamble(BytesSource(data[:16]))
    with pytest.raises(CorruptError, match="payload at byte 17: 1 bytes behind the end"):
        read_preamble(BytesSource(data + b"f"))


def test_a_header_has_at_most_2_to_the_28_bytes() -> None:
    start = bytes.fromhex("8946504b0100" + "8180808001" + "00")
    with pytest.raises(LimitError, match="header_length at byte 6: found 268435457, expected at"):
        read_preamble(BytesSource(start + bytes(40)))
