"""A pack as an ONNX file: written, checked and run before it takes its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
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
from freezepack.export.onnx_trace import DEFAULT_OPSET, evaluating
from freezepack.export.onnx_valid import check_file, open_session
from freezepack.export.onnx_write import MOST_BYTES, dense_bytes, model_pieces, write_external
from freezepack.export.staging import stage_files
from freezepack.files import STANDARD, check_output, write_output
from freezepack.handle import PackFile, Source, open_pack
from freezepack.nn.raw import wrap_raw

if TYPE_CHECKING:
    import onnx

Batches = Iterable[tuple[Any, ...]]
Compact = Callable[["onnx.ModelProto", PackFile], "onnx.ModelProto"]
"""From a lean dense model without data, and its pack, to the compact model."""


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
    >>> import freezepack.torch, torch
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
        model, folded = make_model(file, network, arguments, chosen)
        external = chosen.external or _is_too_large(model)
        found: tuple[Comparison, ...] = ()
        with _write(model, file, path, chosen.force, external) as (written, sizes):
            check_file(written)
            if chosen.run:
                sets = {"random inputs": random_inputs(arguments), **(data or {})}
                reference = Reference(network, _tensors(file, network))
                found = _compare(written, reference, sets, chosen.bound)
    return Exported(sizes, chosen.opset, folded, found)


def make_model(
    file: PackFile, network: nn.Module, inputs: tuple[Any, ...], options: ExportOptions
) -> tuple[onnx.ModelProto, int]:
    """Return the model, weights of a dense one still without data, and what was folded."""
    is_compact = options.compact is not None
    model = dense_model(
        file, network, inputs, opset=options.opset, lean=is_compact, weights=is_compact
    )
    folded = fold_batchnorm(model, file, in_graph=is_compact) if options.fold else 0
    if options.compact is not None:
        model = options.compact(model, file)
    if options.metadata:
        _describe(model, file, is_compact)
    return model, folded


def pack_digest(file: PackFile) -> int:
    """Return the digest of all tensors of a pack, that which `freezepack eval` prints."""
    header = file.header
    if header.digest is not None:
        return header.digest
    records = header.tensors.values()
    return content_digest((record.spec, record.digest or 0) for record in records)


def _describe(model: onnx.ModelProto, file: PackFile, is_compact: bool) -> None:
    facts = {**file.header.metadata, "digest": f"{pack_digest(file):016x}"}
    if not is_compact:
        facts |= describe_draws(file.header)
    del model.metadata_props[:]
    for key in sorted(facts):
        model.metadata_props.add(key=f"{PREFIX}{key}", value=facts[key])


def _is_too_large(model: onnx.ModelProto) -> bool:
    # a generous share for all that is not weights
    return dense_bytes(model) > MOST_BYTES - (64 << 20)


def _names(path: str | os.PathLike[str], external: bool) -> list[str]:
    """Return the names of the outputs, in the order in which they take their places."""
    name = "model.onnx" if os.fspath(path) == STANDARD else Path(path).name
    if external and os.fspath(path) == STANDARD:
        raise CheckpointError("two files, the model and its weights, cannot go to standard output")
    return [f"{name}.data", name] if external else [name]


@contextmanager
def _write(
    model: onnx.ModelProto,
    file: PackFile,
    path: str | os.PathLike[str],
    force: bool,
    external: bool,
) -> Iterator[tuple[Path, dict[str, int]]]:
    """Write the model to a folder and give its place and sizes; move it when the block ends."""
    names = _names(path, external)
    make = partial(tensor_data, file=file)
    target = Path(path)
    is_file = os.fspath(path) != STANDARD and (target.is_file() or not target.exists())
    with ExitStack() as stack:
        if is_file:
            outputs = [target.with_name(name) for name in names]
            folder = stack.enter_context(stage_files(outputs, force=force))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slim = write_external(model, make, folder, names[0]) if external else model
        with (folder / names[-1]).open("xb") as out:
            out.writelines(model_pieces(slim, make))
        yield folder / names[-1], {name: (folder / name).stat().st_size for name in names}
        if not is_file:
            write_output(path, [(folder / names[-1]).read_bytes()], force=force)


def _compare(
    path: Path, reference: Reference, sets: Mapping[str, Batches], bound: float | None
) -> tuple[Comparison, ...]:
    session = open_session(path)
    with evaluating(reference.module):
        return tuple(
            compare(session, reference, batches, name, bound) for name, batches in sets.items()
        )


def _tensors(file: PackFile, network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of the pack under all names of the network; tied ones share memory."""
    sources = match_pack(network, file)
    made = {}
    for owner in dict.fromkeys(sources.values()):
        spec = file.header.tensors[owner].spec
        made[owner] = wrap_raw(file.rebuilder.tensor(owner), spec.dtype, spec.shape)
    return {name: made[owner] for name, owner in sources.items()}
