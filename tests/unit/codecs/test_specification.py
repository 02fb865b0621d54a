"""The worked examples of formats/codecs.md, against the code."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS
from freezepack.codecs.base import BaseValues, vector_unit
from freezepack.types import DType, RawArray

TEXT = (Path(__file__).parents[3] / "formats" / "codecs.md").read_text(encoding="utf-8")


def examples(name: str) -> list[str]:
    """The lines of the code block behind the comment that names it."""
    _, block = re.split(rf"<!-- example: {name}\b.*-->\n\n", TEXT)
    return re.match(r"(?:    .*\n)+", block)[0].splitlines()  # type: ignore[index]


def elements(text: str, dtype: DType) -> RawArray:
    parts = [part.partition("*") for part in text.split()]
    return np.frombuffer(b"".join(bytes.fromhex(h) * int(n or 1) for h, _, n in parts), dtype.raw)


@pytest.mark.parametrize("name", ["bitmap", "gaps"])
def test_index_examples(name: str) -> None:
    codec = INDEX_CODECS.get_part(name)
    for line in examples(name):
        size, trained, section = re.match(r" +size (\d+), trained ([\d ]+?)   +(.*)", line).groups()  # type: ignore[union-attr]
        positions = np.array(trained.split(), np.uint32)
        unit = vector_unit(int(size))
        assert codec.encode(positions, unit) == bytes.fromhex(section)
        found = codec.decode(memoryview(bytes.fromhex(section)), positions.size, unit)
        assert found.tolist() == positions.tolist()


def test_seeded_examples() -> None:
    codec = INDEX_CODECS.get_part("seeded")
    for line in examples("seeded"):
        key, stream, start, size, count, *trained = map(int, re.findall(r"\d+", line))
        unit = dataclasses.replace(vector_unit(size), key=key, stream=stream, start=start)
        assert codec.decode(memoryview(b""), count, unit).tolist() == trained


@pytest.mark.parametrize("name", ["raw", "constant"])
def test_value_examples(name: str) -> None:
    codec = VALUE_CODECS.get_part(name)
    for line in examples(name):
        dtype_name, values, section = re.match(r" +(\w+), values (.*?)   +(.*)", line).groups()  # type: ignore[union-attr]
        raw = elements(values, DType[dtype_name])
        assert codec.encode(raw, DType[dtype_name], None) == bytes.fromhex(section)


def test_planes_examples() -> None:
    codec = VALUE_CODECS.get_part("planes")
    lines = examples("planes")
    assert len(lines) == 6
    for given, section in zip(lines[::2], lines[1::2], strict=True):
        pattern = r" +(\w+), values (.*?)(?:, base (.*))?"
        dtype_name, values, start = re.fullmatch(pattern, given).groups()  # type: ignore[union-attr]
        dtype = DType[dtype_name]
        raw = elements(values, dtype)
        base = BaseValues(lambda: elements(start, dtype)) if start else None  # noqa: B023
        data = memoryview(bytes.fromhex(section))
        assert codec.decode(data, dtype, raw.size, base, 0).tolist() == raw.tolist()
