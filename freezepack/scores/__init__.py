"""Scores by name: one number per weight, higher where the weight matters more."""

from freezepack.registry import Entry, Registry

SCORES = Registry(
    "score",
    {
        "snip": Entry(
            "freezepack.scores.snip:snip", "change of the loss when removed", "arXiv:1810.02340"
        ),
        "magnitude": Entry("freezepack.scores.magnitude:magnitude", "distance from zero"),
        "random": Entry("freezepack.scores.random:random", "no reason at all: the control"),
    },
)
