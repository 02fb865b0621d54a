import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezepack import native
from freezepack.codecs.base import BaseValues
from freezepack.codecs.floats import kernel, reference
from freezepack.codecs.floats.codec import FLOAT
from freezepack.codecs.floats.head import read_head, write_head
from freezepack.codecs.floats.parts import FLOAT32, KINDS, Kind
from freezepack.codecs.floats.plan import plan
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType, RawArray

TEXT = (Path(__file__).parents[3] / "formats/floats.md").read_text()
needs_kernel = pytest.mark.skipif(native.library() is None, reason="no kernel")


def block(name: str) -> list[list[str]]:
    found = re.search(rf"^```{name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return [line.split(maxsplit=4) for line in found[1].splitlines() if not line.startswith("#")]


def patterns(text: str, dtype: DType) -> RawArray:
    return np.array([int(word, 16) for word in text.split(",")], dtype.raw)


def base_values(base: RawArray) -> BaseValues:
    return BaseValues(lambda: base)


@pytest.fixture(params=["0", "1"])
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", request.param)


@pytest.mark.usefixtures("twin")
@pytest.mark.parametrize("vector", block("vectors"), ids=lambda words: words[3][:12])
def test_vectors_come_out(vector: list[str]) -> None:
    dtype = DType[vector[0]]
    values, base = patterns(vector[1], dtype), patterns(vector[2], dtype)
    section = FLOAT.encode(values, dtype, base_values(base))
    assert section is not None
    assert section.hex() == vector[3]
    found = FLOAT.decode(memoryview(section), dtype, values.size, base_values(base), 0)
    assert found.dtype == dtype.raw
    assert found.tolist() == values.tolist()


@pytest.mark.usefixtures("twin")
@pytest.mark.parametrize("refused", block("refused"), ids=lambda words: words[4])
def test_sections_that_break_a_rule_are_refused(refused: list[str]) -> None:
    dtype = DType[refused[0]]
    base = patterns(refused[1], dtype)
    section = bytes.fromhex(refused[2].strip("-"))
    kind = TruncatedError if refused[4].startswith("truncated") else CorruptError
    with pytest.raises(kind, match=r"values at byte 10\d: "):
        FLOAT.decode(memoryview(section), dtype, base.size, base_values(base), 100)


@st.composite
def cases(draw: Any) -> tuple[Kind, RawArray, RawArray]:
    dtype = draw(st.sampled_from([DType.float32, DType.float16, DType.bfloat16, DType.float64]))
    width = 8 * dtype.itemsize
    words = st.integers(0, 2**width - 1)
    base = draw(st.lists(words, min_size=1, max_size=12))
    moves = [
        draw(st.one_of(st.just(0), words, st.integers(0, 255), st.just(2 ** (width - 1))))
        for _ in base
    ]
    values = [word ^ move for word, move in zip(base, moves, strict=True)]
    return KINDS[dtype], np.array(values, dtype.raw), np.array(base, dtype.raw)


@needs_kernel
@given(cases(), st.booleans())
def test_both_twins_write_the_same_bytes_and_read_them_back(case: Any, near: bool) -> None:
    kind, values, base = case
    head = plan(values, base, kind, near=near)
    written = write_head(head, values.size)
    assert read_head(written, kind, values.size) == (head, len(written))
    body = reference.encode(values, base, head)
    assert kernel.encode(values, base, head) == body
    assert reference.decode(body, base, head).tolist() == values.tolist()
    assert kernel.decode(body, base, head).tolist() == values.tolist()


@needs_kernel
@given(cases(), st.booleans(), st.binary(max_size=12), st.integers(0, 1000))
def test_whatever_is_read_is_refused_or_written_again_byte_for_byte(
    case: Any, near: bool, noise: bytes, place: int
) -> None:
    kind, values, base = case
    head = plan(values, base, kind, near=near)
    raw = reference.raw_length(head, values.size)
    body = kernel.encode(values, base, head)
    place %= len(body) + 1
    for changed in (body + noise, body[:raw] + noise, body[:place] + noise + body[place + 1 :]):
        if len(changed) < raw:
            continue
        try:
            found = kernel.decode(changed, base, head)
        except ValueError:
            with pytest.raises(ValueError, match=r"expected|is|are|no value"):
                reference.decode(changed, base, head)
            continue
        assert reference.decode(changed, base, head).tolist() == found.tolist()
        assert kernel.encode(found, base, head) == changed


def test_values_near_their_base_are_coded_by_distance() -> None:
    rng = np.random.default_rng(7)
    base = rng.standard_normal(1000, np.float32)
    values = base + rng.standard_normal(1000, np.float32) * np.float32(1e-3)
    near = FLOAT.encode(values.view("<u4"), DType.float32, base_values(base.view("<u4")))
    far = FLOAT.encode(values.view("<u4"), DType.float32, None)
    assert near is not None
    assert far is not None
    assert near[0] & 64 == 64
    assert far[0] & 64 == 0
    assert len(near) < 2150
    assert 3300 < len(far) < 3330


def test_values_equal_to_their_base_cost_a_fraction_of_a_bit() -> None:
    values = np.zeros(10_000, "<u4")
    values[::1000] = 0x3F800000
    section = FLOAT.encode(values, DType.float32, None)
    assert section is not None
    assert len(section) < 30


def test_low_bits_that_are_always_zero_cost_nothing() -> None:
    values = np.random.default_rng(8).standard_normal(1000, np.float32).view("<u4") & 0xFFFF0000
    section = FLOAT.encode(values.astype("<u4"), DType.float32, None)
    assert section is not None
    assert len(section) < 1330


@pytest.mark.parametrize("dtype", [DType.int32, DType.float8_e5m2, DType.bool])
def test_other_types_are_not_coded(dtype: DType) -> None:
    assert FLOAT.encode(np.zeros(3, dtype.raw), dtype, None) is None
    with pytest.raises(CorruptError, match=f"values of {dtype.name}, expected a float type"):
        FLOAT.decode(memoryview(b"\x80\x03"), dtype, 3, None, 0)


def test_no_section_for_no_values() -> None:
    assert FLOAT.encode(np.zeros(0, "<u4"), DType.float32, None) is None


def test_ranks_follow_the_numbers() -> None:
    numbers = np.array([-np.inf, -2.0, -1e-45, -0.0, 0.0, 1e-45, 2.0, np.inf], np.float32)
    ranks = [FLOAT32.rank(pattern) for pattern in numbers.view("<u4").tolist()]
    assert ranks == [-2139095041, -1073741825, -2, -1, 0, 1, 1073741824, 2139095040]
    assert [FLOAT32.pattern(rank) for rank in ranks] == numbers.view("<u4").tolist()
