"""`freezepack unpack`: a pack to a model file that runs without freezepack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freezepack.cli.options import (
    InputFile,
    base_option,
    force_option,
    format_bytes,
    max_bytes_option,
    output_option,
)

if TYPE_CHECKING:
    from freezepack.checkpoints.state import State
    from freezepack.files import Piece
    from freezepack.handle import PackFile

FORMATS = ("safetensors", "pt", "pt2")


@click.command(short_help="Rebuild the dense weights of a pack.")
@click.argument("model", type=InputFile())
@output_option()
@click.option(
    "--to",
    "kind",
    type=click.Choice(FORMATS),
    help="What to write; default: by the ending of the output.",
)
@base_option
@max_bytes_option
@force_option
def unpack(
    model: str, output: str, kind: str | None, bases: tuple[str, ...], max_bytes: int, force: bool
) -> None:
    """Rebuild the dense weights of MODEL, a pack, and write them for other programs.

    .safetensors and .pt are state dicts; .pt2 is a torch.export program that runs where
    freezepack is not installed. Every digest is checked before anything is written.
    """
    from freezepack.files import STANDARD, check_output, write_output
    from freezepack.handle import open_pack

    chosen = kind or Path(output).suffix.removeprefix(".")
    if chosen not in FORMATS:
        endings = ", ".join(f".{ending}" for ending in FORMATS)
        raise click.UsageError(f"{output!r} does not end with {endings}; say which with --to")
    check_output(output, force=force)
    with open_pack(model, framework="raw", base=bases, max_bytes=max_bytes) as file:
        file.rebuilder.check_limit()
        pieces = _pieces(file, chosen)
        if output == STANDARD:
            # What has gone down a pipe cannot be taken back: make and check everything first.
            pieces = list(pieces)
        written = write_output(output, pieces, force=force)
    click.echo(f"{output}: {format_bytes(written)}", err=output == STANDARD)


def _pieces(file: PackFile, kind: str) -> Iterable[Piece]:
    """Return the bytes of the output in pieces; safetensors holds one tensor at a time."""
    header, make = file.header, file.rebuilder.tensor
    if kind == "safetensors":
        from freezepack.checkpoints.safetensors_file import safetensors_pieces

        specs = [record.spec for record in header.tensors.values()]
        return safetensors_pieces(specs, make, header.aliases, header.metadata)
    from freezepack.cli.extras import require_torch

    require_torch(f"writing .{kind}")
    from freezepack.checkpoints.state import State

    arrays = {name: (record.spec, make(name)) for name, record in header.tensors.items()}
    state = State(arrays, header.aliases, metadata=header.metadata)
    return [_torch_bytes(state) if kind == "pt" else _program_bytes(state)]


def _torch_bytes(state: State) -> Piece:
    import io

    from freezepack.checkpoints.torch_file import tensors_of, write_torch

    buffer = io.BytesIO()
    write_torch(tensors_of(state.arrays, state.aliases), buffer)
    return buffer.getbuffer()


def _program_bytes(state: State) -> Piece:
    import torch

    from freezepack.cli.networks import network_of
    from freezepack.export.pt2 import export_pt2

    network = network_of(state)
    example = torch.zeros(1, *network.input_shape)  # type: ignore[misc]
    return export_pt2(network, example)
