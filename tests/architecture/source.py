"""The package as text: modules, their imports, their definitions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import freezepack

ROOT = Path(freezepack.__file__).parent
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        """Dotted name below the package: `format.reader`; `` for the package itself."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(part for part in parts if part != "__init__")

    @property
    def part(self) -> str:
        """First component of the name: what stands in the table of layers."""
        return self.name.split(".")[0]

    def imports(self) -> Iterator[tuple[str, bool]]:
        """Yield what is imported, and whether that happens when the module is."""
        run_on_import = set(map(id, self.tree.body))
        for node in ast.walk(self.tree):
            at_once = id(node) in run_on_import
            if isinstance(node, ast.Import):
                yield from ((alias.name, at_once) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module == "freezepack":
                yield from ((f"freezepack.{alias.name}", at_once) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module, at_once

    def public(self) -> Iterator[tuple[str, Definition]]:
        """Yield public functions, classes and methods with their dotted names."""
        for node in self.tree.body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                yield node.name, node
                if isinstance(node, ast.ClassDef):
                    for inner in node.body:
                        if isinstance(inner, Definition) and not inner.name.startswith("_"):
                            yield f"{node.name}.{inner.name}", inner


def modules() -> list[Module]:
    """Return all modules of the package."""
    paths = sorted(ROOT.rglob("*.py"))
    return [Module(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]
