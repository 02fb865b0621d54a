"""The tables of codecs against the list of numbers and the files of the folder."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS, index_codec_by_id, value_codec_by_id
from freezepack.codecs.base import IndexCodec, ValueCodec
from freezepack.registry import Registry

ROOT = Path(__file__).parents[2]
TOML = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
LISTED = TOML.loads((ROOT / "formats" / "ids.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("table", "registry"), [("index_codecs", INDEX_CODECS), ("value_codecs", VALUE_CODECS)]
)
def test_names_and_numbers_are_those_of_the_list(table: str, registry: Registry) -> None:
    lines = LISTED[table]
    assert {name for name, line in lines.items() if not line.get("reserved")} <= set(registry)
    for name, entry in registry.items():
        codec: IndexCodec | ValueCodec = registry.get_part(name)
        assert (codec.name, codec.id) == (name, lines[name]["id"])
        assert entry.summary


def test_codecs_are_found_by_number() -> None:
    for name in INDEX_CODECS:
        assert index_codec_by_id(LISTED["index_codecs"][name]["id"]).name == name
    for name in VALUE_CODECS:
        assert value_codec_by_id(LISTED["value_codecs"][name]["id"]).name == name


def test_an_unknown_number_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        index_codec_by_id(200)
    with pytest.raises(LookupError):
        value_codec_by_id(200)


def test_every_codec_of_the_folder_is_in_a_table() -> None:
    folder = ROOT / "freezepack" / "codecs"
    entries = [*INDEX_CODECS.values(), *VALUE_CODECS.values()]
    named = {entry.target.partition(":")[0].split(".")[2] for entry in entries}
    pattern = re.compile(r"^class \w+\((IndexCodec|ValueCodec|Predicted)\)", re.MULTILINE)
    for path in folder.rglob("*.py"):
        if pattern.search(path.read_text("utf-8")):
            assert path.relative_to(folder).with_suffix("").parts[0] in named
