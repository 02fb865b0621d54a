import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack.codecs.base import Unit, vector_unit
from freezepack.codecs.base_top import BASE_TOP
from freezepack.errors import CorruptError

TEXT = (Path(__file__).parents[3] / "formats/masks.md").read_text()
LINES = re.findall(r"^((?:[0-9a-f]{8} )+) +(\d+) +([\d ]+)$", TEXT, re.MULTILINE)


def unit(base: NDArray[np.uint32]) -> Unit:
    size = base.size
    return Unit(size=size, rows=1, cols=size, kernel=1, start=0, base=lambda: base, offset=64)


@pytest.mark.parametrize(("patterns", "count", "marked"), LINES)
def test_the_vectors_of_the_specification(patterns: str, count: str, marked: str) -> None:
    base = np.array([int(word, 16) for word in patterns.split()], np.uint32)
    found = BASE_TOP.decode(memoryview(b""), int(count), unit(base))
    assert found.tolist() == [int(word) for word in marked.split()]
    assert BASE_TOP.encode(found, unit(base)) == b""


def test_the_specification_has_four_vectors() -> None:
    assert len(LINES) == 4


def test_another_mask_or_no_base_cannot_be_coded() -> None:
    base = np.array([3, 2, 1], np.uint32)
    assert BASE_TOP.encode(np.array([1], np.uint32), unit(base)) is None
    assert BASE_TOP.encode(np.array([0], np.uint32), vector_unit(3)) is None


def test_broken_sections_are_refused() -> None:
    base = unit(np.array([3, 2, 1], np.uint32))
    with pytest.raises(CorruptError, match="index at byte 64: 1 bytes, expected none"):
        BASE_TOP.decode(memoryview(b"\0"), 1, base)
    with pytest.raises(CorruptError, match="4 trained positions in a unit of 3"):
        BASE_TOP.decode(memoryview(b""), 4, base)
    with pytest.raises(CorruptError, match="this tensor has no base to rank"):
        BASE_TOP.decode(memoryview(b""), 1, vector_unit(3))
