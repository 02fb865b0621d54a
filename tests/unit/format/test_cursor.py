import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.errors import CorruptError, LimitError, TruncatedError
from freezepack.format.cursor import Cursor, text_bytes, varint_bytes


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (16_383, "ff7f"),
        (16_384, "808001"),
        (2**63 - 1, "ffffffffffffffff7f"),
        (2**64 - 1, "ffffffffffffffffff01"),
    ],
)
def test_varints(value: int, stored: str) -> None:
    assert varint_bytes(value).hex() == stored
    assert Cursor(bytes.fromhex(stored), 0).varint("count", 2**64 - 1) == value


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_a_varint_reads_as_it_was_written(value: int, rest: bytes) -> None:
    cursor = Cursor(varint_bytes(value) + rest, 0)
    assert cursor.varint("count", 2**64 - 1) == value
    assert cursor.left == len(rest)


def test_a_varint_has_one_form() -> None:
    with pytest.raises(CorruptError, match="count at byte 7: the number is not in its shortest"):
        Cursor(b"\x80\x00", 7).varint("count")
    with pytest.raises(CorruptError, match="count at byte 7: the number has more than 10 bytes"):
        Cursor(b"\x80" * 10 + b"\x01", 7).varint("count")


def test_a_varint_stays_within_its_limit() -> None:
    assert Cursor(b"\x05", 0).varint("rank", 5) == 5
    with pytest.raises(LimitError, match="rank at byte 3: found 6, expected at most 5"):
        Cursor(b"\x06", 3).varint("rank", 5)
    with pytest.raises(LimitError, match="found 9223372036854775808, expected at most 92233720368"):
        Cursor(varint_bytes(2**63), 0).varint("count")


def test_errors_name_the_start_of_the_field() -> None:
    cursor = Cursor(b"\x01\x80\x80", 100)
    assert cursor.varint("rank") == 1
    with pytest.raises(TruncatedError, match="count at byte 101: 0 bytes left, expected 1"):
        cursor.varint("count")
    with pytest.raises(TruncatedError, match="free_key at byte 50: 2 bytes left, expected 3"):
        Cursor(b"\x03ab", 50).text("free_key")


def test_a_field_that_is_cut_is_not_consumed() -> None:
    cursor = Cursor(b"abc", 10)
    with pytest.raises(TruncatedError, match="scale at byte 10: 3 bytes left, expected 4"):
        cursor.take(4, "scale")
    assert (cursor.offset, cursor.left) == (10, 3)
    assert cursor.unsigned(3, "scale") == 0x636261


@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"])
def test_text_is_strict_utf8(data: bytes) -> None:
    with pytest.raises(CorruptError, match="free_key at byte 4: byte 0 of the text is not UTF-8"):
        Cursor(bytes([len(data)]) + data, 4).text("free_key")


def test_text_has_no_nul() -> None:
    with pytest.raises(CorruptError, match="free_key at byte 0: the text holds NUL"):
        Cursor(b"\x03a\0b", 0).text("free_key")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_text_reads_as_it_was_written(text: str) -> None:
    assert Cursor(text_bytes(text), 0).text("free_key") == text
