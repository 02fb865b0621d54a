"""`freezepack expand`: a compact ONNX file to a dense one."""

from __future__ import annotations

from contextlib import ExitStack

import click

from freezepack.cli.options import (
    InputFile,
    base_option,
    force_option,
    format_bytes,
    json_option,
    max_bytes_option,
    output_option,
    print_json,
)


@click.command(short_help="Write a compact ONNX file out densely.")
@click.argument("model", type=InputFile())
@output_option()
@click.option(
    "--against",
    type=InputFile(),
    metavar="PACK",
    help="Compare every weight with this pack, bit for bit.",
)
@base_option
@max_bytes_option
@force_option
@json_option
def expand(
    model: str,
    output: str,
    against: str | None,
    bases: tuple[str, ...],
    max_bytes: int,
    force: bool,
    as_json: bool,
) -> None:
    """Write MODEL, a compact ONNX file, as one with ordinary weights.

    onnxruntime computes them; the names of the weights are kept, none of our functions is.
    """
    from freezepack.export.onnx_expand import expand_onnx
    from freezepack.files import STANDARD
    from freezepack.handle import open_pack

    with ExitStack() as stack:
        pack = None
        if against is not None:
            opened = open_pack(against, framework="raw", base=bases, max_bytes=max_bytes)
            pack = stack.enter_context(opened)
        done = expand_onnx(model, output, against=pack, force=force, max_bytes=max_bytes)
    if as_json and output != STANDARD:
        facts = {"onnx": output, "bytes": done.nbytes, "equal": done.equal, "others": done.others}
        print_json(facts)
        return
    click.echo(f"{output}: {format_bytes(done.nbytes)}", err=output == STANDARD)
    if done.equal is not None:
        text = f"{done.equal} tensors are those of {against}, bit for bit"
        click.echo(text, err=output == STANDARD)
