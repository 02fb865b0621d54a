"""Where the vectors are, and what stands beside them."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

FORMATS = Path(__file__).resolve().parents[2] / "formats"
VECTORS = FORMATS / "vectors"
GOLDEN = sorted(path.stem for path in (VECTORS / "files").glob("*.fpk"))
PLAIN = [name for name in GOLDEN if not name.startswith("coded-")]
"""Golden files whose header is not coded, so that every field has a place of its own."""
CODED = sorted(set(GOLDEN) - set(PLAIN))
REFUSED = sorted(path.stem for path in (VECTORS / "refused").glob("*.fpk"))


def golden(name: str) -> tuple[bytes, dict[str, Any]]:
    """Return a golden file and what a reader must find in it."""
    return _vector("files", name)


def refused(name: str) -> tuple[bytes, dict[str, Any]]:
    """Return a broken file and what a reader must report."""
    return _vector("refused", name)


def specification(name: str = "freezepack-1.md") -> str:
    """Return a text of formats/."""
    return (FORMATS / name).read_text(encoding="utf-8")


def vector_writer(module: str) -> Any:
    """Return a module of what vectors are written with, which is no package that is installed."""
    with mock.patch.object(sys, "path", [str(FORMATS), *sys.path]):
        return import_module(f"vector_writer.{module}")


def _vector(folder: str, name: str) -> tuple[bytes, dict[str, Any]]:
    path = VECTORS / folder / name
    data = path.with_name(f"{name}.fpk").read_bytes()
    return data, json.loads(path.with_name(f"{name}.json").read_text(encoding="utf-8"))
