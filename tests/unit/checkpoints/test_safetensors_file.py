"""safetensors files are read and written as the library does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from freezepack.checkpoints.read import read_state
from freezepack.checkpoints.safetensors_file import read_safetensors, safetensors_pieces
from freezepack.checkpoints.torch_file import state_of
from freezepack.errors import CheckpointError
from freezepack.types import DType, TensorSpec

EVERY = [dtype for dtype in DType if dtype != DType.complex128]


def every_type() -> dict[str, torch.Tensor]:
    plain = torch.tensor([[0, 1, 3], [1, 0, 2]])
    return {dtype.name: plain.to(getattr(torch, dtype.name)) for dtype in EVERY}


@pytest.mark.parametrize("in_memory", [False, True])
def test_every_element_type_is_read_as_bits(tmp_path: Path, in_memory: bool) -> None:
    tensors = every_type() | {"scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3)}
    save_file(tensors, tmp_path / "a.safetensors", {"format": "pt"})
    path = tmp_path / "a.safetensors"
    state = read_safetensors(path.read_bytes()) if in_memory else read_state(path)
    wanted = state_of(tensors)
    assert state.metadata == {"format": "pt"}
    assert state.names == wanted.names
    for name in wanted.names:
        assert state.arrays[name][0] == wanted.arrays[name][0]
        assert state.arrays[name][1].tolist() == wanted.arrays[name][1].tolist()


def test_what_is_written_is_read_by_the_library(tmp_path: Path) -> None:
    tensors = every_type() | {"scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3)}
    state = state_of(tensors)
    specs = [spec for spec, _ in state.arrays.values()]
    pieces = safetensors_pieces(
        specs, lambda name: state.arrays[name][1], {"tied": "int16"}, {"note": "ä"}
    )
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"".join(pieces))
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"note": "ä"}
        assert sorted(file.keys()) == sorted([*tensors, "tied"])
        assert file.get_tensor("tied").tolist() == [[0, 1, 3], [1, 0, 2]]
        for name, tensor in tensors.items():
            assert file.get_tensor(name).dtype == tensor.dtype
            assert torch.equal(
                file.get_tensor(name).view(torch.uint8).flatten()
                if tensor.dim()
                else file.get_tensor(name),
                tensor.view(torch.uint8).flatten() if tensor.dim() else tensor,
            )


def test_a_type_that_safetensors_lacks_is_refused() -> None:
    spec = TensorSpec("w", (1,), DType.complex128)
    pieces = safetensors_pieces([spec], lambda _: np.zeros(1, "V16"), {}, {})
    with pytest.raises(CheckpointError, match=r"'w' is complex128, .* write a \.pt file"):
        next(pieces)


def test_damage_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    data = save({"w": torch.ones(3)})
    for broken in (data[:-1], data + b"\0", data[:9]):
        path.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"a\.safetensors is not a valid safetensors"):
            read_state(path)
        with pytest.raises(CheckpointError, match="the input is not a valid safetensors file"):
            read_safetensors(broken)


def test_a_type_that_a_pack_lacks_is_refused(tmp_path: Path) -> None:
    tensor = torch.zeros(4, dtype=torch.uint8).view(torch.float8_e8m0fnu)
    save_file({"w": tensor}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="'w' is F8_E8M0, which a pack cannot hold"):
        read_state(tmp_path / "a.safetensors")
