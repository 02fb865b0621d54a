"""A pack as an ONNX file: written, checked and run before it takes its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from freezepack.checkpoints.onnx_notes import PREFIX, describe_draws
from freezepack.digest import content_digest
from freezepack.errors import CheckpointError
from freezepack.export.onnx_check import (
    Comparison,
    Reference,
    compare,
    random_inputs,
)
from freezepack.export.onnx_dense import (
    dense_model,
    example_inputs,
    match_pack,
    plain_module,
    tensor_data,
    zoo_network,
)
from freezepack.export.onnx_fold import fold_batchnorm
from freezepack.export.onnx_output import Models, write_models
from freezepack.export.onnx_trace import DEFAULT_OPSET, evaluating
from freezepack.export.onnx_valid import check_file, open_session
from freezepack.export.onnx_write import MOST_BYTES, dense_bytes
from freezepack.files import check_output
from freezepack.handle import PackFile, Source, open_pack
from freezepack.nn.raw import wrap_raw

if TYPE_CHECKING:
    import onnx
    import onnxruntime

Batches = Iterable[tuple[Any, ...]]
Compact = Callable[["onnx.ModelProto", PackFile], "onnx.ModelProto"]
"""From a lean dense model and its pack to the compact model."""
Pair = Callable[["onnx.ModelProto", PackFile], tuple["onnx.ModelProto", "onnx.ModelProto"]]
"""The same, to the model that makes the weights and the one that uses them."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and how it compares with torch.

    Attributes
    ----------
    sizes : mapping of str to int
        File names and their bytes.
    folded : int
        Batch normalisations folded into the layer before.
    comparisons : tuple of Comparison
        One for each kind of input; empty if the model was not run.
    """

    sizes: Mapping[str, int]
    opset: int
    folded: int
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to write an ONNX file.

    Attributes
    ----------
    external : bool
        Put the weights in a file of their own, `PATH.data`; a model above 2 GB always does.
    fold : bool
        Fold batch normalisation into the layer before it.
    compact : callable, optional
        Makes the compact model.
    pair : callable, optional
        Makes generator and skeleton, two files, instead.
    metadata : bool
        Write digest and metadata of the pack into the file.
    run : bool
        Compare with torch in onnxruntime.
    bound : float, optional
        Largest difference as a share of the largest output; default: by the outputs' type.
    """

    opset: int = DEFAULT_OPSET
    external: bool = False
    fold: bool = False
    compact: Compact | None = None
    pair: Pair | None = None
    metadata: bool = True
    run: bool = True
    bound: float | None = None
    force: bool = False


def export_onnx(
    module: nn.Module | None,
    pack: Source | PackFile,
    inputs: tuple[Any, ...] | Tensor | None,
    path: str | os.PathLike[str],
    *,
    options: ExportOptions | None = None,
    data: Mapping[str, Batches] | None = None,
) -> Exported:
    """Write a pack as an ONNX file that any runtime reads.

    The file is checked by onnx and run in onnxruntime against torch before it takes its place; if
    anything fails, an old file stays and no new one is left.

    Parameters
    ----------
    module : torch.nn.Module or None
        The network; None for the one that the pack's metadata names. Only its structure is used,
        so its weights may be on the device "meta". Not changed.
    pack : path, bytes-like or PackFile
        The pack; an open one stays open.
    inputs : tuple or Tensor, optional
        Example arguments. The first dimension of each tensor, the batch, is free.
    path : path or "-"
        Where to.
    options : ExportOptions, optional
        See there.
    data : mapping of str to iterable of tuples, optional
        Inputs to compare on, besides random ones, by what they are called.

    Returns
    -------
    Exported
        Sizes, and the differences from torch.

    Raises
    ------
    CheckpointError
        If the network cannot be traced, its tensors are not those of the pack, or onnxruntime
        cannot run it; the message names tensor or operator.
    VerificationError
        If the outputs differ from torch's beyond the bound.
    MissingExtraError
        If onnx, onnxscript or onnxruntime is not installed.
    OutputExistsError
        If a file exists and `options.force` is False.

    Examples
    --------
    >>> import tempfile, torch, freezepack.torch
    >>> net = nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = freezepack.torch.save(net.state_dict())
    ...     done = export_onnx(net, data, torch.zeros(1, 3), Path(folder, "net.onnx"))
    >>> list(done.sizes), done.comparisons[0].examples
    (['net.onnx'], 17)
    """
    chosen = options or ExportOptions()
    check_output(path, force=chosen.force)
    with ExitStack() as stack:
        file = pack if isinstance(pack, PackFile) else stack.enter_context(open_pack(pack))
        network = zoo_network(file.header.metadata) if module is None else plain_module(module)
        if inputs is None and module is None:
            inputs = example_inputs(network)
        if inputs is None:
            raise CheckpointError("a network of your own needs example inputs")
        arguments = (inputs,) if isinstance(inputs, Tensor) else inputs
        models, folded = make_models(file, network, arguments, chosen)
        make = partial(tensor_data, file=file)
        found: tuple[Comparison, ...] = ()
        with write_models(models, make, path, force=chosen.force) as written:
            sizes = {made.name: made.stat().st_size for made in written}
            _check(written, models)
            if chosen.run:
                sets = {"random inputs": random_inputs(arguments), **(data or {})}
                reference = Reference(network, _tensors(file, network))
                found = _compare(_open(written, models), reference, sets, chosen.bound)
    return Exported(sizes, chosen.opset, folded, found)


def make_models(
    file: PackFile, network: nn.Module, inputs: tuple[Any, ...], options: ExportOptions
) -> tuple[Models, int]:
    """Return what to write, weights of a dense model still without data, and what was folded."""
    is_dense = options.compact is None and options.pair is None
    model = dense_model(
        file, network, inputs, opset=options.opset, lean=not is_dense, weights=not is_dense
    )
    folded = fold_batchnorm(model, file, in_graph=not is_dense) if options.fold else 0
    generator = None
    if options.pair is not None:
        generator, model = options.pair(model, file)
    elif options.compact is not None:
        model = options.compact(model, file)
    if options.metadata:
        _describe(model, file, is_dense)
    # a generous share for all that is not weights
    is_large = is_dense and dense_bytes(model) > MOST_BYTES - (64 << 20)
    return Models(model, generator, options.external or is_large), folded


def pack_digest(file: PackFile) -> int:
    """Return the digest of all tensors of a pack, that which `freezepack eval` prints."""
    header = file.header
    if header.digest is not None:
        return header.digest
    records = header.tensors.values()
    return content_digest((record.spec, record.digest or 0) for record in records)


def _describe(model: onnx.ModelProto, file: PackFile, is_dense: bool) -> None:
    facts = {**file.header.metadata, "digest": f"{pack_digest(file):016x}"}
    if is_dense:
        facts |= describe_draws(file.header)
    del model.metadata_props[:]
    for key in sorted(facts):
        model.metadata_props.add(key=f"{PREFIX}{key}", value=facts[key])


def _check(written: Sequence[Path], models: Models) -> None:
    if models.generator is None:
        check_file(written[-1])
        return
    check_file(written[0])
    # the check wants the file that a skeleton names; one of that length without data will do
    stand_ins = [written[-1].with_name(name) for name in generated_bytes(models.model)]
    try:
        for path, size in zip(stand_ins, generated_bytes(models.model).values(), strict=True):
            with path.open("xb") as file:
                file.truncate(size)
        check_file(written[-1])
    finally:
        for path in stand_ins:
            path.unlink(missing_ok=True)


def _open(written: Sequence[Path], models: Models) -> onnxruntime.InferenceSession:
    return open_session(written[-1], written[0] if models.generator else None)


def _compare(
    session: onnxruntime.InferenceSession,
    reference: Reference,
    sets: Mapping[str, Batches],
    bound: float | None,
) -> tuple[Comparison, ...]:
    with evaluating(reference.module):
        return tuple(
            compare(session, reference, batches, name, bound) for name, batches in sets.items()
        )


def generated_bytes(model: onnx.ModelProto) -> dict[str, int]:
    """Return the files that a skeleton names for what its generator makes, and their bytes."""
    sizes: dict[str, int] = {}
    for tensor in model.graph.initializer:
        if tensor.data_location == tensor.EXTERNAL:
            entry = {entry.key: entry.value for entry in tensor.external_data}
            end = int(entry["offset"]) + int(entry["length"])
            sizes[entry["location"]] = max(end, sizes.get(entry["location"], 0))
    return sizes


def _tensors(file: PackFile, network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of the pack under all names of the network; tied ones share memory."""
    sources = match_pack(network, file)
    made = {}
    for owner in dict.fromkeys(sources.values()):
        spec = file.header.tensors[owner].spec
        made[owner] = wrap_raw(file.rebuilder.tensor(owner), spec.dtype, spec.shape)
    return {name: made[owner] for name, owner in sources.items()}
