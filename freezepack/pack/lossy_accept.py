"""Tests for `find_grid`: whether a rounded model will do."""

from collections.abc import Callable

from freezepack.pack.lossy import Rounded
from freezepack.rebuild.bases import Arrays

ACCURACY = 0.0005
"""Accuracy, 0 to 1, that may be lost."""
MEAN_LOSS = 0.01
"""Share by which the mean loss may grow."""
RELATIVE_ERROR = 0.04
"""Without data: root mean square error in standard deviations; about that of grid:5."""


def keeps_accuracy(
    evaluate: Callable[[Arrays], tuple[float, float]],
    arrays: Arrays,
    *,
    tolerance: float = ACCURACY,
    loss_tolerance: float = MEAN_LOSS,
) -> Callable[[Rounded], bool]:
    """Return a test for `find_grid`: accuracy and mean loss are nearly those of `arrays`.

    Accuracy alone is too coarse a measure: of many grids that harm a little, a few keep the
    accuracy on some thousand samples by luck, and a search would find them.

    Parameters
    ----------
    evaluate : callable
        Takes a model and returns accuracy, 0 to 1, and mean loss, on validation data.
    arrays
        The model before rounding; evaluated once, now.
    tolerance : float
        Most accuracy lost.
    loss_tolerance : float
        Largest relative growth of the mean loss.

    Examples
    --------
    >>> accept = keeps_accuracy(lambda arrays: (0.9 - 0.001 * len(arrays), 1.0), {})
    >>> accept(Rounded({}, {}, {})), accept(Rounded({"w": None}, {}, {}))
    (True, False)
    """
    accuracy, loss = evaluate(arrays)

    def accept(candidate: Rounded) -> bool:
        found, grown = evaluate(candidate.arrays)
        return found >= accuracy - tolerance and grown <= loss * (1 + loss_tolerance)

    return accept


def keeps_values(tolerance: float = RELATIVE_ERROR) -> Callable[[Rounded], bool]:
    """Return a test for `find_grid` where there is no data: the error is small in every tensor.

    Parameters
    ----------
    tolerance : float
        Largest root mean square error of a tensor, in standard deviations.
    """

    def accept(rounded: Rounded) -> bool:
        return all(loss.rms_error <= tolerance for loss in rounded.losses.values())

    return accept
