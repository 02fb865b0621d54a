"""`freezepack train`: from a configuration to a pack whose accuracy is known."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.cli.options import (
    data_dir_option,
    device_option,
    format_bytes,
    json_option,
    parse_arguments,
    print_json,
)
from freezepack.cli.train_rate import rate_options, take_rate, train_for_file

if TYPE_CHECKING:
    from freezepack.train import Result, RunConfig


@click.command(short_help="Train a FreezeNet or its pruned twin.")
@click.option("--model", default="lenet5-caffe", show_default=True, help="See `list models`.")
@click.option(
    "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="As in relu=fc."
)
@click.option("--data", default="mnist", show_default=True, help="See `list data`.")
@data_dir_option
@click.option("--method", default="freeze", show_default=True, help="See `list methods`.")
@click.option(
    "--method-arg",
    "method_args",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of edge-popup: budget, prune, lock, distribution.",
)
@click.option(
    "--freezing-rate",
    default="0.995",
    show_default=True,
    help="Share of the weights that keep their initial value; 0 trains all. edge-popup removes "
    "the others.",
)
@click.option("--score", default="snip", show_default=True, help="See `list scores`.")
@click.option("--strategy", default="one-shot", show_default=True, help="See `list strategies`.")
@click.option(
    "--strategy-arg",
    "strategy_args",
    multiple=True,
    metavar="KEY=VALUE",
    help="As in steps=30, schedule=linear, budget=erk.",
)
@click.option(
    "--fill",
    default="seed",
    show_default=True,
    help="What frozen weights are: seed (FreezeNet) or zeros (the pruned twin).",
)
@click.option("--scheme", help="See `list schemes`. Default: that of the method.")
@click.option("--seed", default=1, show_default=True, help="Weights, order and score batch.")
@click.option("--epochs", type=int, help="Default: that of the data set.")
@click.option("--batch-size", default=100, show_default=True, help="Images per step.")
@click.option("--accumulate", default=1, show_default=True, help="Parts of a batch, for memory.")
@click.option("--optimizer", default="adam", show_default=True, help="adam, adamw or sgd.")
@click.option("--lr", type=float, help="Learning rate; default: that of the optimizer.")
@click.option("--momentum", default=0.9, show_default=True, help="Of sgd.")
@click.option("--weight-decay", type=float, help="Default: that of the optimizer.")
@click.option("--schedule", default="cosine", show_default=True, help="cosine, step or constant.")
@click.option("--warmup", default=1.0, show_default=True, help="Epochs of rising learning rate.")
@click.option("--label-smoothing", default=0.0, show_default=True, help="Spread over all classes.")
@click.option("--ema", type=float, help="Decay of a moving average of the trained values.")
@click.option("--augmentation", help="none, shift or crop-flip; default: that of the data set.")
@click.option(
    "--precision", default="float32", show_default=True, help="bfloat16: mixed precision."
)
@click.option("--clip", type=float, help="Largest norm of the gradient.")
@click.option("--score-batch", type=int, help="Images for the score; default: of the data set.")
@click.option(
    "--score-batches", default=1, show_default=True, help="Parts of it, normalised each alone."
)
@click.option("--score-balanced", is_flag=True, help="As many images of each class.")
@click.option(
    "--threads", type=click.IntRange(min=1), help="Of torch; one per run suits small networks."
)
@rate_options
@device_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder [runs/MODEL-DATA-qRATE-sSEED]")
@click.option(
    "--tensorboard", is_flag=True, help="Write scalars of each epoch into OUT/tensorboard."
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@click.option("--force", is_flag=True, help="Replace an earlier run, once the new one is complete.")
@json_option
def train(
    model_args: tuple[str, ...],
    strategy_args: tuple[str, ...],
    method_args: tuple[str, ...],
    data_dir: Path | None,
    threads: int | None,
    device: str,
    out: Path | None,
    tensorboard: bool,
    resume: bool,
    force: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network of which most weights keep their initial value, and pack it.

    Writes model.pt, model.fpk, config.json and metrics.jsonl. The test set is touched once, by
    the written pack. Several processes share each batch under `torchrun -m freezepack train`.
    """
    from freezepack.cli.extras import require_torch

    require_torch("freezepack train")
    rate = take_rate(settings)
    if rate is not None:
        train_for_file(rate, click.get_current_context())
        return
    import torch

    from freezepack.cli.packing import is_first_process, train_and_pack
    from freezepack.models.build import build_model
    from freezepack.train import RunConfig
    from freezepack.train.device import find_device
    from freezepack.train.tensorboard import check_tensorboard

    if tensorboard:
        check_tensorboard()
    try:
        config = RunConfig(
            model_args=parse_arguments(model_args),
            strategy_args=parse_arguments(strategy_args),
            method_args=parse_arguments(method_args),
            **settings,
        )
        with torch.device("meta"):
            build_model(config.model, config.model_args)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    find_device(device)
    if threads is not None:
        torch.set_num_threads(threads)
    folder = out or Path("runs") / default_name(config)
    result = train_and_pack(
        config,
        folder,
        data_dir=data_dir,
        device=device,
        resume=resume,
        force=force,
        tensorboard=tensorboard,
    )
    if not is_first_process():
        return
    if as_json:
        print_json(summary(result))
    else:
        click.echo(describe(result))


def default_name(config: RunConfig) -> str:
    """Return the name of the folder for a run.

    Examples
    --------
    >>> from freezepack.train import RunConfig
    >>> default_name(RunConfig(data="digits", fill="zeros"))
    'lenet5-caffe-digits-q0.995-s1-zeros'
    """
    suffix = "" if config.fill == "seed" else f"-{config.fill}"
    suffix += "" if config.method == "freeze" else f"-{config.method}"
    return f"{config.model}-{config.data}-q{config.freezing_rate}-s{config.seed}{suffix}"


def summary(result: Result) -> dict[str, Any]:
    """Return what a run came to, as JSON; accuracies are 0 to 1."""
    from freezepack.cli.packing import PACK
    from freezepack.format.reader import PackReader

    pack = result.out / PACK
    with PackReader(pack) as reader:
        sizes = {"pack_bytes": reader.header.file_size, "dense_bytes": reader.header.nbytes}
    return {
        "out": str(result.out),
        "pack": str(pack),
        **sizes,
        "weights": result.weights,
        "trained_weights": result.trained_weights,
        "trained_others": result.trained_others,
        "validation_accuracy": result.validation_accuracy,
        "test_accuracy": result.test_accuracy,
        "seconds": result.seconds,
        "samples_per_second": result.samples_per_second,
        "config": asdict(result.config),
    }


def describe(result: Result) -> str:
    """Return what a run came to, for a person."""
    facts = summary(result)
    factor = facts["dense_bytes"] / facts["pack_bytes"]
    if result.config.method == "edge-popup":
        kept = result.weights - result.trained_weights
        counts = f"kept        {kept:,} of {result.weights:,} weights, and trained none"
    else:
        counts = f"trained     {result.trained_weights:,} of {result.weights:,} weights, "
        counts += f"and {result.trained_others:,} other values"
    return "\n".join(
        [
            counts,
            f"validation  {result.validation_accuracy:.2%}",
            f"test        {result.test_accuracy:.2%} (of the pack)",
            f"pack        {facts['pack']}: {format_bytes(facts['pack_bytes'])}, "
            f"{factor:.1f} times less than dense",
            f"time        {result.seconds:.0f} s, {result.samples_per_second:,.0f} images/s",
        ]
    )
