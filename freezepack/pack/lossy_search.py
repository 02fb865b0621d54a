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
from freezepack.pack.lossy_compensate import Curvature
from freezepack.pack.lossy_round import RATE
from freezepack.pack.lossy_trained import Trained
from freezepack.rebuild.bases import Arrays, BaseTensors

_LEVELS = 16
"""Levels of an octave: steps differ by a factor of 2**(1/16), sizes by about one percent."""
_PATIENCE = 8
"""Refusals of the check after which narrowing goes faster.

They are not mere luck: one LeNet-5 of five lost 4 to 13 of 5,000 answers over two octaves.
"""
_COARSE_PARTS = (_LEVELS // 2, _LEVELS // 4)
_FIRST, _FINEST, _COARSEST = 5 * _LEVELS, 16 * _LEVELS, -4 * _LEVELS


def find_grid(
    arrays: Arrays,
    claims: Mapping[str, Claim],
    accept: Callable[[Rounded], bool],
    *,
    check: Callable[[Rounded], bool] | None = None,
    bases: Sequence[BaseTensors] = (),
    sensitivity: Sensitivity | None = None,
    curvatures: Sequence[Curvature] = (),
    rate: float = RATE,
    keep: Iterable[str] = KEEP,
    evaluations: int = 40,
) -> Rounded:
    """Round to the coarsest grid that a test accepts.

    Parameters
    ----------
    arrays, claims, bases, sensitivity, curvatures, rate, keep
        As for `round_values`.
    accept : callable
        Says of a rounded model whether it will do: `keeps_accuracy` or `keeps_values`.
    check : callable, optional
        A second test that depends more on luck: it is asked about what the search found, and
        while it says no, steps get narrower, eight times by a sixteenth of an octave, eight times
        by two, and so on: another grid is another draw, and mostly need not be much finer.
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
    First one level for all tensors: octaves, then halves down to a sixteenth. Then, unless steps
    follow a sensitivity, tensor by tensor, those with most values first, half an octave and a
    quarter, until none can be coarser; where they do, that would gain one percent. The more is
    tried, the likelier is a grid that passes by luck: let `accept` be smooth.
    """
    trained = all_trained(arrays, claims, bases, keep)
    widths = widest(trained, sensitivity)

    def make(levels: Mapping[str, int]) -> Rounded:
        wanted = {name: widths[name] / 2 ** (n / _LEVELS) for name, n in levels.items()}
        return round_to_widths(arrays, trained, wanted, sensitivity, rate, curvatures=curvatures)

    search = _Search(make, accept, list(trained), evaluations)
    search.run()
    if sensitivity is None and search.found is not None:
        _refine(search, trained)
    tries = 0
    while check is not None and not check(search.best):
        search.narrow(1 + tries // _PATIENCE)
        tries += 1
    return search.best


@dataclass
class _Search:
    """Levels of tensors: a level more makes the step narrower by 2**(1/16)."""

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
        part = _LEVELS // 2
        while part and level > _COARSEST:
            if self._try_level(level - part):
                level -= part
            part //= 2

    def narrow(self, part: int) -> None:
        """Take a finer level, unless it is beyond the last, as if it were accepted."""
        levels = {name: level + part for name, level in self.levels.items()}
        if max(levels.values()) > _FINEST:
            self.found = None
        else:
            self.levels, self.found = levels, self.round(levels)

    def _try_level(self, level: int) -> bool:
        return self.try_levels(dict.fromkeys(self.names, level))


def _refine(search: _Search, trained: Mapping[str, Trained]) -> None:
    """Make single tensors coarser as long as that is accepted."""
    order = sorted(trained, key=lambda name: (-trained[name].numbers.size, name))
    while order and search.left > 0:
        moved = []
        for name in order:
            for part in _COARSE_PARTS:
                level = search.levels[name] - part
                if level >= _COARSEST and search.try_levels({**search.levels, name: level}):
                    moved.append(name)
                    break
        order = moved
