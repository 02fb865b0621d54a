"""What every module and every public name owes to its reader."""

import ast
import importlib
import inspect
import re
from typing import Any

import pytest

import freezepack
from tests.architecture.source import ROOT, Module, modules

SECTIONS = (
    "Parameters", "Attributes", "Returns", "Yields", "Raises", "Notes", "References", "Examples",
)  # fmt: skip
"""In this order."""
MOST_LINES = 300
SECTION = re.compile(r"^ *(\w[\w ]*)\n *(-{3,})$", re.MULTILINE)
ALL = modules()
PUBLIC = [
    pytest.param(module, name, node, id=f"{module.name}:{name}")
    for module in ALL
    for name, node in module.public()
]


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name or "freezepack")
def test_a_module_says_what_it_is_for_and_stays_short(module: Module) -> None:
    text = module.path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    if text:
        first = (ast.get_docstring(module.tree) or "").splitlines()[0]
        assert first.endswith((".", "`"))


@pytest.mark.parametrize(("module", "name", "node"), PUBLIC)
def test_a_public_name_has_a_docstring(module: Module, name: str, node: Any) -> None:
    text = ast.get_docstring(node) or ""
    if not text:
        inherited = isinstance(node, ast.FunctionDef) and "." in name
        assert inherited, f"{module.name}:{name} has no docstring"
        return
    assert text.splitlines()[0].endswith("."), text.splitlines()[0]
    found = SECTION.findall(text)
    assert all(len(title) == len(line) for title, line in found)
    titles = [title for title, _ in found]
    assert set(titles) <= set(SECTIONS)
    assert titles == sorted(titles, key=SECTIONS.index)


@pytest.mark.parametrize("name", sorted(set(freezepack.__all__)))
def test_what_users_import_first_is_documented_in_full(name: str) -> None:
    value = getattr(freezepack, name)
    if not inspect.isfunction(value):
        return
    text = inspect.getdoc(value) or ""
    wanted = ["Returns", "Examples"]
    if inspect.signature(value).parameters:
        wanted.insert(0, "Parameters")
    titles = [title for title, _ in SECTION.findall(text)]
    assert [title for title in wanted if title not in titles] == []


def test_no_assert_guards_input_and_nothing_prints() -> None:
    for module in ALL:
        for node in ast.walk(module.tree):
            assert not isinstance(node, ast.Assert), f"{module.name}:{node.lineno}"
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "print"), module.name


def test_the_package_is_found_where_its_modules_are() -> None:
    assert importlib.import_module("freezepack").__file__ == str(ROOT / "__init__.py")
