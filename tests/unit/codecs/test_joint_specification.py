"""formats/joint.md against both twins: its vectors, and its tables of starts."""

import math
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack import native
from freezepack.codecs.joint import (
    MOST_LEVEL,
    JointSpec,
    decode_joint,
    kernel,
    matrix,
    priors,
    reference,
)
from freezepack.codecs.joint.priors import PRIORS, Prior, Start
from freezepack.codecs.joint.shapes import lay_out, measure_depths
from freezepack.errors import CorruptError

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "formats/joint.md").read_text(encoding="utf-8")
HEADER = (ROOT / "freezepack/native/csrc/joint_priors.h").read_text(encoding="utf-8")
OF_ALL = [name for name in vars(priors) if name.isupper() and name != "PRIORS"]


def block(name: str) -> list[str]:
    found = re.search(rf"^```{name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return [line for line in found[1].splitlines() if not line.startswith("#")]


class Case:
    """One vector: the integers and bases that its line describes, and their stream."""

    def __init__(self, line: str) -> None:
        head, _, rest = line.partition("(")
        self.x, self.percent, self.most = map(int, head.split())
        *tensors, stream = rest.split()
        self.stream = bytes.fromhex(stream)
        self.specs, self.levels = [], []
        for text in tensors:
            words, run, star = re.fullmatch(r"\(?([\d,]*)\)(?:/(\d+))?(\*?)", text).groups()  # type: ignore[union-attr]
            shape = tuple(int(word) for word in words.split(",") if word)
            levels, base = self._make(math.prod(shape), int(run or 0))
            self.levels.append(levels)
            self.specs.append(JointSpec(shape, partial(np.copy, base) if star else None))
        self.layouts = lay_out([spec.shape for spec in self.specs])
        self.depths = [measure_depths(spec.base()) if spec.base else None for spec in self.specs]

    def _make(self, size: int, run: int) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
        levels, base = np.zeros(size, np.int32), np.zeros(size, np.uint32)
        for i in range(size):
            x = self.x = (self.x * 1664525 + 1013904223) % 2**32
            if x // 2**8 % 100 < self.percent and not (run and i // run % 2):
                levels[i] = x // 2**20 % (2 * self.most + 1) - self.most
            base[i] = 0x3C000000 + x // 2**6 % 2**25 + x // 2**31 * 2**31
        return levels, base


CASES = [Case(line) for line in block("vectors")]


@pytest.mark.parametrize("twin", [reference, kernel], ids=["reference", "kernel"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stream.hex()[:8])
def test_vectors_come_out_of_both_twins(twin: object, case: Case) -> None:
    if twin is kernel and native.library() is None:
        pytest.skip("no kernel")
    code = kernel if twin is kernel else reference
    assert code.encode(case.layouts, case.levels, case.depths) == case.stream
    found = code.decode(case.stream, case.layouts, case.depths)
    assert [part.tolist() for part in found] == [part.tolist() for part in case.levels]


def test_vectors_hold_every_form_and_integers_of_all_lengths() -> None:
    grids = {grid.form for case in CASES for one in case.layouts for grid in (one.linked, one.free)}
    assert grids == {0, 1, 2}
    lengths = {abs(q).bit_length() for case in CASES for part in case.levels for q in part.tolist()}
    assert {0, 1, 2, 3, 4, 5, 6, MOST_LEVEL.bit_length() - 1} <= lengths
    assert f"1 to {MOST_LEVEL:,} has" in TEXT


@pytest.mark.parametrize("line", block("refused"))
def test_streams_that_are_not_canonical_are_refused(line: str) -> None:
    with pytest.raises(CorruptError, match="values at byte 7: the stream is not as its encoder"):
        decode_joint(bytes.fromhex(line.partition("#")[0]), CASES[0].specs, offset=7)


def flatten(value: object) -> list[int]:
    """Return all numbers of a start, or of nested tuples of starts."""
    if isinstance(value, int):
        return [value]
    assert isinstance(value, Iterable)
    return [number for part in value for number in flatten(part)]


def list_rows(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, int):
        return [(name, str(value))]
    if isinstance(value, Start):
        return [(name, "{} {}".format(*value) if any(value) else "-")]
    assert isinstance(value, tuple)
    return [row for i, part in enumerate(value) for row in list_rows(f"{name}[{i}]", part)]


def test_the_starts_are_those_of_the_specification() -> None:
    columns = [
        [row for name in Prior._fields for row in list_rows(name, getattr(prior, name))]
        for prior in PRIORS
    ]
    expected = [
        [first[0], first[1], second[1], third[1]]
        for first, second, third in zip(*columns, strict=True)
    ]
    assert [re.split(r"  +", line) for line in block("starts")] == expected


def test_the_starts_of_all_are_those_of_the_specification() -> None:
    listed = [re.sub(r"\[\d\]", "", line).split() for line in block("starts-of-all")]
    found: dict[str, list[int]] = {}
    for name, *numbers in listed:
        found.setdefault(name.upper(), []).extend(map(int, numbers))
    assert found == {name: flatten(getattr(priors, name)) for name in OF_ALL}


def test_the_kernel_starts_alike() -> None:
    body = re.search(r"kJointPriors\[3\] = {(.*?)^};", HEADER, re.MULTILINE | re.DOTALL)
    assert body
    found = [int(word) for word in re.findall(r"-?\d+", re.sub("//.*", "", body[1]))]
    assert found == [number for prior in PRIORS for number in flatten(tuple(prior))]
    for name in OF_ALL:
        camel = "kJoint" + name.title().replace("_", "")
        line = re.search(rf"{camel}[^=]* = (.*?);", HEADER, re.DOTALL)
        assert line, camel
        assert [int(w) for w in re.findall(r"-?\d+", line[1])] == flatten(getattr(priors, name))


@pytest.mark.slow
@pytest.mark.parametrize("form", [0, 1, 2])
def test_every_start_that_is_used_changes_a_vector(
    form: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = set()
    for name in Prior._fields:
        shifted: dict[str, Any] = {name: _shift(getattr(PRIORS[form], name))}
        changed = [*PRIORS]
        changed[form] = PRIORS[form]._replace(**shifted)
        monkeypatch.setattr(matrix, "PRIORS", tuple(changed))
        if all(_encode(case) == case.stream for case in CASES):
            still.add(name)
    unused = {name for name in Prior._fields if not any(flatten(getattr(PRIORS[form], name)))}
    if form == 1:
        unused |= {"channel_dies", "channel_lives", "fed"}  # an image is never linked
    assert still == unused


def _shift(value: object) -> object:
    """Return a start with all numbers much larger."""
    if isinstance(value, int):
        return value + 3000
    if isinstance(value, Start):
        return Start(value.mean + (1 << 14), value.variance + (1 << 22)) if any(value) else value
    assert isinstance(value, tuple)
    return tuple(_shift(part) for part in value)


def _encode(case: Case) -> bytes:
    return reference.encode(case.layouts, case.levels, case.depths)
