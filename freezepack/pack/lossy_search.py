"""`grid:auto`: the coarsest grid that keeps what a caller measures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from freezepack.errors import FreezepackError
from freezepack.pack.claims import Claim
from freezepack.pack.lossy import (
    KEEP,
    Rounded,
    Sensitivity,
    all_trained,
    round_to_widths,
    widest,
)
from freezepack.pack.lossy_round import RATE
from freezepack.pack.lossy_trained import Trained
from freezepack.rebuild.bases import Arrays, BaseTensors

ACCURACY = 0.0005
"""Accuracy, 0 to 1, that may be lost."""
MEAN_LOSS = 0.01
"""Share by which the mean loss may grow."""
RELATIVE_ERROR = 0.04
"""Without data: root mean square error in standard deviations; about that of grid:5."""
_LEVELS = 4
"""Levels of an octave: steps differ by a factor of 2**(1/4)."""
_FIRST, _FINEST, _COARSEST = 5 * _LEVELS, 16 * _LEVELS, -4 * _LEVELS


def keeps_accuracy(
    evaluate: Callable[[Arrays], tuple[float, float]],
    arrays: Arrays,
    *,
    tolerance: float = ACCURACY,
    loss_tolerance: float = MEAN_LOSS,
) -> Callable[[Arrays], bool]:
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
    >>> accept({}), accept({"w": None})
    (True, False)
    """
    accuracy, loss = evaluate(arrays)

    def accept(candidate: Arrays) -> bool:
        found, grown = evaluate(candidate)
        return found >= accuracy - tolerance and grown <= loss * (1 + loss_tolerance)

    return accept


def find_grid(
    arrays: Arrays,
    claims: Mapping[str, Claim],
    accept: Callable[[Arrays], bool],
    *,
    bases: Sequence[BaseTensors] = (),
    sensitivity: Sensitivity | None = None,
    rate: float = RATE,
    keep: Iterable[str] = KEEP,
    evaluations: int = 40,
) -> Rounded:
    """Round to the coarsest grid that a test accepts.

    Parameters
    ----------
    arrays, claims, bases, sensitivity, rate, keep
        As for `round_values`.
    accept : callable
        Says of a rounded model whether it will do.
    evaluations : int
        Most calls of `accept` altogether.

    Returns
    -------
    Rounded
        A model that was accepted.

    Raises
    ------
    FreezepackError
        If no grid was accepted.

    Notes
    -----
    First one level for all tensors, a quarter of an octave fine: octaves, then halves. Then tensor
    by tensor, those with most values first, half an octave and a quarter, until none can be
    coarser.
    """
    trained = all_trained(arrays, claims, bases, keep)
    widths = widest(trained, sensitivity)
    search = _Search(
        lambda levels: round_to_widths(
            arrays,
            trained,
            {name: widths[name] / 2 ** (level / _LEVELS) for name, level in levels.items()},
            sensitivity,
            rate,
        ),
        lambda rounded: accept(rounded.arrays),
        list(trained),
        evaluations,
    )
    search.run()
    _refine(search, trained)
    return search.best


def find_grid_by_error(
    arrays: Arrays,
    claims: Mapping[str, Claim],
    *,
    tolerance: float = RELATIVE_ERROR,
    bases: Sequence[BaseTensors] = (),
    rate: float = RATE,
    keep: Iterable[str] = KEEP,
) -> Rounded:
    """Round to the coarsest grid whose error is small in every tensor, where there is no data.

    Parameters
    ----------
    tolerance : float
        Largest root mean square error of a tensor in its standard deviations.
    arrays, claims, bases, rate, keep
        As for `round_values`.
    """
    trained = all_trained(arrays, claims, bases, keep)
    widths = widest(trained)
    search = _Search(
        lambda levels: round_to_widths(
            arrays,
            trained,
            {name: widths[name] / 2 ** (level / _LEVELS) for name, level in levels.items()},
            None,
            rate,
        ),
        lambda rounded: all(loss.rms_error <= tolerance for loss in rounded.losses.values()),
        list(trained),
        1 << 20,
    )
    search.run()
    return search.best


@dataclass
class _Search:
    """Levels of tensors: a level more makes the step narrower by 2**(1/4)."""

    round: Callable[[dict[str, int]], Rounded]
    accept: Callable[[Rounded], bool]
    names: list[str]
    left: int
    levels: dict[str, int] = field(default_factory=dict)
    found: Rounded | None = None

    @property
    def best(self) -> Rounded:
        """The coarsest model that was accepted."""
        if self.found is None:
            bits = _FINEST // _LEVELS
            problem = f"no grid was accepted, up to grid:{bits}"
            raise FreezepackError(f"{problem}: allow a larger tolerance or pack without loss")
        return self.found

    def try_levels(self, levels: dict[str, int]) -> bool:
        """Keep these levels if they are accepted and evaluations are left."""
        if self.left <= 0:
            return False
        self.left -= 1
        rounded = self.round(levels)
        if not self.accept(rounded):
            return False
        self.levels, self.found = levels, rounded
        return True

    def run(self) -> None:
        """Find one level for all tensors."""
        level = _FIRST
        while level <= _FINEST and not self._try_level(level):
            level += _LEVELS
        if self.found is None:
            return
        if level == _FIRST:
            while level > _COARSEST and self._try_level(level - _LEVELS):
                level -= _LEVELS
        for part in (_LEVELS // 2, _LEVELS // 4):
            if self._try_level(level - part):
                level -= part

    def _try_level(self, level: int) -> bool:
        return self.try_levels(dict.fromkeys(self.names, level))


def _refine(search: _Search, trained: Mapping[str, Trained]) -> None:
    """Make single tensors coarser as long as that is accepted."""
    order = sorted(trained, key=lambda name: (-trained[name].numbers.size, name))
    while order and search.left > 0:
        moved = []
        for name in order:
            for part in (_LEVELS // 2, _LEVELS // 4):
                level = search.levels[name] - part
                if level >= _COARSEST and search.try_levels({**search.levels, name: level}):
                    moved.append(name)
                    break
        order = moved
