"""Which numbers a configuration may have."""

from collections.abc import Callable
from typing import Any

RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "seed": (lambda v: 0 <= v < 2**64, "0 to 2**64 - 1"),
    "epochs": (lambda v: v >= 1, "at least 1"),
    "batch_size": (lambda v: v >= 1, "at least 1"),
    "accumulate": (lambda v: v >= 1, "at least 1"),
    "lr": (lambda v: 0 < v < float("inf"), "a positive number"),
    "momentum": (lambda v: 0 <= v < 1, "0 <= momentum < 1"),
    "weight_decay": (lambda v: 0 <= v < float("inf"), "0 or more"),
    "warmup": (lambda v: 0 <= v < float("inf"), "0 or more epochs"),
    "gamma": (lambda v: 0 < v <= 1, "0 < gamma <= 1"),
    "clip": (lambda v: 0 < v < float("inf"), "a positive number"),
    "label_smoothing": (lambda v: 0 <= v < 1, "0 <= label_smoothing < 1"),
    "ema": (lambda v: 0 <= v < 1, "0 <= ema < 1"),
    "score_batch": (lambda v: v >= 1, "at least 1"),
    "score_batches": (lambda v: v >= 1, "at least 1"),
}
"""Field to a test of its value and what to say where it fails."""


def check_ranges(config: object) -> None:
    """Raise ValueError unless each field of `RANGES` is in its range, or None.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_ranges(SimpleNamespace(**dict.fromkeys(RANGES) | {"epochs": 0}))
    Traceback (most recent call last):
    ValueError: epochs is 0, expected at least 1
    """
    for name, (fits, expected) in RANGES.items():
        value = getattr(config, name)
        if value is not None and not fits(value):
            raise ValueError(f"{name} is {value}, expected {expected}")
