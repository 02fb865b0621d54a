"""Packs and their models for the battery of runtimes: every network, codec and draw, small."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray
from onnx import ModelProto, helper
from torch import nn

import freezepack
import freezepack.torch
from freezepack.checkpoints.packed import read_packed
from freezepack.cli import cli
from freezepack.codecs import INDEX_CODECS, VALUE_CODECS, index_codec_by_id, value_codec_by_id
from freezepack.codecs.base import Unit
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.export import compact
from freezepack.export.compact import compact_model, two_file
from freezepack.export.onnx_dense import dense_model, place_weights
from freezepack.handle import PackFile
from freezepack.models import convnet, resnet, vgg
from freezepack.models.build import build_model, resolve_arguments
from freezepack.nn.fill import eligible_weights, fill_weights, write_base
from freezepack.pack.packer import pack_arrays
from freezepack.random import make_init, words
from freezepack.rebuild import choose_backend
from freezepack.rebuild.base import TensorBase
from freezepack.types import Draw, Init

SEED = 2**63 + 5
SHARE = 16
"""By how much networks are narrowed."""
DRAWS = [draw.name for draw in Draw] + ["zeros"]
SCHEMES = ["xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform"]
LOADERS = Path(compact.__file__).parent


@dataclass(frozen=True)
class Case:
    """A pack, its models in a folder, and what they have to give."""

    name: str
    codecs: frozenset[str]
    weights: Mapping[str, bytes]
    """The tensors' bytes."""
    logits: NDArray[np.float32]
    """What torch computes."""


def narrow_network(name: str) -> nn.Module:
    """Return a network of the zoo whose layers are a fraction as wide, in evaluation mode."""
    known = resolve_arguments(name, {})
    arguments = {"width": 4} if "width" in known else {"factor": 1} if "factor" in known else {}
    with pytest.MonkeyPatch.context() as patch:
        for module, constant in ((vgg, "_STAGES_11"), (vgg, "_STAGES_16"), (convnet, "_STAGES")):
            stages = getattr(module, constant)
            narrow = tuple(tuple(width // SHARE for width in stage) for stage in stages)
            patch.setattr(module, constant, narrow)
        patch.setattr(vgg, "_HEAD", 32)
        patch.setattr(convnet, "_HEAD", 16)
        if name == "resnet-18":
            return resnet.ResNet((4, 8, 16, 32), 2, 10, 3).eval()
        return build_model(name, arguments).eval()


def train_at_random(model: nn.Module, masks: Mapping[str, NDArray[np.bool_]]) -> None:
    """Change what is marked, and all that is no weight, as training does."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator) * 0.1
            if name in masks:
                marked = torch.from_numpy(masks[name])
                # no multiple of a power of two, and not the value that was there
                tensor[marked] = tensor[marked] + noise[marked] + 0.003
            else:
                tensor.add_(noise.abs() if "var" in name else noise)


def network_pack(model: nn.Module, scheme: str, share: float = 0.02) -> bytes:
    """Return a pack in which a share of the weights is trained."""
    names = eligible_weights(model)
    init = fill_weights(model, names, SEED, scheme)
    rng = np.random.default_rng(0)
    masks = {name: rng.random(model.get_parameter(name).shape) < share for name in names}
    train_at_random(model, masks)
    return freezepack.torch.save(model.state_dict(), seed=SEED, init=init, masks=masks)


def small_network() -> nn.Sequential:
    """Return a convolution with normalisation and a fully connected layer."""
    body = [nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*body, nn.Linear(6 * 36, 10)).eval()


def coded_pack(draw: str, index: str, values: str) -> tuple[nn.Module, bytes]:
    """Return a small network and its pack, of one draw and with given codecs."""
    model = small_network()
    names = [] if draw == "zeros" else list(eligible_weights(model))
    state = model.state_dict()
    streams = {name: 2**33 + 7 * i for i, name in enumerate(state)}
    init: dict[str, Init] = {}
    masks: dict[str, NDArray[np.bool_]] = {}
    for name in eligible_weights(model):
        if draw == "zeros":
            state[name].zero_()
        else:
            cut = 2.0 if draw == "truncated_normal" else None
            init[name] = make_init(draw, 0.11, stream=streams[name], cut=cut)
            write_base(state[name], SEED, init[name])
        masks[name] = mask_for(index, state[name], streams[name])
    train_at_random(model, masks)
    if values == "constant":
        for name, mask in masks.items():
            state[name][torch.from_numpy(mask)] = 0.3
    seeded: dict[str, Any] = {"seed": SEED, "init": init} if names else {}
    kept = "auto" if values == "grid" else values
    data = freezepack.torch.save(state, masks=masks, index=index, values=kept, **seeded)
    if values == "grid":
        data = on_grid(data)
    if index == "joint":
        data = in_run(data)
    if values not in ("auto", "raw") or index == "joint":
        model.load_state_dict(freezepack.torch.load(data))
    return model, data


def on_grid(data: bytes) -> bytes:
    """Return a pack whose trained values are rounded to grids."""
    with TemporaryDirectory() as name:
        exact, rounded = Path(name, "exact.fpk"), Path(name, "rounded.fpk")
        exact.write_bytes(data)
        command = ["pack", str(exact), "-o", str(rounded), "--values", "grid:5"]
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
        return rounded.read_bytes()


def in_run(data: bytes) -> bytes:
    """Return a pack with other trained values, on grids, all of which share a section."""
    state = read_packed(data, (), None, claims=True)
    arrays, codecs = dict(state.arrays), {}
    rng = np.random.default_rng(4)
    for name, claim in state.claims.items():
        spec, raw = arrays[name]
        if claim.mask is None or claim.mask.all() or not spec.dtype.is_floating:
            continue
        marked = np.flatnonzero(claim.mask)
        base = TensorBase(spec, claim.base, claim.init, choose_backend())
        known = base.values_at(0, spec.size, marked.astype(np.uint32))
        integers = known.integers() if known.integers is not None else None
        step = Step(1, 0, 0x3D000000) if integers is None else Step(200, 14, known.factor)
        steps = rng.integers(1, 4, marked.size) * rng.choice([-1, 1], marked.size)
        changed = raw.copy()
        changed[marked] = step.bits_of(steps, integers, spec.dtype)
        arrays[name], codecs[name] = (spec, changed), Grid(step)
    packed = pack_arrays(arrays, claims=state.claims, codecs=codecs, index="joint")
    return b"".join(packed.pieces)


def mask_for(index: str, weight: torch.Tensor, stream: int) -> NDArray[np.bool_]:
    """Return a mask that an index codec can code."""
    shape, size = tuple(weight.shape), weight.numel()
    if index in ("none", "all"):
        return np.full(shape, index == "all")
    mask = np.random.default_rng(3).random(shape) < 0.1
    if index == "free":
        flat = np.empty(size, np.uint32)
        words(flat, key=SEED, stream=stream + 2**63)
        known = flat.reshape(shape)
        return (mask | (known < 2**28)) & (known < 3 * 2**30)
    if index in ("seeded", "base-top"):
        base = weight.numpy().reshape(-1).view(np.uint32).copy()
        kernel = int(np.prod(shape[2:], dtype=int))
        unit = Unit(size, shape[0], size // shape[0], kernel, 0, SEED, stream, lambda: base, 0)
        places = INDEX_CODECS.get_part(index).decode(memoryview(b""), int(mask.sum()), unit)
        mask = np.zeros(size, np.bool_)
        mask[places] = True
        mask = mask.reshape(shape)
    return mask


def used_codecs(file: PackFile) -> set[str]:
    """Return the names of the codecs of a pack."""
    kinds = [record.kind for record in file.header.tensors.values()]
    indices = {index_codec_by_id(kind.index_codec).name for kind in kinds}
    return indices | {value_codec_by_id(kind.value_codec).name for kind in kinds}


def coded_cases(full: bool) -> Iterator[tuple[str, str, str]]:
    """Yield draw, index codec and value codec; each at least once, or every pair with a draw."""
    indices, values = list(INDEX_CODECS), list(VALUE_CODECS)
    if full:
        for draw in DRAWS:
            yield from ((draw, index, "auto") for index in indices)
            yield from ((draw, "small", value) for value in values)
        return
    for i, index in enumerate(indices):
        yield DRAWS[i % 6], index, "auto"
    for i, value in enumerate(values):
        yield DRAWS[1 + i % 4], "small", value


def write_case(
    folder: Path,
    name: str,
    model: nn.Module,
    data: bytes,
    images: torch.Tensor,
    *,
    dense: ModelProto | None = None,
    arithmetic: str = "i64",
    every: bool = True,
) -> Case:
    """Write the models of a pack into a folder of their own.

    Parameters
    ----------
    dense : ModelProto, optional
        The traced network without weights.
    every : bool
        False leaves out the dense model and the skeleton: only weights are of interest.
    """
    path = folder / name
    path.mkdir()
    with freezepack.open(data) as file:
        lean = dense or dense_model(file, model, (images,), lean=True, weights=False)
        small = compact_model(lean, file, arithmetic=arithmetic)
        generator, skeleton = two_file(lean, file, arithmetic=arithmetic)
        filled = ModelProto()
        filled.CopyFrom(lean)
        place_weights(filled, file)
        used = {tensor.name for tensor in filled.graph.initializer} & set(file.header.tensors)
        codecs = frozenset(used_codecs(file))
        weights = {key: file.rebuilder.tensor(key).tobytes() for key in sorted(used)}
        models = {"shown": show(small, file, used)}
        if generator.graph.output:
            models["generator"] = generator
        if every:
            models |= {"dense": filled, "compact": small, "skeleton": skeleton}
    for key, each in models.items():
        onnx.save(each, path / f"{key}.onnx")
    np.save(path / "input.npy", images.numpy())
    with torch.no_grad():
        logits: NDArray[np.float32] = model(images).numpy()
    return Case(name, codecs, weights, logits)


def show(model: ModelProto, file: PackFile, names: set[str]) -> ModelProto:
    """Return a model with its weights as further outputs."""
    shown = ModelProto()
    shown.CopyFrom(model)
    for name in sorted(names):
        spec = file.header.tensors[name].spec
        kind = onnx.TensorProto.FLOAT
        shown.graph.output.append(helper.make_tensor_value_info(name, kind, spec.shape))
    return shown


def write_cases(folder: Path, networks: list[str], *, full: bool) -> dict[str, Case]:
    """Write all cases into a folder, and the loaders beside them."""
    cases = []
    for i, name in enumerate(networks):
        model = narrow_network(name)
        scheme = "signed_constant" if name.startswith("conv") else SCHEMES[i % len(SCHEMES)]
        data = network_pack(model, scheme)
        shape: tuple[int, ...] = model.input_shape  # type: ignore[assignment]
        images = torch.randn((2, *shape), generator=torch.Generator().manual_seed(2))
        cases.append(write_case(folder, name, model, data, images))
    images = torch.randn((2, 2, 6, 6), generator=torch.Generator().manual_seed(2))
    dense = None
    for draw, index, values in coded_cases(full):
        model, data = coded_pack(draw, index, values)
        with freezepack.open(data) as file:
            if not {index, values} - {"small", "auto"} <= used_codecs(file):
                continue  # a codec may decline
            if dense is None:
                dense = dense_model(file, model, (images,), lean=True, weights=False)
        label = f"{draw},{index},{values}"
        cases.append(write_case(folder, label, model, data, images, dense=dense, every=not full))
        if values in ("raw", "grid"):
            unsigned: dict[str, Any] = {"dense": dense, "arithmetic": "u64", "every": False}
            cases.append(write_case(folder, f"u64,{label}", model, data, images, **unsigned))
    for loader in ("loader.py", "loader.mjs"):
        shutil.copy(LOADERS / loader, folder)
    return {case.name: case for case in cases}
