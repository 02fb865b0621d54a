import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack.errors import CorruptError, LimitError, TruncatedError, VersionError
from freezepack.format.cursor import Cursor
from freezepack.format.names import ENDINGS, WORDS, encode_name, name_problem, read_name

PARTS = st.sampled_from([*WORDS, *ENDINGS, ".", "0", "1", "_", "é", "名", "\U0001f600", "x"])
NAMES = st.lists(PARTS, min_size=1, max_size=8).map("".join)


def read(stored: bytes, previous: str = "") -> str:
    return read_name(Cursor(stored, 10), previous)


@pytest.mark.parametrize(
    ("name", "previous", "stored"),
    [
        ("fc.bias", "", "0081a1"),
        ("fc.weight", "fc.bias", "03a2"),
        ("conv10.weight", "conv1.weight", "0530a0"),
        ("layers.0.self_attn.in_proj_weight", "", "0083302e8daa"),
        ("w", "", "007700"),
        ("weights", "", "009e7300"),
        ("weight", "", "00a2"),
        ("éa", "é", "026100"),
        ("ê", "é", "00c3aa00"),
    ],
)
def test_spellings(name: str, previous: str, stored: str) -> None:
    assert encode_name(name, previous).hex() == stored
    assert read(bytes.fromhex(stored), previous) == name


@given(st.sets(NAMES, min_size=1, max_size=12))
def test_names_read_as_they_were_written(names: set[str]) -> None:
    previous = ""
    for name in sorted(names, key=str.encode):
        cursor = Cursor(encode_name(name, previous), 0)
        assert read_name(cursor, previous) == name
        assert cursor.left == 0
        previous = name


@given(st.binary(max_size=12), st.sampled_from(["", "fc.bias", "é", "weight"]))
def test_a_name_has_one_spelling(stored: bytes, previous: str) -> None:
    cursor = Cursor(stored, 0)
    try:
        name = read_name(cursor, previous)
    except (CorruptError, TruncatedError, LimitError, VersionError):
        return
    assert encode_name(name, previous) == stored[: len(stored) - cursor.left]
    assert name_problem(name) == ""
    assert not previous or name.encode() > previous.encode()


def test_names_ascend() -> None:
    with pytest.raises(CorruptError, match="name at byte 10: 'a' after 'b': names must ascend"):
        read(b"\0a\0", "b")
    with pytest.raises(CorruptError, match="name at byte 10: 'b' after 'b': names must ascend"):
        read(b"\1\0", "b")


def test_a_long_name() -> None:
    assert read(encode_name("a" * 1024, "")) == "a" * 1024
    with pytest.raises(LimitError, match="name at byte 10: more than 1024 bytes"):
        read(b"\0" + b"a" * 1025 + b"\0")


def test_a_name_stops_growing_at_the_limit() -> None:
    """A long run of words is not expanded to its end before it is refused."""
    cursor = Cursor(b"\0" + b"\x95" * 1_000_000, 0)
    with pytest.raises(LimitError):
        read_name(cursor, "")
    assert cursor.left > 999_000


@pytest.mark.parametrize(
    ("stored", "previous", "problem"),
    [
        ("0500", "b", "it begins like a name of 1 bytes for 5 bytes"),
        ("01a2", "é", "byte 0 of the text is not UTF-8"),
        ("0000", "", "the name is empty"),
        ("00c1bf00", "", "byte 0 of the text is not UTF-8"),
        ("00" + b"weight".hex() + "00", "", "'weight' is not in its one spelling"),
        ("009e00", "", "'weight' is not in its one spelling"),
        ("0081a1", "fc.a", "'fc.bias' is not in its one spelling"),
    ],
)
def test_other_spellings_are_refused(stored: str, previous: str, problem: str) -> None:
    with pytest.raises(CorruptError, match=f"name at byte 10: {problem}"):
        read(bytes.fromhex(stored), previous)


@pytest.mark.parametrize(
    ("stored", "previous"),
    [
        ("01e5908d6300", "a名b"),
        ("00c3a96200", "éa"),
    ],
)
def test_a_beginning_is_shared_to_its_end(stored: str, previous: str) -> None:
    with pytest.raises(CorruptError, match="is not in its one spelling"):
        read(bytes.fromhex(stored), previous)


def test_characters_that_begin_alike_are_not_shared() -> None:
    assert read(bytes.fromhex("01e5908f00"), "a名") == "a吏"


def test_a_name_without_end_is_truncated() -> None:
    for stored in (b"\0", b"\0a", b"\0\x80", b"\0\xe5\x90"):
        with pytest.raises(TruncatedError, match=r"name at byte 10: .* does not end"):
            read(stored)


def test_an_unknown_ending_needs_a_newer_reader() -> None:
    with pytest.raises(VersionError, match="name at byte 10: unknown ending 0xb0"):
        read(b"\0a\xb0")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "the name is empty"),
        ("__metadata__", "the name '__metadata__' is reserved"),
        ("a\0", "the name 'a\\x00' holds NUL"),
        ("é" * 513, "the name has 1026 bytes, expected at most 1024"),
        ("\ud800", "the name '\\ud800' is not Unicode text"),
        ("é" * 512, ""),
    ],
)
def test_names_that_no_file_may_hold(name: str, problem: str) -> None:
    assert name_problem(name) == problem
