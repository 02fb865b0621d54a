"""The text of the specification, read by a program."""

import ast
import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import freezepack.format
from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.format.coded import cursors
from freezepack.format.coded.numbers import Numbers
from freezepack.format.coded.primer import NETWORK
from freezepack.format.coded.texts import PRIMER
from freezepack.format.reader import PackReader
from tests.conformance.vectors import CODED, PLAIN, golden, specification, vector_writer
from tests.robustness.surgery import take_apart, trace

EXAMPLE = re.compile(r"^ {4,6}(\d+)  ((?:[0-9a-f]{2} )*[0-9a-f]{2}) +(\w+)", re.MULTILINE)


def test_the_worked_example_is_the_file() -> None:
    text = specification().split("<!-- example: tests compare")[1].split("## 11.")[0]
    lines = [(int(o), bytes.fromhex(h), field) for o, h, field in EXAMPLE.findall(text)]
    data, _ = golden("tiny")
    assert b"".join(piece for _, piece, _ in lines) == data
    header = [(field.offset, field.data, field.name) for field in trace(data)]
    assert lines[: len(header)] == header
    assert [field for _, _, field in lines[len(header) :]] == ["values", "index", "values"]


def test_the_worked_example_of_a_coded_header_is_the_file() -> None:
    text = specification("header.md").split("<!-- example: tests compare")[1]
    lines = [(int(o), bytes.fromhex(h)) for o, h, _ in EXAMPLE.findall(text)]
    data, _ = golden("coded-tiny")
    assert b"".join(piece for _, piece in lines) == data
    assert [at for at, _ in lines] == [
        sum(len(piece) for _, piece in lines[:place]) for place in range(len(lines))
    ]


def test_the_decisions_of_the_example_are_those_of_the_reader() -> None:
    found: list[tuple[str, str, int, int]] = []

    class Logger(Numbers):
        context: object = "raw"

        def bit(self, context: Hashable, *arguments: Any, **options: Any) -> int:
            self.context = context
            return super().bit(context, *arguments, **options)

        def _code(self, p: int, bit: int | None) -> int:
            decided = super()._code(p, bit)
            shown = json.dumps(self.context if isinstance(self.context, tuple) else [self.context])
            found.append((self.field, shown, p, decided))
            return decided

    with mock.patch.object(cursors, "Numbers", Logger):
        PackReader(golden("coded-tiny")[0])
    text = re.findall(r"```decisions\n(.*?)```", specification("header.md"), re.S)[0]
    rows = re.findall(r"^(\w+) +(\[.*\]) +(\d+) +([01])$", text, re.M)
    assert [(f, c, int(p), int(bit)) for f, c, p, bit in rows] == found[:24]
    assert len(found) == 249


def test_the_fields_of_errors_are_those_of_the_specification() -> None:
    """Every field that the code reads stands in a table, and every field there is read."""
    read = {"index", "values", "header", "payload"}
    folder = Path(freezepack.format.__file__).parent
    methods = ("take", "unsigned", "varint", "text", "_number", "read_number", "_length")
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in methods or name.endswith("Error"):
                    texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                    read |= {
                        text for text in texts if isinstance(text, str) and text.isidentifier()
                    }
    named = set(re.findall(r"^\| (?:for each: )?`(\w+)` \|", specification(), re.MULTILINE))
    digests = {"digest", "tensor_count", "index", "values", "header", "payload"}
    assert read - {"metadata_key", "free_key"} <= named | digests
    assert named <= read | {"metadata_key", "free_key", "units", "name"}


@pytest.mark.parametrize("name", PLAIN)
def test_the_fields_of_a_file_cover_its_header(name: str) -> None:
    data, _ = golden(name)
    fields = trace(data)
    header = PackReader(data).header
    payload = header.sizes["index"] + header.sizes["values"]
    assert b"".join(field.data for field in fields) == data[: len(data) - payload]
    assert [field.offset for field in fields] == [
        sum(len(before.data) for before in fields[:place]) for place in range(len(fields))
    ]


def test_the_texts_and_the_network_of_coded_headers_are_those_of_the_code() -> None:
    text = specification("header.md")
    primer = re.findall(r"```primer\n(.*?)```", text, re.S)[0]
    lines = [line.partition(" ") for line in primer.splitlines()]
    assert [(int(key), words) for key, _, words in lines] == list(PRIMER)
    network = re.findall(r"```network\n(.*?)```", text, re.S)[0]
    rows = [line.split() for line in network.splitlines()]
    assert [
        (name, tuple(map(int, shape.split(","))), int(parameter, 16))
        for name, shape, parameter in rows
    ] == list(NETWORK)


@pytest.mark.parametrize("name", [name.removeprefix("coded-") for name in CODED])
def test_a_second_encoder_codes_headers_to_the_same_bytes(name: str) -> None:
    """It was written from the text alone, and shares nothing with the first."""
    features, fields, payload = take_apart(golden(name)[0])
    code_header = vector_writer("coded").code_header
    header = code_header([(f.name, f.data) for f in fields], _lefts(name), features[0])
    coded = golden(f"coded-{name}")[0]
    assert coded[len(coded) - len(payload) - len(header) :] == header + payload


def _lefts(name: str) -> list[int]:
    """Return, for each length that a header stores, the bytes from where the section begins."""
    data = golden(name)[0]
    lefts = []
    for record in PackReader(data).header.tensors.values():
        index = index_codec_by_id(record.kind.index_codec)
        values = value_codec_by_id(record.kind.value_codec)
        for number, entry in enumerate(record.explicit_units or ()):
            size = record.layout.unit_size(number)
            if 0 < entry.count < size and index.fixed_length(size, entry.count) is None:
                lefts.append(len(data) - entry.index_offset)
            if entry.count and values.fixed_length(record.spec.dtype, entry.count) is None:
                lefts.append(len(data) - entry.values_offset)
    return lefts
