"""Which runs belong side by side: by what they are, not by the experiment that asked for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freezepack.bench.report.groups import Group, Pair, pair_groups
from freezepack.bench.report.rows import LOSSLESS, Setup
from freezepack.bench.report.show import name_recipe

DATA = {
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "cifar-10": "CIFAR-10",
    "cifar-100": "CIFAR-100",
    "digits": "digits",
}
"""Names for people, in the order of a report."""
CIFAR = ("cifar-10", "cifar-100")
"""Data sets that want a GPU."""
METHOD, SCHEME = "freeze", "xavier_normal"
SELECTION: tuple[str, str, dict[str, Any]] = ("snip", "one-shot", {})
"""Score, strategy and its options: what a sweep over freezing rates has, with `SCHEME`."""


@dataclass(frozen=True, slots=True)
class Study:
    """All that was trained by one recipe, of one network on one data set.

    Attributes
    ----------
    recipe : str
        Epochs and options of training, as a text.
    is_first : bool
        Whether no other recipe has a longer sweep of this network and data set.
    is_only : bool
        Whether there is no other recipe.
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
    recipe: str
    is_first: bool
    is_only: bool
    dense: Group | None
    sweep: Sequence[Pair]
    methods: Mapping[str, Sequence[Pair]]
    schemes: Mapping[str, Sequence[Pair]]
    supermasks: Sequence[Pair]
    others: Sequence[Pair]
    lossy: Sequence[Group]

    @property
    def network(self) -> str:
        """Network and data set, for people."""
        return f"{self.model}, {DATA.get(self.data, self.data)}"

    @property
    def title(self) -> str:
        """Network and data set, and the recipe if there are several."""
        return self.network if self.is_only else f"{self.network} ({self.recipe})"

    @property
    def slug(self) -> str:
        """Network and data set, for file names."""
        return f"{self.model}-{self.data}"

    @property
    def has_sweep(self) -> bool:
        """Whether freezing rates are what was varied, and not methods or schemes at a few rates."""
        rates = {pair.setup.freezing_rate for pair in self.sweep}
        return len(rates) > 2 or bool(rates - set(self.methods) - set(self.schemes))


def arrange(groups: Iterable[Group]) -> list[Study]:
    """Return the studies by data set and network, the one with the longest sweep first."""
    found: dict[tuple[str, str], dict[str, list[Group]]] = {}
    for group in groups:
        setup = group.setup
        recipes = found.setdefault((setup.data, setup.model), {})
        recipes.setdefault(name_recipe(setup), []).append(group)
    known = list(DATA)

    def place(key: tuple[str, str]) -> tuple[int, str, str]:
        return (known.index(key[0]) if key[0] in known else len(known), *key)

    studies = []
    for key in sorted(found, key=place):
        recipes = found[key]
        order = sorted(recipes, key=lambda recipe: (*_reach(recipes[recipe]), recipe))
        for recipe in order:
            facts = (key[1], key[0], recipe, recipe == order[0], len(order) == 1)
            studies.append(_study(facts, recipes[recipe]))
    return studies


def _reach(groups: Sequence[Group]) -> tuple[int, int]:
    """Return minus the freezing rates of a sweep and minus the runs, to sort by."""
    plain = {group.setup.freezing_rate for group in groups if not _differences(group.setup)}
    return -len(plain), -sum(len(group.runs) for group in groups)


def _study(facts: tuple[str, str, str, bool, bool], groups: Sequence[Group]) -> Study:
    pairs = sorted(pair_groups(groups), key=lambda pair: pair.setup.rate)
    masks = [pair for pair in pairs if pair.setup.method != METHOD]
    whole = [pair for pair in pairs if pair.setup.rate == 0 and pair not in masks]
    frozen = [pair for pair in pairs if pair not in masks and pair not in whole]
    sweep = [pair for pair in frozen if not _differences(pair.setup)]
    methods, schemes = {}, {}
    for rate in dict.fromkeys(pair.setup.freezing_rate for pair in frozen):
        here = [pair for pair in frozen if pair.setup.freezing_rate == rate]
        main = [pair for pair in here if pair in sweep]
        if found := _differing_in({"selection"}, here):
            methods[rate] = main + found
        if found := _differing_in({"scheme"}, here):
            schemes[rate] = main + found
    whole.sort(key=lambda pair: len(_differences(pair.setup)))
    dense = whole[0].groups[0] if whole else None
    sides = [*methods.values(), *schemes.values()]
    used = [*sweep, *masks, *(pair for side in sides for pair in side)]
    others = [pair for pair in pairs if pair not in used and dense not in pair.groups]
    lossy = [group for group in groups if group.values != LOSSLESS]
    return Study(*facts, dense, sweep, methods, schemes, masks, others, lossy)


def _differences(setup: Setup) -> set[str]:
    """Return in what a setup differs from a plain one, the recipe of its training apart."""
    selection = setup.score, setup.strategy, setup.arguments.get("strategy_args", {})
    found = {"selection"} if selection != SELECTION else set()
    return found | ({"scheme"} if setup.scheme != SCHEME else set())


def _differing_in(wanted: set[str], here: Sequence[Pair]) -> list[Pair]:
    found = [pair for pair in here if _differences(pair.setup) == wanted]
    return sorted(found, key=lambda pair: _order(pair.setup))


def _order(setup: Setup) -> tuple[str, ...]:
    strategy = "" if setup.strategy == SELECTION[1] else setup.strategy
    return strategy, setup.score, setup.scheme, setup.options
