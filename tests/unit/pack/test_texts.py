"""What no file may hold is refused by name, before any work."""

import re
from typing import Any

import numpy as np
import pytest
import torch

import freezepack
import freezepack.numpy
import freezepack.torch
from freezepack.pack.packer import pack_arrays
from freezepack.types import DType, TensorSpec

CASES: list[tuple[Any, type[Exception], str]] = [
    ("a\ud800b", freezepack.CheckpointError, r"the name 'a\ud800b' is not Unicode text"),
    ("", freezepack.CheckpointError, "the name is empty"),
    ("a\0", freezepack.CheckpointError, r"the name 'a\x00' holds NUL"),
]
NO_TEXT = "the name 3 of a tensor is a int, expected a str"


@pytest.mark.parametrize(("name", "error", "wanted"), [*CASES, (3, TypeError, NO_TEXT)])
def test_names_of_arrays(name: Any, error: type[Exception], wanted: str) -> None:
    with pytest.raises(error, match=re.escape(wanted)):
        freezepack.numpy.save({"w": np.ones(2), name: np.ones(2)})


@pytest.mark.parametrize(("name", "error", "wanted"), CASES)
def test_names_of_tensors_and_aliases(name: str, error: type[Exception], wanted: str) -> None:
    with pytest.raises(error, match=re.escape(wanted)):
        freezepack.torch.save({"w": torch.ones(2), name: torch.ones(2)})
    arrays = {"w": (TensorSpec("w", (1,), DType.uint8), np.ones(1, np.uint8))}
    with pytest.raises(error, match=re.escape(wanted)):
        pack_arrays(arrays, aliases={name: "w"})


@pytest.mark.parametrize(
    ("metadata", "error", "wanted"),
    [
        ({"a": 1}, TypeError, "the metadata 'a' is a int, expected a str"),
        ({1: "a"}, TypeError, "the metadata key 1 is a int, expected a str"),
        ({"a": "\ud800"}, freezepack.CheckpointError, "the metadata 'a' is not Unicode text"),
        (
            {"\udfff": "a"},
            freezepack.CheckpointError,
            r"the metadata key '\udfff' is not Unicode text",
        ),
    ],
)
def test_metadata(metadata: Any, error: type[Exception], wanted: str) -> None:
    with pytest.raises(error, match=re.escape(wanted)):
        freezepack.numpy.save({"w": np.ones(2)}, metadata)
