"""Two or more scores at once: the relaxed linear program of COPS, and its exact counterpart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freezepack.errors import MissingExtraError, SelectionError
from freezepack.selection.topk import keep_top
from freezepack.types import BoolArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Combination:
    """What a combination came to.

    Attributes
    ----------
    mask : bool array, shape (n,)
        True is trained; exactly the asked-for number.
    multipliers : tuple of float
        What each control score is weighed with beside the main one; infinity stands for the
        control score alone.
    required, reached : tuple of float
        What the mask's entries of each control score had to add up to, and what they do. Of
        several controls one may fall short by what a single entry is worth, see `combine`.
    """

    mask: BoolArray
    multipliers: tuple[float, ...]
    required: tuple[float, ...]
    reached: tuple[float, ...]


def required_sum(main: Vector, control: Vector, count: int, share: float) -> float:
    """Return how much of a control score a mask must have.

    Parameters
    ----------
    share : float
        0 asks for what the main score alone would give, 1 for as much as any mask can have, and
        what lies between in proportion.

    Raises
    ------
    SelectionError
        If `share` is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise SelectionError(f"share of a control score is {share}, expected 0 to 1")
    least = float(control[keep_top(main, count)].sum())
    most = float(control[keep_top(control, count)].sum())
    return most if share == 1 else least + share * (most - least)


def combine_two(main: Vector, control: Vector, count: int, share: float) -> Combination:
    """Select the mask with the most of one score that has enough of another.

    Parameters
    ----------
    main, control : float64 arrays, shape (n,)
        Finite, on a common scale, see `normalise`.
    count : int
        Number of entries to select, 1 to n.
    share : float
        How much of the control score is enough, see `required_sum`.

    Raises
    ------
    SelectionError
        If `count` or `share` is out of range, or a score is NaN.

    Notes
    -----
    Maximise main.m subject to control.m >= c, sum(m) = count, 0 <= m <= 1. By duality the
    solution is the top-k of main + x * control for the smallest multiplier x >= 0 whose mask has
    enough: control.m grows with x. It is found by bisection of x / (1 + x) down to neighbouring
    floating point numbers: at most about 60 selections, each linear in n. At the optimum of the
    relaxed program at most two entries are fractions, which trade places there; the mask takes
    the side that has enough, so it loses no more of the main score than that exchange costs.

    References
    ----------
    Wimmer, Mehnert, Condurache, "COPS: Controlled Pruning Before Training Starts",
    arXiv:2107.12673. The text of the paper was not at hand: the program is the one that its
    abstract describes, the scale of the constraint is ours.

    Examples
    --------
    >>> main, control = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.0, 0.1, 0.3, 0.6])
    >>> combine_two(main, control, 2, 0.0).mask.tolist()
    [True, True, False, False]
    >>> combine_two(main, control, 2, 0.5).mask.tolist()
    [True, False, False, True]
    """
    need = required_sum(main, control, count, share)

    def mask_at(turn: float) -> BoolArray:
        return keep_top((1 - turn) * main + turn * control, count)

    low, high = 0.0, 1.0
    best = mask_at(low)
    if control[best].sum() < need:
        best = mask_at(high)
        while (middle := low + (high - low) / 2) not in (low, high):
            mask = mask_at(middle)
            if control[mask].sum() < need:
                low = middle
            else:
                high, best = middle, mask
    else:
        high = 0.0
    multiplier = float("inf") if high == 1.0 else high / (1 - high)
    return Combination(best, (multiplier,), (need,), (float(control[best].sum()),))


def combine(
    main: Vector, controls: Sequence[Vector], count: int, shares: Sequence[float]
) -> Combination:
    """Select the mask with the most of one score that has enough of several others.

    Solves the relaxed program with HiGHS through scipy and takes the largest entries of its
    solution. For one control use `combine_two`, which needs no solver and a small part of the
    time.

    Parameters
    ----------
    main, controls, count, shares
        As for `combine_two`, a share for each control.

    Raises
    ------
    MissingExtraError
        If scipy is not installed.
    SelectionError
        If no mask has enough of every control score: lower the shares.

    Notes
    -----
    With r controls up to r + 1 entries of the relaxed optimum are fractions. Rounding them can
    leave a control short by as much as those entries are worth; `reached` tells.

    Examples
    --------
    >>> main, control = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.0, 0.1, 0.3, 0.6])
    >>> combine(main, [control], 2, [1.0]).mask.tolist()
    [False, False, True, True]
    """
    try:
        from scipy.optimize import linprog
    except ImportError:
        raise MissingExtraError("scipy", "solver", "combining more than two scores") from None
    pairs = list(zip(controls, shares, strict=True))
    needs = [required_sum(main, control, count, share) for control, share in pairs]
    solved = linprog(
        -main * main.size,  # entries of about 1: the solver's tolerances are absolute
        A_ub=-np.stack(controls) * main.size,
        b_ub=-np.array(needs) * main.size,
        A_eq=np.ones((1, main.size)),
        b_eq=[count],
        bounds=(0, 1),
        method="highs",
    )
    if not solved.success:
        raise SelectionError(
            f"no mask has enough of every control score: lower the shares, {list(shares)}"
        )
    # the relaxed optimum is the mask but for its few fractions: the largest of them are taken
    mask = keep_top(np.asarray(solved.x, np.float64), count)
    return Combination(
        mask,
        tuple(float(x) for x in -solved.ineqlin.marginals),
        tuple(needs),
        tuple(float(control[mask].sum()) for control in controls),
    )
