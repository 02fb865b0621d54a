"""Strategies by name: from network, score and freezing rate to masks."""

from freezepack.registry import Entry, Registry

STRATEGIES = Registry(
    "strategy",
    {
        "one-shot": Entry(
            "freezepack.selection.one_shot:one_shot",
            "score once, keep the highest",
            "arXiv:1810.02340",
        ),
    },
)
