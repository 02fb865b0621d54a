"""Which runs belong side by side: by what they are, not by the experiment that asked for them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freezepack.bench.report.groups import Group, Pair, pair_groups
from freezepack.bench.report.rows import LOSSLESS, Setup

DATA = {
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "cifar-10": "CIFAR-10",
    "cifar-100": "CIFAR-100",
    "digits": "digits",
}
"""Names for people, in the order of a report."""
METHOD, SCHEME = "freeze", "xavier_normal"
SELECTION: tuple[str, str, dict[str, Any]] = ("snip", "one-shot", {})
"""Score, strategy and its options: what a sweep over freezing rates has, with `SCHEME`."""


@dataclass(frozen=True, slots=True)
class Network:
    """All that was measured of one network on one data set.

    Attributes
    ----------
    dense : Group or None
        Trained as a whole: what the others are compared with.
    sweep : sequence of Pair
        One for each freezing rate above 0, plain: SNIP, one shot, Xavier normal.
    methods, schemes : mapping of str to sequence of Pair
        By freezing rate: the plain pair first, then what differs from it in this alone.
    supermasks : sequence of Pair
        Scores learnt over fixed weights.
    others : sequence of Pair
        All that belongs nowhere else, so that nothing measured is hidden.
    lossy : sequence of Group
        Values on a grid.
    """

    model: str
    data: str
    dense: Group | None
    sweep: Sequence[Pair]
    methods: Mapping[str, Sequence[Pair]]
    schemes: Mapping[str, Sequence[Pair]]
    supermasks: Sequence[Pair]
    others: Sequence[Pair]
    lossy: Sequence[Group]

    @property
    def title(self) -> str:
        """Network and data set, for people."""
        return f"{self.model}, {DATA.get(self.data, self.data)}"

    @property
    def slug(self) -> str:
        """Network and data set, for file names."""
        return f"{self.model}-{self.data}"

    @property
    def pairs(self) -> list[Pair]:
        """All pairs of lossless files, each once, without the dense one."""
        found = {pair.setup: pair for pair in [*self.sweep, *self.supermasks, *self.others]}
        for side in [*self.methods.values(), *self.schemes.values()]:
            found.update({pair.setup: pair for pair in side})
        return list(found.values())


def arrange(groups: Iterable[Group]) -> list[Network]:
    """Return the networks, by data set and name, each with its runs side by side."""
    found: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        found.setdefault((group.setup.data, group.setup.model), []).append(group)
    known = list(DATA)

    def place(key: tuple[str, str]) -> tuple[int, str, str]:
        return (known.index(key[0]) if key[0] in known else len(known), *key)

    return [_network(model, data, found[data, model]) for data, model in sorted(found, key=place)]


def _network(model: str, data: str, groups: Sequence[Group]) -> Network:
    pairs = sorted(pair_groups(groups), key=lambda pair: pair.setup.rate)
    frozen = [pair for pair in pairs if pair.setup.rate > 0]
    masks = [pair for pair in frozen if pair.setup.method != METHOD]
    frozen = [pair for pair in frozen if pair not in masks]
    plain = [pair for pair in frozen if not _differences(pair.setup)]
    recipes = _count_recipes(plain)
    rates = list(dict.fromkeys(pair.setup.freezing_rate for pair in frozen))
    sweep, methods, schemes = [], {}, {}
    for rate in rates:
        here = [pair for pair in frozen if pair.setup.freezing_rate == rate]
        alike = [pair for pair in here if pair in plain]
        main = [max(alike, key=recipes.__getitem__)] if alike else []
        sweep += main
        if found := _differing_in({"selection"}, here, main):
            methods[rate] = main + found
        if found := _differing_in({"scheme"}, here, main):
            schemes[rate] = main + found
    dense = _dense(pairs, sweep)
    sides = [*methods.values(), *schemes.values()]
    used = [*sweep, *masks, *(pair for side in sides for pair in side)]
    others = [pair for pair in pairs if pair not in used and dense not in pair.groups]
    lossy = [group for group in groups if group.values != LOSSLESS]
    return Network(model, data, dense, sweep, methods, schemes, masks, others, lossy)


def _differences(setup: Setup) -> set[str]:
    """Return in what a setup differs from a plain one, its recipe of training apart."""
    selection = setup.score, setup.strategy, setup.arguments.get("strategy_args", {})
    found = {"selection"} if selection != SELECTION else set()
    return found | ({"scheme"} if setup.scheme != SCHEME else set())


def _count_recipes(pairs: Sequence[Pair]) -> dict[Pair, int]:
    """Return how many runs share epochs and options with each pair."""
    counts: Counter[tuple[int, str]] = Counter()
    for pair in pairs:
        runs = sum(len(group.runs) for group in pair.groups)
        counts[pair.setup.epochs, pair.setup.options] += runs
    return {pair: counts[pair.setup.epochs, pair.setup.options] for pair in pairs}


def _differing_in(wanted: set[str], here: Sequence[Pair], main: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that differ in this alone, trained for as many epochs as the main one."""
    found = [
        pair
        for pair in here
        if _differences(pair.setup) == wanted
        and pair.setup.epochs == (main or [pair])[0].setup.epochs
    ]
    return sorted(found, key=lambda pair: _order(pair.setup))


def _order(setup: Setup) -> tuple[str, ...]:
    strategy = "" if setup.strategy == SELECTION[1] else setup.strategy
    return strategy, setup.score, setup.scheme, setup.options


def _dense(pairs: Sequence[Pair], sweep: Sequence[Pair]) -> Group | None:
    """Return the dense network that was trained most like the sweep, with most seeds."""
    epochs = {pair.setup.epochs for pair in sweep}
    groups = [group for pair in pairs if pair.setup.rate == 0 for group in pair.groups]
    ranked = [
        (group.setup.epochs in epochs, len(group.runs), group.setup.fill == "seed")
        for group in groups
    ]
    return groups[ranked.index(max(ranked))] if groups else None
