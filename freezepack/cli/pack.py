"""`freezepack pack`: a model file to a pack."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.cli.options import (
    InputFile,
    data_dir_option,
    force_option,
    format_bytes,
    json_option,
    max_bytes_option,
    output_option,
    print_json,
)

if TYPE_CHECKING:
    from freezepack.checkpoints.bases import BaseChoice
    from freezepack.pack.lossy import Rounded
    from freezepack.pack.report import PackReport


@click.command(short_help="Store a model as base plus patch.")
@click.argument("model", type=InputFile())
@output_option()
@click.option(
    "--base",
    metavar="BASE",
    help="seed, seed:SEED[/SCHEME], zeros, file:PATH or pack:PATH. "
    "Default: what the checkpoint says, else zeros.",
)
@click.option(
    "--base-of-base",
    type=InputFile(),
    metavar="PATH",
    multiple=True,
    help="What an earlier pack, given as MODEL or as --base pack:, is itself based on.",
)
@click.option(
    "--index", default="small", show_default=True, help="small, fast, auto or an index codec."
)
@click.option(
    "--values",
    default="auto",
    show_default=True,
    help="auto: the smallest lossless codec; a value codec; or, LOSSY: bf16, fp16, grid:BITS, "
    "grid:auto.",
)
@click.option("--data", help="For grid: measure on this data set; see `list data`.")
@data_dir_option
@click.option(
    "--tolerance",
    type=float,
    help="For grid:auto: accuracy that may be lost on validation images [0.0005]; without --data, "
    "the rms error in standard deviations [0.04].",
)
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Text to keep in the file.")
@click.option("--partial", is_flag=True, help="Mark the file as part of a model.")
@max_bytes_option
@force_option
@json_option
def pack(
    model: str,
    output: str,
    base: str | None,
    base_of_base: tuple[str, ...],
    index: str,
    values: str,
    data: str | None,
    data_dir: Path | None,
    tolerance: float | None,
    metadata: tuple[str, ...],
    partial: bool,
    max_bytes: int,
    force: bool,
    as_json: bool,
) -> None:
    """Store MODEL, a .pt, .safetensors, .onnx or .fpk file, as base plus patch.

    The pack is read back and compared before it is written. Nothing is lost, unless --values
    asks for rounding: what no base explains is stored as it is.
    """
    from freezepack.checkpoints.bases import claim_base, open_bases, parse_base
    from freezepack.checkpoints.read import read_state
    from freezepack.cli.rounding import Yardstick, describe_losses, losses_json, round_state
    from freezepack.files import check_output, hold_stream, write_output
    from freezepack.pack.packer import pack_arrays

    check_output(output, force=force)
    try:
        choice = parse_base(base)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--base") from None
    with ExitStack() as stack:
        held = [hold_stream(path) for path in base_of_base]
        known = open_bases(held, stack, max_bytes=max_bytes)
        state = read_state(model, bases=known, max_bytes=max_bytes)
        claims, bases = claim_base(choice, state, stack, more=held, max_bytes=max_bytes)
        rounded = round_state(state, claims, bases, values, Yardstick(data, data_dir, tolerance))
        packed = pack_arrays(
            rounded.arrays if rounded else state.arrays,
            claims=claims,
            aliases=state.aliases,
            metadata={**_still_true(state.metadata, choice, rounded), **parse_metadata(metadata)},
            bases=bases,
            index=index,
            values="auto" if rounded else values,
            codecs=rounded.codecs if rounded else None,
            partial=partial or state.partial,
        )
    write_output(output, packed.pieces, force=force)
    if as_json and output != "-":
        losses = losses_json(rounded) if rounded else {}
        measured = dict(rounded.measured) if rounded else {}
        facts = {**report_json(packed.report), "losses": losses, "measured": measured}
        print_json({"pack": output, **facts})
    else:
        claimed = any(type(claim.base).__name__ != "ZerosBase" for claim in claims.values())
        click.echo(describe(packed.report, claimed), err=output == "-")
        if rounded:
            click.echo(describe_losses(rounded), err=output == "-")


def _still_true(
    metadata: Mapping[str, str], choice: BaseChoice, rounded: Rounded | None
) -> dict[str, str]:
    """Return what a model file says of itself, less what packing makes untrue."""
    kept = dict(metadata)
    if rounded is not None:
        kept.pop("accuracy", None)
    if choice.kind == "seed":
        kept["seeds"] = str(choice.seed)
    return kept


def parse_metadata(pairs: tuple[str, ...]) -> dict[str, str]:
    """Turn KEY=VALUE texts into metadata."""
    metadata = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--metadata {pair!r} is not of the form KEY=VALUE")
        metadata[key] = value
    return metadata


def report_json(report: PackReport) -> dict[str, Any]:
    """Return what packing did, as JSON."""
    return {
        "bytes": report.nbytes,
        "dense_bytes": report.dense_bytes,
        "entries": report.size,
        "trained": report.trained,
        "changed": report.changed,
        "lossy": report.lossy,
        "parts": report.sizes,
        "tensors": [
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "dtype": tensor.dtype.name,
                "base": tensor.base,
                "index": tensor.index,
                "values": tensor.values,
                "lossy": tensor.lossy,
                "trained": tensor.trained,
                "changed": tensor.changed,
                "index_bytes": tensor.index_bytes,
                "value_bytes": tensor.value_bytes,
            }
            for tensor in report.tensors
        ],
    }


def describe(report: PackReport, claimed: bool) -> str:
    """Return what packing did, for a person."""
    factor = report.dense_bytes / report.nbytes
    sizes = report.sizes
    header = report.nbytes - sizes["index"] - sizes["values"]
    lines = [
        f"{format_bytes(report.nbytes)}, {factor:.1f} times less than "
        f"{format_bytes(report.dense_bytes)} dense",
        f"header {header:,}, index {sizes['index']:,}, values {sizes['values']:,} bytes",
        f"{report.trained:,} of {report.size:,} entries are stored, "
        f"{report.changed:,} differ from the base",
    ]
    if report.lossy:
        lines.append("LOSSY: values were rounded")
    elif not claimed and report.trained > report.size // 2:
        lines.append(
            "Nothing but zeros was known as base, so most entries are stored whole. Where the "
            "model was drawn from a seed or fine-tuned, say so with --base."
        )
    return "\n".join(lines)
