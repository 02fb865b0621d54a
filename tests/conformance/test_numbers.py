"""ids.toml, the specification and the code have the same numbers, both ways."""

import re
import sys
from importlib import import_module
from typing import Any

import pytest

from freezepack.codecs import (
    INDEX_CODECS,
    VALUE_CODECS,
    index_codec_by_id,
    value_codec_by_id,
)
from freezepack.format import constants
from freezepack.format.names import ENDINGS, FIRST_ENDING, FIRST_WORD, WORDS
from freezepack.types import Draw, DType
from tests.conformance.vectors import FORMATS, specification

tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
IDS: dict[str, dict[str, Any]] = tomllib.loads((FORMATS / "ids.toml").read_text(encoding="utf-8"))


def used(section: str) -> dict[str, int]:
    return {name: row["id"] for name, row in IDS[section].items() if not row.get("reserved")}


@pytest.mark.parametrize("section", [name for name in IDS if name not in ("magic", "version")])
def test_no_number_stands_twice(section: str) -> None:
    rows = IDS[section].values()
    if section == "limits":
        return
    taken = [n for row in rows for n in range(row["id"], row.get("last", row["id"]) + 1)]
    assert len(taken) == len(set(taken))
    assert all(row.get("since") == 1 or row.get("reserved") for row in rows)


def test_types_and_draws() -> None:
    assert used("dtypes") == {dtype.name: dtype.value for dtype in DType}
    sizes = {n: row["bytes"] for n, row in IDS["dtypes"].items() if not row.get("reserved")}
    assert sizes == {dtype.name: dtype.itemsize for dtype in DType}
    assert used("draws") == {draw.name: draw.value for draw in Draw}
    assert used("base_kinds") == {kind.name: kind.value for kind in constants.BaseKind}


def test_codecs() -> None:
    assert set(used("index_codecs")) == set(INDEX_CODECS)
    assert set(used("value_codecs")) == set(VALUE_CODECS)
    for name, number in used("index_codecs").items():
        assert index_codec_by_id(number) is INDEX_CODECS.get_part(name)
        assert index_codec_by_id(number).id == number
    for name, number in used("value_codecs").items():
        assert value_codec_by_id(number) is VALUE_CODECS.get_part(name)
        assert value_codec_by_id(number).id == number


def test_the_container() -> None:
    assert IDS["magic"]["hex"] == constants.MAGIC.hex()
    assert IDS["version"] == {"current": constants.VERSION, "coded": constants.VERSION_CODED}
    assert used("features") == {"partial": 0}
    assert constants.KNOWN_FEATURES == constants.FEATURE_PARTIAL == 1 << 0
    assert used("kind_flags") == {"explicit_stream": 0}
    assert constants.KNOWN_KIND_FLAGS == constants.KIND_EXPLICIT_STREAM == 1 << 0
    assert used("metadata_keys") == {name: n for n, name in constants.METADATA_KEYS.items()}
    assert used("words") == {word: FIRST_WORD + place for place, word in enumerate(WORDS)}
    assert used("endings") == {end: FIRST_ENDING + place for place, end in enumerate(ENDINGS)}


def test_the_limits() -> None:
    assert IDS["limits"] == {
        "unit_positions": constants.UNIT_POSITIONS,
        "small_payload": constants.SMALL_PAYLOAD,
        "small_model": constants.SMALL_MODEL,
        "header": constants.MAX_HEADER,
        "coded_header": constants.MAX_CODED,
        "tensors": constants.MAX_TENSORS,
        "units": constants.MAX_UNITS,
        "run_tensors": constants.MAX_RUN_TENSORS,
        "name": constants.MAX_NAME,
        "names": constants.MAX_NAMES,
        "rank": constants.MAX_RANK,
        "bases": constants.MAX_BASES,
        "kinds": constants.MAX_KINDS,
        "metadata": constants.MAX_METADATA,
        "text": constants.MAX_TEXT,
        "length": constants.MAX_LENGTH,
    }


def test_the_specification_states_the_limits() -> None:
    text = specification()
    powers = {
        "unit_positions": "2^20", "small_model": "2^24", "header": "2^26", "tensors": "2^18",
        "units": "2^21", "names": "2^24",
    }  # fmt: skip
    for name, value in IDS["limits"].items():
        shown = {"length": "2^63 - 1"}.get(name, powers.get(name, f"{value:,}"))
        assert re.search(rf"at most {re.escape(shown)}\b", text) or shown in text, name
        if name in powers:
            assert 2 ** int(powers[name][2:]) == value
