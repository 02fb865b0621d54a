"""Scores by name: one number per weight, higher where the weight matters more."""

from freezepack.registry import Entry, Registry

SCORES = Registry(
    "score",
    {
        "snip": Entry(
            "freezepack.scores.snip:snip", "change of the loss when removed", "arXiv:1810.02340"
        ),
        "grasp": Entry(
            "freezepack.scores.grasp:grasp",
            "fall of the gradient norm when removed",
            "arXiv:2002.07376",
        ),
        "synflow": Entry(
            "freezepack.scores.synflow:synflow", "flow through it, without data", "arXiv:2006.05467"
        ),
        "gradient-norm": Entry(
            "freezepack.scores.gradient_norm:gradient_norm",
            "square of its gradient",
            "arXiv:2006.09081, published code",
        ),
        "magnitude": Entry("freezepack.scores.magnitude:magnitude", "distance from zero"),
        "random": Entry("freezepack.scores.random:random", "no reason at all: the control"),
    },
)
