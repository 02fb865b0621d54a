"""What an exported ONNX file says of its pack: metadata, and the seeds of its tensors."""

import json
from collections.abc import Iterable
from typing import Any

from freezepack.checkpoints.onnx_tensors import read_text
from freezepack.errors import CheckpointError
from freezepack.format.tables import Header
from freezepack.pack.claims import Claim
from freezepack.pack.texts import check_metadata
from freezepack.random import check_init
from freezepack.rebuild.bases import Arrays
from freezepack.types import Draw, Init, SeedBase, TensorSpec

DRAWS = "draws"
"""Key, behind `PREFIX`, of the seeds and draws of tensors."""
PREFIX = "freezepack."
"""Begins the keys that `freezepack export` writes."""


def describe_draws(header: Header) -> dict[str, str]:
    """Return metadata that says from which seeds tensors were drawn; empty if none was.

    It lets an exported file be packed again as small as before.
    """
    draws = {
        name: [record.base.seed, *_fields(record.init)]
        for name, record in header.tensors.items()
        if isinstance(record.base, SeedBase) and record.init is not None
    }
    return {DRAWS: json.dumps(draws, separators=(",", ":"))} if draws else {}


def _fields(init: Init) -> tuple[str, int, int, int]:
    return init.draw.name, init.bits, init.tail, init.stream


def read_draws(text: str, arrays: Arrays, label: str) -> dict[str, Claim]:
    """Return the claims that `describe_draws` wrote, for the tensors that are there."""
    try:
        return {
            name: _claim(arrays[name][0], *entry)
            for name, entry in json.loads(text).items()
            if name in arrays
        }
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        problem = f"the metadata {PREFIX}{DRAWS} is damaged: {error}"
        raise CheckpointError(f"{label}: {problem}") from None


def _claim(spec: TensorSpec, seed: int, draw: str, *numbers: int) -> Claim:
    if any(type(number) is not int or number < 0 for number in (seed, *numbers)) or seed >> 64:
        raise ValueError(f"the draw of {spec.name!r} has a number out of range")
    bits, tail, stream = numbers
    init = Init(Draw[draw], bits, tail, stream)
    check_init(init, spec.dtype)
    if not (spec.dtype.is_floating and spec.size):
        raise ValueError(f"{spec.name!r} cannot be drawn")
    return Claim(SeedBase(seed), init)


def read_metadata(entries: Iterable[Any], label: str) -> dict[str, str]:
    """Return what a pack said when it was exported."""
    texts = {read_text(entry.key, label): read_text(entry.value, label) for entry in entries}
    found = {
        key.removeprefix(PREFIX): text for key, text in texts.items() if key.startswith(PREFIX)
    }
    found.pop("digest", None)
    check_metadata(found)
    return found
