"""Tests for `find_grid`: whether a rounded model will do."""

from collections.abc import Callable

from freezepack.pack.lossy import Rounded
from freezepack.rebuild.bases import Arrays

ACCURACY = 0.0005
"""Accuracy, 0 to 1, that may be lost."""
DIVERGENCE = 1.5
"""Divergence of softened predictions, in nats, that one of accuracy is worth.

Both grow with the square of the errors. With twice as much, two LeNet-5 changed 0.3 % of their
answers to unseen images, and of seven trained anew some lost more accuracy on unseen images than
they were allowed on those of validation; half of that costs about 5 % more bytes.
"""
RELATIVE_ERROR = 0.04
"""Without data: root mean square error in standard deviations; about that of grid:5."""


def keeps_predictions(
    divergence: Callable[[Arrays], float], tolerance: float = ACCURACY
) -> Callable[[Rounded], bool]:
    """Return a test for `find_grid`: predictions are nearly those of the model before rounding.

    Accuracy is too coarse a measure to search with: of many grids that harm a little, a few keep
    the accuracy on some thousand samples by luck. The divergence of predictions is smooth, needs
    no labels, and never gets smaller by luck.

    Parameters
    ----------
    divergence : callable
        Takes a model and returns how far its predictions are from those before rounding, in nats.
    tolerance : float
        Accuracy that may be lost; `DIVERGENCE` times as many nats are accepted.

    Examples
    --------
    >>> accept = keeps_predictions(lambda arrays: 0.0005 * len(arrays), tolerance=0.0005)
    >>> accept(Rounded({"w": None}, {}, {})), accept(Rounded({"v": None, "w": None}, {}, {}))
    (True, False)
    """
    return lambda candidate: divergence(candidate.arrays) <= DIVERGENCE * tolerance


def keeps_accuracy(
    evaluate: Callable[[Arrays], float], arrays: Arrays, tolerance: float = ACCURACY
) -> Callable[[Rounded], bool]:
    """Return a test for `find_grid`: the accuracy is nearly that of `arrays`.

    It depends on luck, so it is one for `check`, after a search by `keeps_predictions`.

    Parameters
    ----------
    evaluate : callable
        Takes a model and returns its accuracy, 0 to 1, on validation data.
    arrays
        The model before rounding; evaluated once, now.
    tolerance : float
        Most accuracy lost.

    Examples
    --------
    >>> accept = keeps_accuracy(lambda arrays: 0.9 - 0.001 * len(arrays), {})
    >>> accept(Rounded({}, {}, {})), accept(Rounded({"w": None}, {}, {}))
    (True, False)
    """
    accuracy = evaluate(arrays)
    # Accuracies are quotients: half of the last bits must not decide.
    return lambda candidate: evaluate(candidate.arrays) >= accuracy - tolerance - 1e-9


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
