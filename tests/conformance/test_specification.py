"""The text of the specification, read by a program."""

import ast
import re
from pathlib import Path

import pytest

import freezepack.format
from freezepack.format.reader import PackReader
from tests.conformance.vectors import GOLDEN, golden, specification
from tests.robustness.surgery import trace

EXAMPLE = re.compile(r"^ {4,6}(\d+)  ((?:[0-9a-f]{2} )*[0-9a-f]{2}) +(\w+)", re.MULTILINE)


def test_the_worked_example_is_the_file() -> None:
    text = specification().split("<!-- example: tests compare")[1].split("## 11.")[0]
    lines = [(int(o), bytes.fromhex(h), field) for o, h, field in EXAMPLE.findall(text)]
    data, _ = golden("tiny")
    assert b"".join(piece for _, piece, _ in lines) == data
    header = [(field.offset, field.data, field.name) for field in trace(data)]
    assert lines[: len(header)] == header
    assert [field for _, _, field in lines[len(header) :]] == ["values", "index", "values"]


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


@pytest.mark.parametrize("name", GOLDEN)
def test_the_fields_of_a_file_cover_its_header(name: str) -> None:
    data, _ = golden(name)
    fields = trace(data)
    header = PackReader(data).header
    payload = header.sizes["index"] + header.sizes["values"]
    assert b"".join(field.data for field in fields) == data[: len(data) - payload]
    assert [field.offset for field in fields] == [
        sum(len(before.data) for before in fields[:place]) for place in range(len(fields))
    ]
