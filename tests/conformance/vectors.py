"""Where the vectors are, and what stands beside them."""

import json
from pathlib import Path
from typing import Any

FORMATS = Path(__file__).resolve().parents[2] / "formats"
VECTORS = FORMATS / "vectors"
GOLDEN = sorted(path.stem for path in (VECTORS / "files").glob("*.fpk"))
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


def _vector(folder: str, name: str) -> tuple[bytes, dict[str, Any]]:
    path = VECTORS / folder / name
    data = path.with_name(f"{name}.fpk").read_bytes()
    return data, json.loads(path.with_name(f"{name}.json").read_text(encoding="utf-8"))
