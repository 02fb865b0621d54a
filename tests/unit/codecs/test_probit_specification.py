import re
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.base import Unit
from freezepack.codecs.probit import kernel, reference
from freezepack.codecs.probit.codec import PROBIT
from freezepack.codecs.probit.layout import Layout, Preset
from freezepack.codecs.probit.tables import SHA256, tables
from freezepack.errors import CorruptError
from freezepack.types import Positions
from tests.unit.codecs.test_hazard_specification import make_case

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "formats/probit.md").read_text(encoding="utf-8")


def block(name: str) -> list[list[str]]:
    found = re.search(rf"^```{name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    lines = [line.partition("#")[0].split() for line in found[1].splitlines()]
    return [words for words in lines if words]


def make_deep_case(rows: int, columns: int, x: int) -> tuple[NDArray[np.uint32], Positions]:
    base, positions = make_case(rows, columns, x)
    base[::7] = 0
    return base, positions


def make_steep_case(rows: int, columns: int, x: int) -> tuple[NDArray[np.uint32], Positions]:
    base, positions = make_case(rows, columns, x)
    base[np.arange(base.size) % 16 != 0] -= np.uint32(0x09000000)
    return base, positions


MAKERS = {"vectors": make_case, "vectors-deep": make_deep_case, "vectors-steep": make_steep_case}
VECTORS = [(words, make) for name, make in MAKERS.items() for words in block(name)]
PRESETS = [Preset.of(bytes.fromhex(words[5][:4])) for words, _ in VECTORS]


@pytest.mark.parametrize("name", ["logit", "pull", "gain", "exp2"])
def test_the_tables_are_those_of_the_specification(name: str) -> None:
    listed = [int(word) for word in chain.from_iterable(block(f"table {name.upper()}"))]
    assert list(getattr(tables(), name)) == listed


@pytest.mark.parametrize("name", ["logit", "pull", "gain", "exp2"])
def test_the_kernel_has_the_same_tables(name: str) -> None:
    # Masks reach the ends of a table too seldom to notice an error there.
    text = (ROOT / "freezepack/native/csrc/probit_tables.h").read_text(encoding="utf-8")
    found = re.search(rf"kProbit{name.title()}\[\d+\] = {{(.*?)}};", text, re.DOTALL)
    assert found
    assert [int(word) for word in found[1].replace(",", " ").split()] == [*getattr(tables(), name)]


def test_the_specification_states_the_hash_of_the_tables() -> None:
    assert f"`{SHA256}`" in TEXT
    assert f"are {len(tables().to_bytes()):,} bytes" in TEXT


@pytest.mark.parametrize("twin", [reference, kernel])
@pytest.mark.parametrize(
    ("vector", "make"),
    VECTORS,
    ids=lambda value: "x".join(value[:3]) if isinstance(value, list) else value.__name__,
)
def test_vectors_come_out_of_both_twins(twin: object, vector: list[str], make: Any) -> None:
    if twin is kernel and native.library() is None:
        pytest.skip("no kernel")
    rows, columns, area, x, count = map(int, vector[:5])
    base, positions = make(rows, columns, x)
    layout, section = Layout(rows, columns, area, count), bytes.fromhex(vector[5])
    code = kernel if twin is kernel else reference
    assert positions.size == count
    assert code.encode(base, layout, positions, section[:2]) == section
    assert code.decode(base, layout, section).tolist() == positions.tolist()


@pytest.mark.parametrize(
    ("field", "values"),
    [("noise", 4), ("row", 4), ("place", 4), ("cell", 4), ("column", 8), ("group", 8)],
)
def test_vectors_hold_every_value_of_a_field(field: str, values: int) -> None:
    assert len({getattr(preset, field) for preset in PRESETS}) == values


def test_vectors_hold_every_width_that_matters() -> None:
    widths = set()
    for preset, (words, _) in zip(PRESETS, VECTORS, strict=True):
        columns, area = int(words[1]), int(words[2])
        free = not 2 <= area <= 64 and columns > preset.width
        if free and (preset.group or preset.place or preset.cell):
            widths.add(preset.width)
    assert widths == {16, 28, 32, 49}


@pytest.mark.parametrize("native_on", ["0", "1"])
@pytest.mark.parametrize("section", [words[0] for words in block("refused")])
def test_refused_sections_are_corrupt(
    section: str, native_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZEPACK_NATIVE", native_on)
    base, _ = make_case(24, 40, 1)
    unit = Unit(size=960, rows=24, cols=40, kernel=1, start=0, base=lambda: base, offset=77)
    with pytest.raises(CorruptError, match="index at byte 77: the stream "):
        PROBIT.decode(memoryview(bytes.fromhex(section)), 94, unit)


@pytest.mark.parametrize("section", [words[0] for words in block("refused-width")])
def test_a_width_beside_that_of_the_kernel_is_corrupt(section: str) -> None:
    base, _ = make_case(12, 45, 7)
    unit = Unit(size=540, rows=12, cols=45, kernel=9, start=0, base=lambda: base, offset=77)
    with pytest.raises(CorruptError, match="index at byte 77: the preset names a width"):
        PROBIT.decode(memoryview(bytes.fromhex(section)), 49, unit)
