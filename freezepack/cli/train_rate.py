"""`freezepack train --objective rate`: a network trained for the file it will become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from freezepack.cli.options import F, format_bytes, parse_arguments, print_json
from freezepack.errors import UnknownNameError

if TYPE_CHECKING:
    from freezepack.rate import RateConfig, RateResult

_OWN = ("objective", "rate_weight", "target_bytes", "rows", "rate_args")
_SHARED = ("model", "data", "seed", "epochs", "batch_size", "lr", "augmentation", "precision")
_OTHERS = ("model_args", "data_dir", "threads", "device", "out", "resume", "force", "as_json")


def rate_options(command: F) -> F:
    """Add the options of the objective "rate"."""
    options = (
        click.option(
            "--objective",
            type=click.Choice(["accuracy", "rate"]),
            default="accuracy",
            show_default=True,
            help="rate: integers on a grid, with the bytes of the file in the loss.",
        ),
        click.option(
            "--rate-weight", type=float, metavar="L", help="Loss that a bit is worth. [rate: 3e-5]"
        ),
        click.option("--target-bytes", type=int, metavar="N", help="Find L for a file of N bytes."),
        click.option(
            "--rows",
            multiple=True,
            metavar="LAYER=COUNT",
            help="Train the first rows of a layer only, as in conv1=8; others are 0.",
        ),
        click.option(
            "--rate-arg",
            "rate_args",
            multiple=True,
            metavar="KEY=VALUE",
            help="Of the objective rate: teacher=dense, most=1, plain=0.5, copies=16, ...",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def take_rate(settings: dict[str, Any]) -> dict[str, Any] | None:
    """Take the rate's options out of the settings; None unless they are asked for.

    Raises
    ------
    click.UsageError
        If they are given and the objective is another.
    """
    own = {name: settings.pop(name) for name in _OWN}
    if own.pop("objective") == "rate":
        return own
    given = [name for name, value in own.items() if value not in (None, ())]
    if given:
        option = "--rate-arg" if given[0] == "rate_args" else "--" + given[0].replace("_", "-")
        raise click.UsageError(f"{option} needs --objective rate")
    return None


def train_for_file(own: Mapping[str, Any], context: click.Context) -> None:
    """Run what the command line asks for and print what it came to.

    Raises
    ------
    click.UsageError
        If an option is given that has no meaning here, or a value is impossible.
    """
    import torch

    from freezepack.rate import run_rate
    from freezepack.train.device import find_device

    _refuse_others(context)
    given = context.params
    config = _configure(own, given)
    find_device(given["device"])
    if given["threads"] is not None:
        torch.set_num_threads(given["threads"])
    result = run_rate(
        config,
        out=given["out"] or Path("runs") / default_name(config),
        data_dir=given["data_dir"],
        resume=given["resume"],
        force=given["force"],
        device=given["device"],
    )
    if given["as_json"]:
        print_json(summary(result))
    else:
        click.echo(describe(result))


def default_name(config: RateConfig) -> str:
    """Return the name of the folder for a run.

    Examples
    --------
    >>> from freezepack.rate import RateConfig
    >>> default_name(RateConfig(data="digits", target_bytes=1000))
    'lenet5-caffe-digits-b1000-s1'
    >>> default_name(RateConfig(data="digits", rate_weight=1e-5))
    'lenet5-caffe-digits-r1e-05-s1'
    """
    size = f"b{config.target_bytes}" if config.target_bytes else f"r{config.rate_weight:g}"
    return f"{config.model}-{config.data}-{size}-s{config.seed}"


def summary(result: RateResult) -> dict[str, Any]:
    """Return what a run came to, as JSON; accuracies are 0 to 1."""
    facts = asdict(result)
    return {**facts, "pack": str(result.pack)}


def describe(result: RateResult) -> str:
    """Return what a run came to, for a person."""
    counts = f"{result.trained_weights:,} of {result.weights:,} weights are not 0"
    trimmed = f", {result.trimmed:,} trimmed" if result.trimmed else ""
    return "\n".join(
        [
            f"kept        {counts}{trimmed}",
            f"validation  {result.validation_accuracy:.2%}",
            f"test        {result.test_accuracy:.2%} (of the pack)",
            f"pack        {result.pack}: {format_bytes(result.file_bytes)}",
            f"time        {result.seconds:.0f} s",
        ]
    )


def _configure(own: Mapping[str, Any], given: Mapping[str, Any]) -> RateConfig:
    from freezepack.rate import RateConfig

    settings: dict[str, Any] = {name: given[name] for name in _SHARED if given[name] is not None}
    settings |= _rate_args(own["rate_args"])
    settings |= {k: own[k] for k in ("rate_weight", "target_bytes") if own[k] is not None}
    settings["rows"] = _rows(own["rows"])
    settings["model_args"] = parse_arguments(given["model_args"])
    try:
        return RateConfig(**settings)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _rate_args(pairs: Iterable[str]) -> dict[str, Any]:
    """Return what --rate-arg says; what has an option of its own is not among it."""
    from freezepack.rate import RateConfig

    own = {*_SHARED, *_OWN, *_OTHERS}
    known = [entry.name for entry in fields(RateConfig) if entry.name not in own]
    given = parse_arguments(pairs)
    for name in given:
        if name not in known:
            raise click.UsageError(str(UnknownNameError("--rate-arg", name, known)))
    return given


def _rows(pairs: Iterable[str]) -> dict[str, int]:
    rows = parse_arguments(pairs)
    wrong = [f"{name}={count}" for name, count in rows.items() if type(count) is not int]
    if wrong:
        raise click.UsageError(f"--rows {wrong[0]}: expected LAYER=COUNT with a whole number")
    return {name: int(count) for name, count in rows.items()}


def _refuse_others(context: click.Context) -> None:
    known = {*_OWN, *_SHARED, *_OTHERS}
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in known and source is ParameterSource.COMMANDLINE:
            option = "--" + name.replace("_", "-")
            raise click.UsageError(f"{option} has no meaning with --objective rate")
