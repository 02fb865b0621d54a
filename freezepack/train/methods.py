"""What a run does with a network before its first step: a table of methods.

"freeze" trains some values and keeps the rest, "edge-popup" keeps all values and learns which of
them to remove. Either way a pack stores the seed and what differs from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freezepack.errors import SelectionError
from freezepack.registry import Argument, Entry, Registry, resolve_arguments

if TYPE_CHECKING:
    from torch import Tensor, nn

    from freezepack.nn.record import FreezeRecord
    from freezepack.train.config import RunConfig
    from freezepack.train.data.dataset import Dataset
    from freezepack.train.ranks import Ranks

METHODS = Registry(
    "method",
    {
        "freeze": Entry(
            "freezepack.train.methods:freeze_selected",
            "train the weights with the highest scores, keep the rest",
            "arXiv:2011.14087",
        ),
        "edge-popup": Entry(
            "freezepack.train.methods:search_supermask",
            "train no weight, learn which to remove: a strong lottery ticket",
            "arXiv:1911.13299; arXiv:2402.14029",
        ),
    },
)


@dataclass(frozen=True, slots=True)
class Start:
    """What a method is given: an initialised network, and data unless the run is resumed."""

    config: RunConfig
    model: nn.Module
    data: Dataset | None
    ranks: Ranks


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a method gives back.

    Attributes
    ----------
    record : FreezeRecord
        Base and masks.
    after_step : callable or None
        To be called after each step of the optimiser; its arguments are ignored.
    """

    record: FreezeRecord
    after_step: Callable[..., Any] | None = None


def resolve_method(name: str, given: Mapping[str, Argument]) -> dict[str, Argument]:
    """Complete a method's options with its defaults.

    Raises
    ------
    UnknownNameError
        If there is no such method, or it has no such option.

    Examples
    --------
    >>> resolve_method("edge-popup", {"lock": 0.25})
    {'budget': 'global', 'prune': 0.0, 'lock': 0.25, 'distribution': 'erk'}
    """
    return resolve_arguments(f"option of method {name!r}", METHODS.get_part(name), given)


def freeze_selected(start: Start) -> Prepared:
    """Score the network on a batch of training images and freeze all but the highest.

    Raises
    ------
    SelectionError
        If the freezing rate is impossible for the network.
    """
    from freezepack.train.freezing import freeze

    config, data = start.config, start.data
    if data is None:
        raise ValueError("selecting weights needs data")
    split = data.split("train")
    examples = _score_examples(config, split.labels)[start.ranks.rank :: start.ranks.size]
    record = freeze(
        start.model,
        rate=config.freezing_rate,
        score=config.score,
        batch=data.batch(split, examples.to(split.labels.device)),
        seed=config.seed,
        base=config.fill,
        scheme=str(config.scheme),
        strategy=config.strategy,
        strategy_args=config.strategy_args,
        batches=config.score_batches,
        add=start.ranks.add if start.ranks.size > 1 else None,
    )
    return Prepared(record)


def search_supermask(
    start: Start,
    *,
    budget: str = "global",
    prune: float = 0.0,
    lock: float = 0.0,
    distribution: str = "erk",
) -> Prepared:
    """Put the weights under a supermask; see `freezepack.train.supermask.search`."""
    from freezepack.train.supermask import search

    config = start.config
    if config.fill != "seed":
        raise SelectionError(f"edge-popup keeps weights at their seed, not at fill {config.fill!r}")
    record, refresh = search(
        start.model,
        rate=config.freezing_rate,
        seed=config.seed,
        scheme=str(config.scheme),
        budget=budget,
        prune=prune,
        lock=lock,
        distribution=distribution,
    )
    return Prepared(record, refresh)


def _score_examples(config: RunConfig, labels: Tensor) -> Tensor:
    """Return the positions of the score batch among the training examples."""
    from freezepack.train.order import Purpose, draw_balanced, draw_order

    count = int(config.score_batch or len(labels))
    if config.score_balanced:
        return draw_balanced(labels, count, Purpose.score_batch, seed=config.seed)
    return draw_order(len(labels), Purpose.score_batch, seed=config.seed)[:count]
