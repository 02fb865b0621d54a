"""`freezepack demo`: the whole story on embedded data."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.cli.options import format_table, json_option, print_json
from freezepack.errors import VerificationError

if TYPE_CHECKING:
    from freezepack.train import RunConfig

LABELS = {"seed": "FreezeNet", "zeros": "pruned twin"}


@click.command(short_help="Everything on the embedded digits, in a minute.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the files in this folder.")
@click.option("--force", is_flag=True, help="Replace files of an earlier demo.")
@json_option
def demo(out: Path | None, force: bool, as_json: bool) -> None:
    """Train, pack, unpack, verify and evaluate a FreezeNet and its pruned twin.

    lenet5-caffe at a freezing rate of 0.98 on handwritten digits that come with freezepack.
    """
    from freezepack.cli.extras import require_torch

    require_torch("freezepack demo")
    import torch

    from freezepack.train import RunConfig

    # Threads gain little on a network this small, and lose much where other programs run.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for fill, label in LABELS.items():
            click.echo(f"{label}: training, packing, rebuilding ...", err=True)
            config = RunConfig(data="digits", freezing_rate="0.98", fill=fill)
            rows.append({"network": label, **_story(config, (out or Path(folder)) / fill, force)})
    if as_json:
        print_json(rows)
        return
    header = ["", "trained", "accuracy", "dense bytes", "pack bytes", "byte factor"]
    table = [
        [
            row["network"],
            f"{row['trained']:,}",
            f"{row['accuracy']:.2%}",
            f"{row['dense_bytes']:,}",
            f"{row['pack_bytes']:,}",
            f"{row['byte_factor']:.1f}",
        ]
        for row in rows
    ]
    click.echo(format_table(header, table))
    click.echo("Rebuilt weights are equal bit for bit to the trained ones, in both.")
    if out is not None:
        click.echo(f"The files are in {out}.")


def _story(config: RunConfig, folder: Path, force: bool) -> dict[str, Any]:
    """Train, pack, unpack, compare, evaluate."""
    from freezepack.checkpoints.read import read_state
    from freezepack.checkpoints.safetensors_file import safetensors_pieces
    from freezepack.checkpoints.state import find_differences
    from freezepack.cli.networks import network_of
    from freezepack.cli.packing import PACK, train_and_pack
    from freezepack.files import write_output
    from freezepack.handle import open_pack
    from freezepack.train import evaluate, load_data

    result = train_and_pack(config, folder, force=force)
    path = folder / PACK
    unpacked = folder / "unpacked.safetensors"
    with open_pack(path, framework="raw") as file:
        header = file.header
        specs = [record.spec for record in header.tensors.values()]
        pieces = safetensors_pieces(specs, file.rebuilder.tensor, header.aliases, header.metadata)
        write_output(unpacked, pieces, force=True)
    state = read_state(unpacked)
    differences = find_differences(read_state(result.checkpoint), state)
    if differences:
        raise VerificationError(f"the rebuilt weights differ: {differences[0]}")
    data = load_data(config.data, splits=("test",))
    return {
        "trained": sum(record.trained or 0 for record in header.tensors.values()),
        "accuracy": evaluate(network_of(state), data),
        "dense_bytes": header.nbytes,
        "pack_bytes": header.file_size,
        "byte_factor": header.nbytes / header.file_size,
    }
