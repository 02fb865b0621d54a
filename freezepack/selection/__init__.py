"""Strategies by name: from network, score and freezing rate to masks."""

from collections.abc import Mapping

from freezepack.registry import Argument, Entry, Registry, resolve_arguments

STRATEGIES = Registry(
    "strategy",
    {
        "one-shot": Entry(
            "freezepack.selection.one_shot:one_shot",
            "score once, keep the highest",
            "arXiv:1810.02340",
        ),
        "iterative": Entry(
            "freezepack.selection.iterative:iterative",
            "score the pruned network again and again, nothing comes back",
            "arXiv:2006.09081 (Iterative SNIP); arXiv:2006.05467 (SynFlow)",
        ),
        "force": Entry(
            "freezepack.selection.iterative:force",
            "score the pruned network again and again, weights may come back",
            "arXiv:2006.09081",
        ),
        "cops": Entry(
            "freezepack.selection.cops:cops",
            "most of one score with enough of others",
            "arXiv:2107.12673",
        ),
    },
)


def resolve_options(name: str, given: Mapping[str, Argument]) -> dict[str, Argument]:
    """Complete a strategy's options with its defaults.

    Raises
    ------
    UnknownNameError
        If there is no such strategy, or it has no such option.

    Examples
    --------
    >>> resolve_options("iterative", {"steps": 30})
    {'budget': 'global', 'steps': 30, 'schedule': 'exponential'}
    """
    return resolve_arguments(f"option of strategy {name!r}", STRATEGIES.get_part(name), given)
