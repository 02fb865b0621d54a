import re
from pathlib import Path

import numpy as np
import pytest

from freezepack.codecs.floats.codec import FLOAT
from freezepack.codecs.narrowed import BF16, FP16, Narrowed
from freezepack.errors import CorruptError
from freezepack.types import DType, RawArray

TEXT = (Path(__file__).parents[3] / "formats/grid.md").read_text()
CODECS = {"bf16": BF16, "fp16": FP16}


def bits(*values: float) -> RawArray:
    return np.array(values, np.float32).view(np.uint32)


@pytest.mark.parametrize("name", ["bf16", "fp16"])
def test_the_vectors_of_the_specification(name: str) -> None:
    found = re.search(rf"^{name} +([0-9a-f]+) +(.*)$", TEXT, re.MULTILINE)
    assert found
    codec, section = CODECS[name], bytes.fromhex(found[1])
    values = bits(1 / 3, -2.0, 1e-3, 65504.0)
    assert codec.encode(values, DType.float32, None) == section
    widened = codec.decode(memoryview(section), DType.float32, 4, None, 0)
    assert [f"{value:08x}" for value in widened.tolist()] == found[2].split()


@pytest.mark.parametrize(("codec", "largest"), [(BF16, 3.3895e38), (FP16, 65504.0)])
def test_what_has_no_finite_neighbour_is_not_coded(codec: Narrowed, largest: float) -> None:
    assert codec.encode(bits(largest), DType.float32, None) is not None
    for value in (np.nan, np.inf, -np.inf, 1.005 * largest):
        with np.errstate(over="ignore"):
            assert codec.encode(bits(1.0, value), DType.float32, None) is None
    assert codec.encode(np.zeros(1, np.uint64), DType.float64, None) is None


def test_ties_go_to_even_and_small_values_stay() -> None:
    values = np.array([0x3F808000, 0x3F818000, 0x00000001, 0x80000000], np.uint32)
    section = BF16.encode(values, DType.float32, None)
    assert section is not None
    found = BF16.decode(memoryview(section), DType.float32, 4, None, 0)
    assert [hex(value) for value in found.tolist()] == [
        "0x3f800000",
        "0x3f820000",
        "0x0",
        "0x80000000",
    ]


@pytest.mark.parametrize(
    ("codec", "dtype", "pattern"),
    [(BF16, DType.bfloat16, 0x7F80), (FP16, DType.float16, 0xFE00)],
)
def test_stored_values_have_to_be_finite(codec: Narrowed, dtype: DType, pattern: int) -> None:
    section = FLOAT.encode(np.array([pattern], np.uint16), dtype, None)
    assert section is not None
    with pytest.raises(CorruptError, match=f"values at byte 9: a {codec.name} value is not finite"):
        codec.decode(memoryview(section), DType.float32, 1, None, 9)


def test_other_element_types_are_refused() -> None:
    with pytest.raises(CorruptError, match="values of float16 as bf16, expected float32"):
        BF16.decode(memoryview(b""), DType.float16, 1, None, 0)
