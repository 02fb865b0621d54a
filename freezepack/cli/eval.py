"""`freezepack eval`: the accuracy of a pack, or of any model file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from freezepack.cli.options import (
    InputFile,
    base_option,
    data_dir_option,
    device_option,
    format_bytes,
    json_option,
    max_bytes_option,
    parse_arguments,
    print_json,
)


@click.command("eval", short_help="Measure the accuracy of a pack.")
@click.argument("model", type=InputFile())
@click.option("--data", required=True, help="See `freezepack list data`.")
@data_dir_option
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    default="test",
    show_default=True,
    help="What to measure on.",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=1000, help="[1000]")
@click.option("--architecture", help="See `list models`; default: what the file says.")
@click.option(
    "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="Of --architecture."
)
@device_option
@base_option
@max_bytes_option
@json_option
def evaluate(
    model: str,
    data: str,
    data_dir: Path | None,
    split: str,
    batch_size: int,
    architecture: str | None,
    model_args: tuple[str, ...],
    device: str,
    bases: tuple[str, ...],
    max_bytes: int,
    as_json: bool,
) -> None:
    """Measure the accuracy of MODEL, a .fpk, .pt or .safetensors file, on a data set.

    The same weights and batch size give the accuracy that `train` logged.
    """
    from freezepack.cli.extras import require_torch

    require_torch("freezepack eval")
    from freezepack.checkpoints.bases import open_bases
    from freezepack.checkpoints.read import read_state
    from freezepack.cli.networks import network_of
    from freezepack.digest import content_digest, digest
    from freezepack.train import evaluate as measure
    from freezepack.train import load_data

    with ExitStack() as stack:
        known = open_bases(bases, stack, max_bytes=max_bytes)
        state = read_state(model, bases=known, max_bytes=max_bytes)
    network = network_of(state, architecture, parse_arguments(model_args))
    dataset = load_data(data, data_dir, splits=(split,), device=device)
    accuracy = measure(network.to(device), dataset, split, batch_size)
    names = sorted(state.arrays, key=str.encode)
    identity = content_digest((state.arrays[n][0], digest(state.arrays[n][1])) for n in names)
    size = None if model == "-" else Path(model).stat().st_size
    facts = {
        "model": model,
        "bytes": size,
        "digest": f"{identity:016x}",
        "data": data,
        "split": split,
        "accuracy": accuracy,
    }
    if as_json:
        print_json(facts)
        return
    click.echo(f"accuracy  {accuracy:.2%} on {data}, {split}")
    if size is not None:
        click.echo(f"file      {format_bytes(size)}")
    click.echo(f"digest    {identity:016x}")
