"""Imports point down, and what reads a pack needs no torch."""

import subprocess
import sys

import pytest

from tests.architecture.source import Module, modules

LAYERS = (
    ("errors",),
    ("registry", "types", "files", "slicing"),
    ("native",),
    ("random",),
    ("digest",),
    ("codecs",),
    ("format",),
    ("rebuild",),
    ("pack",),
    ("models", "nn", "scores"),
    ("selection", "checkpoints"),
    ("handle", "saving"),
    ("matching",),
    ("modules", "numpy"),
    ("export",),
    ("train",),
    ("rate",),
    ("torch",),
    ("bench",),
    ("cli",),
)
"""From the bottom. Parts of one row do not import each other."""
RANK = {part: rank for rank, row in enumerate(LAYERS) for part in row}
WITHOUT_TORCH = [part for row in LAYERS[:9] for part in row]
"""Reading and rebuilding need NumPy alone."""
ALL = modules()


def show(module: Module) -> str:
    return module.name or "freezepack"


def test_every_part_has_a_layer() -> None:
    parts = {module.part for module in ALL} - {"", "data", "__main__"}
    assert parts == set(RANK)


@pytest.mark.parametrize("module", ALL, ids=show)
def test_imports_point_down(module: Module) -> None:
    if module.part not in RANK:
        return
    for name, _ in module.imports():
        parts = name.split(".")
        if parts[0] != "freezepack" or len(parts) == 1 or parts[1] not in RANK:
            continue
        same = parts[1] == module.part
        assert same or RANK[parts[1]] < RANK[module.part], f"{module.name} imports {name}"


@pytest.mark.parametrize("part", WITHOUT_TORCH)
def test_the_lower_half_loads_torch_on_demand_only(part: str) -> None:
    for module in ALL:
        if module.part == part and "torch" not in module.name:
            at_once = [name for name, is_at_once in module.imports() if is_at_once]
            assert not [name for name in at_once if name.split(".")[0] == "torch"], module.name


PROGRAM = """
import sys
import {0}
heavy = {{"numpy", "torch", "zstandard", "onnx", "safetensors", "rich"}}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("module", "loaded"),
    [
        ("freezepack", "[]"),
        ("freezepack.cli", "[]"),
        ("freezepack.errors", "[]"),
        ("freezepack.format.reader", "['numpy']"),
    ],
)
def test_what_an_import_loads(module: str, loaded: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == loaded
