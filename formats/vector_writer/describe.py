"""What stands in the .json beside a vector."""

import hashlib
import json
from typing import Any

from freezepack.digest import content_digest, digest
from freezepack.types import Base, Draw, FileBase, PackBase, SeedBase
from vector_writer.edits import Refusal
from vector_writer.parts import File
from vector_writer.tensors import Golden

FIRST = 8
"""How many elements are listed."""


def describe_file(file: File) -> dict[str, Any]:
    """Return what a reader must find in a golden file. Bits are hexadecimal, without prefix."""
    tensors = sorted(file.tensors, key=lambda tensor: tensor.spec.name.encode())
    digests = [(tensor.spec, digest(tensor.content())) for tensor in tensors]
    return {
        "about": file.about,
        "given": file.given,
        "partial": file.partial,
        "metadata": file.metadata,
        "aliases": file.aliases,
        "content_digest": f"{content_digest(digests):016x}",
        "tensors": [
            _describe_tensor(tensor, found)
            for tensor, (_, found) in zip(tensors, digests, strict=True)
        ],
    }


def describe_refusal(refusal: Refusal, offset: int) -> dict[str, Any]:
    """Return what a reader must report of a refused file."""
    return {
        "rule": refusal.rule,
        "stage": refusal.stage,
        "kind": refusal.kind,
        "field": refusal.field,
        "offset": offset,
    }


def to_json(description: dict[str, Any]) -> bytes:
    """Return a description as text: one line for each tensor."""
    lines = []
    for key, value in description.items():
        shown = json.dumps(value, ensure_ascii=False)
        if key == "tensors" and value:
            rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in value)
            shown = f"[\n{rows}\n ]"
        lines.append(f" {json.dumps(key)}: {shown}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _describe_tensor(tensor: Golden, found: int) -> dict[str, Any]:
    content = tensor.content()
    size = tensor.spec.dtype.itemsize
    first = content[:FIRST].tobytes()
    out: dict[str, Any] = {
        "name": tensor.spec.name,
        "dtype": tensor.spec.dtype.name,
        "shape": list(tensor.spec.shape),
        "base": _describe_base(tensor.base),
    }
    if isinstance(tensor.base, SeedBase) and tensor.init is not None:
        out["draw"] = tensor.init.draw.name
        out["scale"] = f"{tensor.init.bits:08x}"
        if tensor.init.draw == Draw.truncated_normal:
            out["tail"] = tensor.init.tail
    if tensor.init is not None:
        out["stream"] = tensor.init.stream
    if tensor.mask_seed is not None:
        out["mask_base"] = _describe_base(tensor.mask_seed)
    return out | {
        "index_codec": tensor.index,
        "value_codec": tensor.coding,
        "trained": tensor.spec.size if tensor.positions is None else len(tensor.positions),
        "digest": f"{found:016x}",
        "sha256": hashlib.sha256(content.tobytes()).hexdigest(),
        "first": [first[place : place + size][::-1].hex() for place in range(0, len(first), size)],
    }


def _describe_base(base: Base) -> str:
    if isinstance(base, SeedBase):
        return f"seed {base.seed:016x}"
    if isinstance(base, FileBase | PackBase):
        kind = "file" if isinstance(base, FileBase) else "pack"
        return f"{kind} {base.digest:016x} {base.hint}"
    return "zeros"
