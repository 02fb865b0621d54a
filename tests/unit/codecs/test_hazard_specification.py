import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.base import Unit
from freezepack.codecs.hazard import kernel, reference
from freezepack.codecs.hazard.codec import HAZARD
from freezepack.codecs.hazard.layout import Layout
from freezepack.codecs.hazard.tables import SHA256, tables
from freezepack.errors import CorruptError

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "formats/hazard.md").read_text(encoding="utf-8")


def block(name: str) -> list[list[str]]:
    found = re.search(rf"^```{name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    lines = [line.partition("#")[0].split() for line in found[1].splitlines()]
    return [words for words in lines if words]


def make_case(rows: int, columns: int, x: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    patterns, trained = [], []
    for row in range(rows):
        for column in range(columns):
            x = (x * 1664525 + 1013904223) % 2**32
            v = (x >> 7) % 2**25
            patterns.append((x & 0x80000000) + 0x3C000000 + v)
            low = 0x1C00000 if (column // 4 + row) % 3 else 0x1F00000
            trained.append(v >= low)
    return np.array(patterns, np.uint32), np.flatnonzero(trained).astype(np.uint32)


@pytest.mark.parametrize("number", range(5))
def test_the_tables_are_those_of_the_specification(number: int) -> None:
    name = ("LOG2", "HIT", "SQUASH", "CALIBRATION", "RATE")[number]
    listed = [int(word) for line in block(f"table {name}") for word in line]
    assert list(tables()[number]) == listed


@pytest.mark.parametrize("name", ["log2", "hit", "squash", "calibration", "rate"])
def test_the_kernel_has_the_same_tables(name: str) -> None:
    # Masks reach the ends of a table too seldom to notice an error there.
    text = (ROOT / "freezepack/native/csrc/adaptive_tables.h").read_text(encoding="utf-8")
    found = re.search(rf"k{name.title()}\[\d+\] = {{(.*?)}};", text, re.DOTALL)
    assert found
    assert [int(word) for word in found[1].replace(",", " ").split()] == [*getattr(tables(), name)]


def test_the_specification_states_the_hash_of_the_tables() -> None:
    assert f"`{SHA256}`" in TEXT


@pytest.mark.parametrize("twin", [reference, kernel])
@pytest.mark.parametrize("vector", block("vectors"), ids=lambda words: "x".join(words[:3]))
def test_vectors_come_out_of_both_twins(twin: object, vector: list[str]) -> None:
    if twin is kernel and native.library() is None:
        pytest.skip("no kernel")
    rows, columns, kernel_area, x, count = map(int, vector[:5])
    base, positions = make_case(rows, columns, x)
    layout = Layout(rows, columns, kernel_area, count)
    code = kernel if twin is kernel else reference
    assert positions.size == count
    assert code.encode(base, layout, positions, int(vector[5][:2], 16)).hex() == vector[5]
    assert code.decode(base, layout, bytes.fromhex(vector[5])).tolist() == positions.tolist()


@pytest.mark.parametrize("native_on", ["0", "1"])
@pytest.mark.parametrize("section", [words[0] for words in block("refused")])
def test_refused_sections_are_corrupt(
    section: str, native_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", native_on)
    base, _ = make_case(24, 40, 1)
    unit = Unit(size=960, rows=24, cols=40, kernel=1, start=0, base=lambda: base, offset=77)
    with pytest.raises(CorruptError, match="index at byte 77: the stream "):
        HAZARD.decode(memoryview(bytes.fromhex(section)), 94, unit)
