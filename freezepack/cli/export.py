"""`freezepack export`: a pack to an ONNX file that runs in any runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.cli.options import (
    InputFile,
    base_option,
    data_dir_option,
    force_option,
    format_bytes,
    json_option,
    max_bytes_option,
    output_option,
    parse_arguments,
    print_json,
)

if TYPE_CHECKING:
    from torch import nn

    from freezepack.export.onnx_check import Comparison
    from freezepack.export.onnx_export import Exported
    from freezepack.format.tables import Header

DATA_BATCH = 1000
"""Images that go through both runtimes at a time."""


@click.command(short_help="Write a pack as an ONNX file.")
@click.argument("model", type=InputFile())
@output_option()
@click.option("--opset", type=int, default=18, show_default=True, help="Of standard operators.")
@click.option(
    "--external-data", is_flag=True, help="Weights in PATH.data; above 2 GB this is always so."
)
@click.option("--fold-batchnorm", is_flag=True, help="Fold it into the layer before it.")
@click.option(
    "--compact", is_flag=True, help="Small: the graph regenerates the frozen weights when loaded."
)
@click.option(
    "--two-files",
    is_flag=True,
    help="--compact for large networks: PATH and what makes its weights, PATH.generator.onnx.",
)
@click.option(
    "--arithmetic",
    type=click.Choice(["i64", "u64"]),
    default="i64",
    show_default=True,
    help="For --compact: u64 takes less memory to load and onnxruntime 1.21 or newer.",
)
@click.option(
    "--values", default="keep", show_default=True, help="For --compact: how values are stored."
)
@click.option(
    "--guard/--no-guard",
    default=True,
    show_default=True,
    help="For --compact: weights become NaN in a runtime that computes integers wrongly.",
)
@click.option("--metadata/--no-metadata", default=True, help="Digest and texts of the pack.")
@click.option("--data", help="Compare on the test images of this data set; see `list data`.")
@data_dir_option
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="Largest difference from torch, as a share of the largest output [float32: 0.0001].",
)
@click.option("--run/--no-run", default=True, help="Compare with torch in onnxruntime.")
@click.option("--architecture", help="See `list models`; default: what the file says.")
@click.option(
    "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="Of --architecture."
)
@base_option
@max_bytes_option
@force_option
@json_option
def export(
    model: str,
    output: str,
    opset: int,
    external_data: bool,
    fold_batchnorm: bool,
    compact: bool,
    two_files: bool,
    arithmetic: str,
    values: str,
    guard: bool,
    metadata: bool,
    data: str | None,
    data_dir: Path | None,
    tolerance: float | None,
    run: bool,
    architecture: str | None,
    model_args: tuple[str, ...],
    bases: tuple[str, ...],
    max_bytes: int,
    force: bool,
    as_json: bool,
) -> None:
    """Write MODEL, a pack, as an ONNX file.

    The file is checked, run in onnxruntime and compared with torch before it takes its place.
    """
    if (compact or two_files) and external_data:
        raise click.UsageError("--compact leaves no weights to store: leave out --external-data")
    if data and not run:
        raise click.UsageError("--data compares in onnxruntime: leave out --no-run")
    if model_args and architecture is None:
        raise click.UsageError("--model-arg needs --architecture")
    if not (compact or two_files) and (arithmetic, values, guard) != ("i64", "keep", True):
        raise click.UsageError("--arithmetic, --values and --no-guard need --compact")
    from freezepack.cli.extras import require_torch

    require_torch("freezepack export")
    from freezepack.export.onnx_dense import example_inputs
    from freezepack.export.onnx_export import ExportOptions, export_onnx
    from freezepack.export.onnx_trace import check_opset, require_onnx
    from freezepack.files import STANDARD, check_output
    from freezepack.handle import open_pack

    require_onnx("freezepack export")
    check_opset(opset)
    check_output(output, force=force)
    made = _compact(two_files, arithmetic, values, guard) if compact or two_files else {}
    options = ExportOptions(
        opset=opset,
        external=external_data,
        fold=fold_batchnorm,
        metadata=metadata,
        run=run,
        bound=tolerance,
        force=force,
        **made,
    )
    with open_pack(model, framework="raw", base=bases, max_bytes=max_bytes) as file:
        file.rebuilder.check_limit()
        if made:
            click.echo(_memory(file.header, arithmetic, two_files), err=True)
        network = _network(file.metadata(), architecture, model_args)
        sets = {f"{data} test images": _images(data, data_dir)} if data else {}
        done = export_onnx(
            network, file, example_inputs(network), output, options=options, data=sets
        )
    if as_json and output != STANDARD:
        print_json(_report_json(output, done))
    else:
        click.echo(_report(done), err=output == STANDARD)


def _compact(two_files: bool, arithmetic: str, values: str, guard: bool) -> dict[str, Any]:
    """Return the option of the exporter that makes small models."""
    from functools import partial

    from freezepack.export.compact import compact_model, two_file
    from freezepack.export.compact.model import VALUES

    if values not in VALUES:
        raise click.BadParameter(
            f"{values!r} is not one of {', '.join(VALUES)}", param_hint="--values"
        )
    settings: dict[str, Any] = {"arithmetic": arithmetic, "values": values, "guard": guard}
    if two_files:
        return {"pair": partial(two_file, **settings)}
    return {"compact": partial(compact_model, **settings)}


def _memory(header: Header, arithmetic: str, two_files: bool) -> str:
    """Return how much memory loading takes, and the remedy where it is much."""
    from freezepack.export.compact import estimate_memory

    estimate = estimate_memory(header, arithmetic=arithmetic)
    remedy = " (--two-files)" if estimate.is_large and not two_files else ""
    return f"{estimate}{remedy}"


def _network(
    metadata: dict[str, str], architecture: str | None, model_args: tuple[str, ...]
) -> nn.Module:
    """Build the network without memory for its weights."""
    import json

    from freezepack.export.onnx_dense import zoo_network

    if architecture is not None:
        arguments = json.dumps(parse_arguments(model_args))
        metadata = {"architecture": architecture, "architecture_arguments": arguments}
    return zoo_network(metadata)


def _images(data: str, data_dir: Path | None) -> Iterator[tuple[Any, ...]]:
    """Yield the test images, normalised, in batches."""
    from freezepack.train import load_data

    dataset = load_data(data, data_dir, splits=("test",))
    images = dataset.split("test")
    for start in range(0, len(images), DATA_BATCH):
        yield (dataset.batch(images, slice(start, start + DATA_BATCH))[0],)


def _report(done: Exported) -> str:
    lines = [f"{name}: {format_bytes(size)}" for name, size in done.sizes.items()]
    lines[-1] += f", opset {done.opset}"
    if done.folded:
        lines.append(f"{done.folded} batch normalisations are folded")
    return "\n".join([*lines, *map(_describe, done.comparisons)])


def _describe(found: Comparison) -> str:
    equal = "" if found.equal is None else f", top-1 equal in {found.equal:,} of {found.examples:,}"
    return (
        f"{found.name}: {found.examples:,} examples, largest difference from torch "
        f"{found.difference:.2g} ({found.relative:.2g} of the largest output){equal}"
    )


def _report_json(output: str, done: Exported) -> dict[str, Any]:
    return {
        "onnx": output,
        "files": dict(done.sizes),
        "opset": done.opset,
        "folded": done.folded,
        "comparisons": [
            {
                "inputs": found.name,
                "examples": found.examples,
                "difference": found.difference,
                "relative": found.relative,
                "top1_equal": found.equal,
            }
            for found in done.comparisons
        ],
    }
