"""What several commands share: options, parsing of arguments, sizes and tables as text."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from freezepack.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_MAX_BYTES = 16 << 30


class InputFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.4
    """A file to read, or "-" for standard input; that it can be opened is seen to at once."""

    name = "path"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the path, or raise InputError."""
        if value == "-":
            return value
        if Path(value).is_fifo() and os.access(value, os.R_OK):
            return value  # a pipe can be opened once only
        try:
            Path(value).open("rb").close()
        except OSError as error:
            raise InputError(f"{value}: {error.strerror}") from None
        return value


def output_option(required: bool = True) -> Callable[[F], F]:
    """Return the option -o."""
    return click.option(
        "-o", "--output", required=required, metavar="PATH", help="Where to; - is standard output."
    )


force_option = click.option("--force", is_flag=True, help="Replace an existing output.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that holds mnist/, ...; else $FREEZEPACK_DATA, else a download.",
)
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to compute: cpu, cuda, cuda:1, ..."
)
base_option = click.option(
    "--base",
    "bases",
    type=InputFile(),
    multiple=True,
    metavar="PATH",
    help="The checkpoint or pack that the file is based on; more than once for a chain.",
)
max_bytes_option = click.option(
    "--max-bytes",
    type=click.IntRange(min=0),
    default=DEFAULT_MAX_BYTES,
    metavar="N",
    help="Refuse to rebuild more than this. [default: 16 GiB]",
)


def parse_arguments(pairs: Iterable[str]) -> dict[str, str | int | float | bool]:
    """Turn KEY=VALUE texts into arguments; a value that is a JSON number or boolean becomes one.

    Raises
    ------
    click.UsageError
        If a text has no "=".

    Examples
    --------
    >>> parse_arguments(["relu=fc", "num_classes=10"])
    {'relu': 'fc', 'num_classes': 10}
    """
    arguments: dict[str, str | int | float | bool] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{pair!r} is not of the form KEY=VALUE")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        arguments[key] = value if isinstance(value, bool | int | float) else text
    return arguments


def format_bytes(count: int) -> str:
    """Return a number of bytes for a person, and the number itself.

    Examples
    --------
    >>> format_bytes(10435), format_bytes(300)
    ('10,435 bytes (10.2 KiB)', '300 bytes')
    """
    plain = f"{count:,} byte{'' if count == 1 else 's'}"
    value, unit = float(count), ""
    for unit in ("", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024 or unit == "PiB":
            break
        value /= 1024
    return f"{plain} ({value:.1f} {unit})" if unit else plain


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return rows as aligned text; the first `left` columns to the left, the rest to the right.

    Examples
    --------
    >>> print(format_table(["name", "bytes"], [["a", "10"], ["bias", "5"]]))
    name  bytes
    a        10
    bias      5
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2))
