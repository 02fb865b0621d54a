"""Whole packs to a card: what crosses the bus, what memory is taken, what damage does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import freezepack.torch
from freezepack.errors import CorruptError
from freezepack.nn.raw import raw_copy
from freezepack.rebuild.torch_devices.triton_backend import TRITON, TritonBackend

SHAPES = {"a.weight": (3000, 4000), "b.weight": (2500, 2048), "c.bias": (2500,)}
DRAWS = {name: ("normal", 0.05) for name in SHAPES if name.endswith("weight")}


def make_state() -> dict[str, torch.Tensor]:
    """Return tensors that differ from a seeded base in about one element of a hundred."""
    numbers = np.random.default_rng(3)
    state = {}
    for stream, (name, shape) in enumerate(SHAPES.items()):
        out = np.zeros(shape, np.float32)
        if name in DRAWS:
            freezepack.random.fill(out, seed=9, stream=stream, draw="normal", scale=0.05)
        hits = numbers.random(shape) < 0.01
        out[hits] += np.float32(1.0)
        state[name] = torch.from_numpy(out)
    return state


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    path = tmp_path_factory.mktemp("gpu") / "model.fpk"
    state = make_state()
    freezepack.torch.save_file(state, path, seed=9, init=DRAWS, index="fast", values="raw")
    return path, state


def same(loaded: dict[str, torch.Tensor], state: dict[str, torch.Tensor]) -> bool:
    return all(
        raw_copy(loaded[name]).tobytes() == raw_copy(tensor).tobytes()
        for name, tensor in state.items()
    )


@pytest.mark.parametrize("backend", ["triton", "torch", "host", None])
def test_a_pack_is_loaded_bit_for_bit(packed: Any, backend: str | None) -> None:
    path, state = packed
    loaded = freezepack.torch.load_file(path, device="cuda", backend=backend)
    assert {tensor.device.type for tensor in loaded.values()} == {"cuda"}
    assert same(loaded, state)


def test_only_positions_and_values_cross_the_bus(packed: Any, tmp_path: Path) -> None:
    path, state = packed
    freezepack.torch.load_file(path, device="cuda")  # tables and kernels are there now
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        freezepack.torch.load_file(path, device="cuda")
    profile.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    copies = [event for event in events if event.get("name", "").startswith("Memcpy HtoD")]
    sent = sum(event["args"]["bytes"] for event in copies)
    trained = sum(int((tensor != 0).sum()) for name, tensor in state.items() if "bias" in name)
    trained += sum(round(0.01 * tensor.numel()) for name, tensor in state.items() if name in DRAWS)
    dense = sum(tensor.nbytes for tensor in state.values())
    assert 0 < sent < 1.05 * 8 * trained
    assert sent < dense / 40


def test_no_more_memory_is_taken_than_the_tensors_and_what_is_sent(packed: Any) -> None:
    path, state = packed
    freezepack.torch.load_file(path, device="cuda")
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    loaded = freezepack.torch.load_file(path, device="cuda")
    dense = sum(tensor.nbytes for tensor in state.values())
    assert torch.cuda.max_memory_allocated() - before < 1.06 * dense
    del loaded


def test_a_model_on_the_card_is_filled_in_its_own_memory(packed: Any) -> None:
    path, state = packed
    model = nn.ModuleDict(
        {"a": nn.Linear(4000, 3000, bias=False), "b": nn.Linear(1, 1, bias=False)}
    )
    model["b"] = nn.Linear(2048, 2500, bias=False)
    model["c"] = nn.Module()
    model["c"].register_parameter("bias", nn.Parameter(torch.zeros(2500)))
    model.cuda()
    model["b"].cpu()
    before = [tensor.data_ptr() for tensor in model.state_dict().values()]
    assert freezepack.torch.load_into(model, path) == ([], [])
    assert [tensor.data_ptr() for tensor in model.state_dict().values()] == before
    assert same(dict(model.state_dict()), state)
    assert model["b"].weight.device.type == "cpu"


def test_slices_are_made_on_the_card(packed: Any) -> None:
    path, state = packed
    with freezepack.open(path, framework="torch", device="cuda") as file:
        part = file.get_slice("a.weight")[300:310, 7:4000:3]
        assert part.device.type == "cuda"
        assert torch.equal(part.cpu(), state["a.weight"][300:310, 7:4000:3])


def test_a_card_that_errs_is_noticed(packed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = packed
    patch = TritonBackend.patch

    def forget_one(self: Any, out: Any, positions: Any, values: Any, **options: Any) -> None:
        patch(self, out, positions, values, **options)
        if options.get("sums") is not None:
            out[5] ^= 1
            self.sum_tiles(out, options["sums"])

    monkeypatch.setattr(TritonBackend, "patch", forget_one)
    assert TRITON.problem(torch.device("cuda")) == ""
    with pytest.raises(CorruptError, match="digest"):
        freezepack.torch.load_file(path, device="cuda")
