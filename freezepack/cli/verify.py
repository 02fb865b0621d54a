"""`freezepack verify`: whether a pack is sound, and what it should be."""

from __future__ import annotations

from contextlib import ExitStack

import click

from freezepack.cli.options import (
    InputFile,
    base_option,
    format_bytes,
    json_option,
    max_bytes_option,
    print_json,
)
from freezepack.errors import VerificationError

MOST_LINES = 10


@click.command(short_help="Check a pack, or compare it with a model.")
@click.argument("model", type=InputFile())
@click.option(
    "--against",
    type=InputFile(),
    metavar="MODEL",
    help="A .pt, .safetensors or .fpk file to compare with.",
)
@base_option
@max_bytes_option
@json_option
def verify(
    model: str, against: str | None, bases: tuple[str, ...], max_bytes: int, as_json: bool
) -> None:
    """Check every checksum and the digest of every rebuilt tensor of MODEL, a pack.

    With --against, compare the rebuilt tensors with another model, bit for bit; exit code 4 if
    they differ.
    """
    from freezepack.checkpoints.bases import open_bases
    from freezepack.checkpoints.read import read_packed, read_state
    from freezepack.checkpoints.state import find_differences
    from freezepack.files import STANDARD, read_input

    with ExitStack() as stack:
        opened = open_bases(bases, stack, max_bytes=max_bytes)
        source = read_input(model) if model == STANDARD else model
        state = read_packed(source, opened, max_bytes)
        differences: list[str] = []
        if against is not None:
            other = read_state(against, bases=opened, max_bytes=max_bytes)
            differences = find_differences(state, other)
    nbytes = sum(spec.nbytes for spec, _ in state.arrays.values())
    if as_json:
        print_json(
            {
                "pack": model,
                "tensors": len(state.arrays),
                "aliases": len(state.aliases),
                "rebuilt_bytes": nbytes,
                "against": against,
                "equal": None if against is None else not differences,
                "differences": differences,
            }
        )
    if differences:
        shown = "\n  ".join(differences[:MOST_LINES])
        rest = len(differences) - MOST_LINES
        more = f"\n  and {rest} more" if rest > 0 else ""
        raise VerificationError(f"{model} differs from {against}:\n  {shown}{more}")
    if not as_json:
        text = f"{len(state.arrays)} tensors, {format_bytes(nbytes)}: all digests match"
        click.echo(text if against is None else f"{text}; equal to {against} bit for bit")
