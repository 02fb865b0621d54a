"""Numbers and names as a report writes them."""

import json
from typing import Any

from freezepack.bench.report.groups import ENOUGH, Group, Pair, Spread
from freezepack.bench.report.rows import Setup

NONE = "-"
SELECTING = ("strategy_args", "method_args")
"""Options that say what is trained, not how."""
FEW = "\N{DAGGER}"
"""Marks fewer seeds than are enough."""


def show_spread(value: Spread | None, *, sign: bool = False) -> str:
    """Return mean and standard deviation; the mean alone where there was one number.

    Examples
    --------
    >>> show_spread(Spread(98.361, 0.055, 3)), show_spread(Spread(0.5, 0.0, 1), sign=True)
    ('98.36 ± 0.06', '+0.50')
    """
    if value is None:
        return NONE
    mean = f"{value.mean:+.2f}" if sign else f"{value.mean:.2f}"
    return f"{mean} ± {value.sd:.2f}" if value.n > 1 else mean


def show_bytes(group: Group | None) -> str:
    """Return the mean size of the files in whole bytes."""
    return NONE if group is None else f"{round(group.file_bytes.mean):,}"


def show_count(n: int) -> str:
    """Return a number of seeds, marked if they are few.

    Examples
    --------
    >>> show_count(3), show_count(1)
    ('3', '1†')
    """
    return f"{n}{FEW if n < ENOUGH else ''}"


def show_seeds(pair: Pair) -> str:
    """Return how many seeds there are: of both, or of each where that differs."""
    counts = list(dict.fromkeys(len(group.runs) for group in pair.groups))
    return ", ".join(map(show_count, counts))


def show_trained(group: Group) -> str:
    """Return the share of the weights that were trained, and the counts.

    The counts are of weights, and of all else that was trained and is stored: biases, scales.
    """
    run = group.runs[0]
    share = show_share(run.trained_weights / run.weights if run.weights else 0.0)
    others = f" + {run.trained_other:,}" if run.trained_other else ""
    return f"{share} ({run.trained_weights:,}{others})"


def show_share(share: float) -> str:
    """Return a share in percent with two digits that count.

    Examples
    --------
    >>> [show_share(share) for share in (1, 0.1, 0.004999, 0.001234, 0)]
    ['100 %', '10 %', '0.5 %', '0.12 %', '0 %']
    """
    if share >= 0.995:
        return "100 %"
    return f"{float(f'{100 * share:.2g}'):g} %"


def show_rate(text: str) -> str:
    """Return a freezing rate; 0 is the dense network."""
    return "0 (dense)" if float(text) == 0 else text


def name_method(setup: Setup) -> str:
    """Name score and strategy.

    Examples
    --------
    >>> setup = Setup("m", "d", "freeze", "synflow", "iterative", "s", "seed", "0.9", 1,
    ...               '{"strategy_args":{"steps":100}}')
    >>> name_method(setup)
    'synflow, iterative, steps=100'
    """
    arguments = setup.arguments.get("strategy_args", {})
    parts = [setup.score, setup.strategy, *(f"{k}={_show(v)}" for k, v in arguments.items())]
    return ", ".join(parts)


def name_recipe(setup: Setup) -> str:
    """Say how it was trained, whatever was trained.

    Examples
    --------
    >>> setup = Setup("m", "d", "freeze", "snip", "one-shot", "s", "seed", "0.9", 1,
    ...               '{"augmentation":"shift","strategy_args":{"steps":100}}')
    >>> name_recipe(setup)
    '1 epoch, augmentation=shift'
    """
    epochs = f"{setup.epochs} epoch{'s' if setup.epochs != 1 else ''}"
    return ", ".join(filter(None, [epochs, name_options(setup, without=SELECTING)]))


def name_options(setup: Setup, *, without: tuple[str, ...] = ()) -> str:
    """List the options that are not the default, but for some.

    Examples
    --------
    >>> setup = Setup("m", "d", "freeze", "snip", "one-shot", "s", "seed", "0.9", 1,
    ...               '{"lr":0.01,"model_args":{"relu":"fc"},"milestones":[0.5]}')
    >>> name_options(setup, without=("milestones",))
    'lr=0.01, relu=fc'
    """
    parts = []
    for key, value in setup.arguments.items():
        if key not in without:
            inner = value if isinstance(value, dict) else {key: value}
            parts += [f"{name}={_show(entry)}" for name, entry in inner.items()]
    return ", ".join(parts)


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
