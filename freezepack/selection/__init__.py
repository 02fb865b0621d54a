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
    },
)
