"""What every index codec promises; a new one is in this battery by its line in the table."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from freezepack import random
from freezepack.codecs import INDEX_CODECS
from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError, FormatError, TruncatedError
from freezepack.types import Positions

# Some codecs code few masks or types: what they decline is filtered out.
DECLINED = [HealthCheck.filter_too_much]
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=DECLINED)
MORE_EXAMPLES = settings(EXAMPLES, max_examples=50)


OF_ONE_TENSOR = [name for name in INDEX_CODECS if not INDEX_CODECS.get_part(name).shared]


@pytest.fixture(scope="module", params=OF_ONE_TENSOR)
def index(request: pytest.FixtureRequest, kernel: str) -> IndexCodec:
    codec: IndexCodec = INDEX_CODECS.get_part(request.param)
    if codec.adaptive and kernel == "numpy":
        pytest.skip("slow without the kernel; its own tests hold the two to the same bytes")
    return codec


@st.composite
def masks(draw: st.DrawFn) -> tuple[Positions, Unit]:
    """Neither empty nor full; even or clustered; in a matrix with a base and a seed."""
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 30))
    kernel = draw(st.sampled_from([1, 5]))
    cols = columns * kernel
    assume(rows * cols > 1)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    base = rng.normal(0, 0.1, rows * cols).astype(np.float32).view(np.uint32)
    chance = rng.random((rows, 1)) ** draw(st.sampled_from([0, 1, 4]))
    rank = (rng.random((rows, cols)) / chance).reshape(-1)
    count = draw(st.integers(1, rows * cols - 1))
    unit = Unit(
        size=rows * cols,
        rows=rows,
        cols=cols,
        kernel=kernel,
        start=draw(st.sampled_from([0, 4096])),
        key=draw(st.integers(0, 2**64 - 1)),
        stream=draw(st.integers(0, 2**63 - 1)),
        base=lambda: base,
        offset=64,
    )
    if draw(st.booleans()):
        # A seed knows the first and the last of the ranking.
        known = words(unit)
        rank = np.where(known < 2**30, -1, np.where(known > 3 * 2**30, np.inf, rank))
    positions = np.sort(np.argsort(rank, kind="stable")[:count]).astype(np.uint32)
    return positions, unit


def words(unit: Unit) -> NDArray[np.uint32]:
    """The words that a mask from a seed is drawn from."""
    out = np.empty(unit.size, np.uint32)
    random.words(out, key=unit.key or 0, stream=unit.stream + 2**63, start=unit.start)
    return out


def coded(codec: IndexCodec, mask: tuple[Positions, Unit]) -> tuple[Positions, bytes]:
    """A mask that the codec can code, near the one given, and its section."""
    positions, unit = mask
    if codec.name in ("none", "all"):
        positions = np.arange(unit.size if codec.name == "all" else 0, dtype=np.uint32)
    elif codec.fixed_length(unit.size, positions.size) == 0:
        positions = codec.decode(memoryview(b""), positions.size, unit)
    section = codec.encode(positions, unit)
    assume(section is not None)
    assert section is not None
    return positions, section


def check_mask(codec: IndexCodec, section: bytes, count: int, unit: Unit) -> None:
    """Hold whatever a codec accepts to be a mask, and its own section if it is canonical."""
    found = codec.decode(memoryview(section), count, unit)
    assert found.dtype == np.uint32
    assert found.size == count
    assert (np.diff(found.astype(np.int64)) > 0).all()
    assert not count or found[-1] < unit.size
    if codec.canonical and not codec.adaptive:
        assert codec.encode(found, unit) == section


@given(masks())
@EXAMPLES
def test_masks_come_back(index: IndexCodec, mask: tuple[Positions, Unit]) -> None:
    positions, section = coded(index, mask)
    size = mask[1].size
    assert index.fixed_length(size, positions.size) in (None, len(section))
    found = index.decode(memoryview(section), positions.size, mask[1])
    assert found.tolist() == positions.tolist()
    check_mask(index, section, positions.size, mask[1])


@given(masks())
@EXAMPLES
def test_masks_are_left_as_they_are(index: IndexCodec, mask: tuple[Positions, Unit]) -> None:
    positions, _ = coded(index, mask)
    frozen = positions.copy()
    frozen.flags.writeable = False
    index.encode(frozen, mask[1])
    assert frozen.tolist() == positions.tolist()


@given(masks())
@EXAMPLES
def test_an_index_cut_anywhere_is_noticed(index: IndexCodec, mask: tuple[Positions, Unit]) -> None:
    positions, section = coded(index, mask)
    for cut in range(0, len(section), 1 + len(section) // 12):
        try:
            found = index.decode(memoryview(section[:cut]), positions.size, mask[1])
        except (TruncatedError, CorruptError) as error:
            assert error.field == "index"  # noqa: PT017
        else:
            assert index.adaptive
            assert found.tolist() != positions.tolist()
            check_mask(index, section[:cut], positions.size, mask[1])


@given(masks(), st.binary(min_size=1, max_size=9))
@EXAMPLES
def test_bytes_behind_an_index_are_noticed(
    index: IndexCodec, mask: tuple[Positions, Unit], extra: bytes
) -> None:
    positions, section = coded(index, mask)
    for more in (extra, b"\0"):
        try:
            found = index.decode(memoryview(section + more), positions.size, mask[1])
        except CorruptError as error:
            assert error.field == "index"  # noqa: PT017
        else:
            assert index.adaptive
            assert found.tolist() != positions.tolist()


@given(masks())
@EXAMPLES
def test_a_flipped_bit_is_refused_or_gives_a_mask(
    index: IndexCodec, mask: tuple[Positions, Unit]
) -> None:
    positions, section = coded(index, mask)
    for place in range(0, 8 * len(section), 1 + len(section) // 3):
        damaged = bytearray(section)
        damaged[place // 8] ^= 1 << place % 8
        try:
            check_mask(index, bytes(damaged), positions.size, mask[1])
        except FormatError as error:
            assert error.field == "index"  # noqa: PT017


@given(masks(), st.binary(max_size=100), st.integers(-1, 1))
@MORE_EXAMPLES
def test_random_bytes_are_refused_or_give_a_mask(
    index: IndexCodec, mask: tuple[Positions, Unit], data: bytes, change: int
) -> None:
    positions, unit = mask
    count = min(max(positions.size + change, 0), unit.size)
    try:
        check_mask(index, data, count, unit)
    except FormatError as error:
        assert error.field == "index"  # noqa: PT017
        assert error.offset >= 64  # noqa: PT017


@given(masks())
@EXAMPLES
def test_the_section_does_not_depend_on_where_it_stands(
    index: IndexCodec, mask: tuple[Positions, Unit]
) -> None:
    positions, section = coded(index, mask)
    assert index.encode(positions, replace(mask[1], offset=0)) == section
