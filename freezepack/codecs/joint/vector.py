"""Vectors: biases, parameters and statistics of normalisation; formats/joint.md, section 8."""

from collections.abc import Sequence
from functools import partial

from freezepack.codecs.joint.around import sign
from freezepack.codecs.joint.model import ONE, Decider, Effect, Magnitudes, Side, effects
from freezepack.codecs.joint.priors import (
    FIRST_OF_VECTOR,
    LAST_POWER,
    LAST_SIGN,
    LAST_SIZE,
    LATER_OF_VECTOR,
    POSITIVE,
    TRAINED,
)

_POWERS = 8


def code_vector(side: Side, levels: list[int], rows: Sequence[int] | None) -> None:
    """Code the integers of a vector, or fill them in.

    Parameters
    ----------
    rows : sequence of int or None
        Trained positions of each row of the matrix that the vector belongs to.
    """
    decider = Decider(side)
    trained = [Effect(start) for start in TRAINED]
    last_size = [Effect(start) for start in LAST_SIZE]
    positive, last_sign = Effect(POSITIVE), Effect(LAST_SIGN)
    last_power = effects(LAST_POWER, _POWERS)
    magnitudes = Magnitudes(FIRST_OF_VECTOR, LATER_OF_VECTOR)
    last = 0
    for i, level in enumerate(levels):
        dead = rows is not None and rows[i] == 0
        decider.add(trained[dead])
        if not dead:
            decider.add(last_size[min(abs(last), 2)])
        if not decider.decide(int(level != 0)):
            levels[i] = 0
            last = last if dead else 0
            continue
        decider.add(positive)
        if last:
            decider.add(last_sign, ONE * sign(last))
        up = decider.decide(int(level > 0))
        power = last_power[min(last.bit_length(), _POWERS - 1)]
        magnitude = magnitudes.code(decider, abs(level), partial(_add, decider, power))
        last = levels[i] = magnitude if up else -magnitude


def _add(decider: Decider, power: Effect, k: int) -> None:
    """Add what the last element says about decision k of a magnitude, the same for all k."""
    decider.add(power)
