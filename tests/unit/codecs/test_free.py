import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from freezepack.codecs.base import Unit, vector_unit
from freezepack.codecs.free import FREE
from freezepack.errors import CorruptError, FormatError, TruncatedError
from freezepack.random.seeded import permutation

TEXT = (Path(__file__).parents[3] / "formats/masks.md").read_text()
VECTOR = replace(vector_unit(200, offset=64), key=7, stream=3)


def block(name: str) -> list[str]:
    found = re.search(rf"^```{name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    lines = [line.partition("#")[0].strip() for line in found[1].splitlines()]
    return [line for line in lines if line]


def test_the_vector_of_the_specification() -> None:
    section, *marked = block("free")[0].split()
    positions = np.array(marked, np.uint32)
    assert FREE.encode(positions, VECTOR) == bytes.fromhex(section)
    found = FREE.decode(memoryview(bytes.fromhex(section)), 44, VECTOR)
    assert found.dtype == np.uint32
    assert found.tolist() == positions.tolist()


@pytest.mark.parametrize("line", block("refused"))
def test_the_refused_sections_of_the_specification(line: str) -> None:
    with pytest.raises(FormatError) as caught:
        FREE.decode(memoryview(bytes.fromhex(line.replace("-", ""))), 44, VECTOR)
    assert isinstance(caught.value, TruncatedError | CorruptError)
    assert caught.value.field == "index"
    assert 64 <= caught.value.offset <= 68


@pytest.mark.parametrize(
    ("marked", "locked", "density", "inner"),
    [(200, 500, 0.5, 2), (300, 20, 0.05, 3), (100, 900, 0.0, 0), (0, 1000, 1.0, 1)],
)
def test_every_inner_codec_comes_back(marked: int, locked: int, density: float, inner: int) -> None:
    unit = Unit(size=2000, rows=20, cols=100, kernel=1, start=0, key=5, stream=9)
    order = permutation(2000, seed=5, stream=2**63 + 9)
    rest = order[marked + locked :]
    chosen = rest[: int(density * rest.size)]
    chosen = np.random.default_rng(0).permutation(rest)[: chosen.size]
    positions = np.sort(np.concatenate([order[:marked], chosen])).astype(np.uint32)
    section = FREE.encode(positions, unit)
    assert section is not None
    codec_at = [place for place, byte in enumerate(section) if byte < 128][1] + 1
    assert section[codec_at] == inner
    found = FREE.decode(memoryview(section), positions.size, unit)
    assert found.tolist() == positions.tolist()


def test_the_base_predicts_free_positions() -> None:
    base = (np.arange(2000, dtype=np.uint32) * 2654435761 >> np.uint32(4)) | np.uint32(0x3C000000)
    base &= np.uint32(0x3FFFFFFF)
    unit = Unit(2000, 20, 100, 1, 0, key=5, stream=9, base=lambda: base)
    order = permutation(2000, seed=5, stream=2**63 + 9)
    free = np.sort(order[1000:])
    chosen = free[np.argsort(base[free])[-200:]]
    positions = np.sort(chosen).astype(np.uint32)
    section = FREE.encode(positions, unit)
    assert section is not None
    assert section[3] == 5
    assert len(section) < 60
    assert FREE.decode(memoryview(section), 200, unit).tolist() == positions.tolist()


def test_a_mask_of_which_the_seed_knows_nothing_is_not_coded() -> None:
    assert FREE.encode(np.array([1, 2], np.uint32), vector_unit(200)) is None
    everything_else = np.sort(permutation(200, seed=7, stream=2**63 + 3)[30::2])
    assert FREE.encode(everything_else.astype(np.uint32), VECTOR) is None


def test_a_seed_is_needed() -> None:
    with pytest.raises(CorruptError, match="a mask from a seed, and no seed"):
        FREE.decode(memoryview(b"\0\0\0"), 0, vector_unit(3))
