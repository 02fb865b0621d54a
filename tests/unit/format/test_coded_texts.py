import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezepack.errors import CorruptError
from freezepack.format.coded.numbers import Numbers
from freezepack.format.coded.spelling import Spelling
from freezepack.format.coded.texts import Texts
from freezepack.format.names import encode_name

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
NAMES = st.lists(
    st.text(st.sampled_from("ab1290.é名_") , min_size=1, max_size=12)
    | st.sampled_from(["conv1.weight", "conv2.bias", "layer1.0.bn1.running_mean", "fc.weight"]),
    min_size=1, max_size=8, unique=True,
).map(lambda names: sorted(names, key=str.encode))  # fmt: skip


def code_texts(texts: list[tuple[int, str]]) -> bytes:
    numbers = Numbers()
    coder = Texts(numbers)
    for key, text in texts:
        coder.code(key, text.encode(), 100)
    return numbers.finish()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), TEXTS), max_size=5))
def test_texts_are_read_as_they_were_written(texts: list[tuple[int, str]]) -> None:
    numbers = Numbers(code_texts(texts))
    reader = Texts(numbers)
    assert [reader.code(key, None, 1000).decode() for key, _ in texts] == [t for _, t in texts]
    numbers.check_end(0)


@pytest.mark.parametrize(
    ("key", "text", "size"),
    [
        (1, "lenet5-caffe", 1),
        (1, "lenet-300-100", 3),
        (2, '{"relu":"conv"}', 1),
        (6, "28c997984e8202f4", 10),
        (0, "28c997984e8202f4", 10),
        (0, "somebody's network", 15),
        (0, "", 1),
    ],
)
def test_texts_that_are_common_cost_little(key: int, text: str, size: int) -> None:
    assert len(code_texts([(key, text)])) == size


def test_a_reader_stops_behind_the_longest_text() -> None:
    numbers = Numbers(code_texts([(0, "y" * 90)]))
    assert Texts(numbers).code(0, None, 40) == b"y" * 41
    numbers = Numbers(code_texts([(0, "a" * 90)]))
    assert Texts(numbers).code(0, None, 40) == b"a" * 41


def test_digits_that_could_be_hexadecimal_are_coded_so() -> None:
    numbers = Numbers()
    numbers.bit("hex", 0, (8, 24))
    other = Texts(numbers)
    run, kind = 0, 0
    other._remember(0)
    for byte in b"00000000\0":
        _, run, kind = other._code_byte(byte, run, kind)
        other._remember(byte)
    reader = Texts(Numbers(numbers.finish()))
    with pytest.raises(CorruptError, match="hexadecimal digits are coded like other text"):
        reader.code(0, None, 100)


@settings(deadline=None)
@given(NAMES)
def test_names_are_read_as_they_were_written(names: list[str]) -> None:
    stored, before = [], ""
    for name in names:
        stored.append(encode_name(name, before))
        before = name
    writer, reader = Numbers(), None
    spelling = Spelling(writer)
    for data in stored:
        spelling.code_shared(data[0])
        spelling.code_rest(data[1:], len(data))
    reader = Numbers(writer.finish())
    spelling = Spelling(reader)
    found = [bytes([spelling.code_shared(None)]) + spelling.code_rest(None, 99) for _ in stored]
    assert found == stored
    reader.check_end(0)


def test_a_name_that_does_not_end_is_cut() -> None:
    numbers = Numbers()
    Spelling(numbers).code_rest(b"x" * 50 + b"\0", 60)
    assert Spelling(Numbers(numbers.finish())).code_rest(None, 20) == b"x" * 21


def test_the_second_layer_costs_less_than_the_first() -> None:
    names = ["conv1.bias", "conv1.weight", "conv2.bias", "conv2.weight"]
    sizes, before, numbers = [], "", Numbers()
    spelling = Spelling(numbers)
    for name in names:
        stored = encode_name(name, before)
        spelling.code_shared(stored[0])
        spelling.code_rest(stored[1:], len(stored))
        sizes.append(len(numbers.finish()))
        before = name
    assert sizes == [3, 4, 5, 6]
