import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezepack.errors import CorruptError
from freezepack.format.coded.decisions import Decisions
from freezepack.format.coded.numbers import Numbers

CHOICES = st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1)))
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("number"), st.integers(0, 2**64 - 1)),
        st.tuples(st.just("choice"), CHOICES),
        st.tuples(st.just("guess"), st.tuples(st.integers(0, 5), st.integers(0, 5))),
        st.tuples(st.just("raw"), st.integers(0, 2**16 - 1)),
    ),
    max_size=40,
)  # fmt: skip


def code(numbers: Numbers, kind: str, argument: object) -> int:
    """Write one value, or read it where `numbers` reads."""
    reads = numbers.reads
    if kind == "raw":
        assert isinstance(argument, int)
        return numbers.raw(16, None if reads else argument)
    if kind == "number":
        assert isinstance(argument, int)
        return numbers.number("n", None if reads else argument)
    assert isinstance(argument, tuple)
    if kind == "choice":
        return numbers.choice(argument[0], argument[0], None if reads else argument[1])
    return numbers.guess("g", None if reads else argument[0], [argument[1], None, 2])


@settings(deadline=None)
@given(CALLS)
def test_what_was_written_is_read(calls: list[tuple[str, object]]) -> None:
    writer = Numbers()
    written = [code(writer, kind, argument) for kind, argument in calls]
    reader = Numbers(writer.finish())
    assert [code(reader, kind, argument) for kind, argument in calls] == written
    reader.check_end(0)
    assert reader.counts == writer.counts


def test_a_decision_that_comes_again_costs_less_each_time() -> None:
    lengths = []
    for count in (8, 80, 8000):
        writer = Decisions()
        for _ in range(count):
            writer.bit("x", 0)
        lengths.append(len(writer.finish()))
    assert lengths == [1, 1, 2]


def test_counts_are_halved_above_4096() -> None:
    writer = Decisions()
    for _ in range(127):
        writer.bit("x", 1)
    assert writer.counts["x"] == [4080, 16]
    writer.bit("x", 0)
    assert writer.counts["x"] == [2040, 24]


def test_a_choice_is_even_at_first() -> None:
    writer = Numbers()
    writer.choice("x", 5, 4)
    assert writer.counts == {("x", 4): [6 + 32, 26]}
    writer.choice("x", 5, 1)
    assert writer.counts[("x", 4)] == [38, 58]
    assert writer.counts[("x", 2)] == [16, 48]
    assert writer.counts[("x", 1)] == [48, 16]


def test_a_number_of_more_than_64_bits_is_refused() -> None:
    writer = Numbers()
    for length in range(65):
        writer.bit(("n", length), 1)
    reader = Numbers(writer.finish(), start=9)
    reader.field = "count"
    with pytest.raises(CorruptError, match="count at byte 9: the number has more than 64 bits"):
        reader.number("n", None)


def test_a_guess_that_was_right_may_not_be_coded_as_a_number() -> None:
    writer = Numbers()
    writer.bit(("g", "guess", 0), 0)
    writer.number(("g", "number"), 3)
    reader = Numbers(writer.finish(), start=9)
    reader.field = "rank"
    with pytest.raises(CorruptError, match="rank at byte 9: 3 is coded as if it had not been"):
        reader.guess("g", None, [3])


def test_a_stream_that_goes_on_is_refused() -> None:
    writer = Numbers()
    writer.number("n", 7)
    for end in (b"\0", b"\1"):
        reader = Numbers(writer.finish() + end)
        reader.number("n", None)
        with pytest.raises(CorruptError, match="header at byte 4: the coded header does not end"):
            reader.check_end(4)
