"""Sums of effects and the decisions made with them; formats/joint.md, sections 3 to 5."""

from collections.abc import Callable
from typing import Protocol

from freezepack.codecs.hazard.arithmetic import clamp, log2_fixed, squash
from freezepack.codecs.hazard.coder import BitDecoder, BitEncoder, Calibration
from freezepack.codecs.joint.priors import Start
from freezepack.codecs.probit.model import (
    GAIN,
    LOGIT,
    PULL,
    inverse_deviation,
    look_up,
    standardize,
)

ONE = 1 << 16
_NOISE = 1 << 24
_MOST_MEAN = 1 << 23
HALF = 32768


class Side(Protocol):
    """One direction of the coder."""

    reads: bool

    def code(self, p: int, bit: int) -> int:
        """Code `bit`, which is 1 with the chance p / 65536, and return it; or return the next."""
        ...


class Writer:
    """Writes decisions."""

    reads = False

    def __init__(self) -> None:
        self.coder = BitEncoder()

    def code(self, p: int, bit: int) -> int:
        """Code a bit."""
        self.coder.code(p, bit)
        return bit


class Reader:
    """Reads decisions; the bits given to it do not matter."""

    reads = True

    def __init__(self, data: bytes) -> None:
        self.coder = BitDecoder(data)

    def code(self, p: int, bit: int) -> int:
        """Return the next bit."""
        return self.coder.code(p)


class Gauge:
    """Adds up what a writer would write, in 1/256 bit."""

    reads = False

    def __init__(self) -> None:
        self.cost = 0

    def code(self, p: int, bit: int) -> int:
        """Count a bit."""
        self.cost += 4096 - log2_fixed(p if bit else 65536 - p)
        return bit


class Effect:
    """One summand: mean in 2**-16, variance in 2**-24."""

    __slots__ = ("mean", "variance")

    def __init__(self, start: Start) -> None:
        self.mean, self.variance = start


def effects(start: Start, count: int) -> list[Effect]:
    """Return `count` effects that start alike."""
    return [Effect(start) for _ in range(count)]


class Counter:
    """Zeros and ones so far, in 1/16."""

    __slots__ = ("ones", "zeros")

    def __init__(self, zeros: int, ones: int) -> None:
        self.zeros = zeros
        self.ones = ones


class Decider:
    """Makes decisions out of sums of effects, and teaches the effects.

    Attributes
    ----------
    sum : list of (Effect, int)
        Effects of the next decision, with weights in 2**-16.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sum: list[tuple[Effect, int]] = []
        self._t = 0
        self._inverse = 0

    def add(self, effect: Effect, weight: int = ONE) -> None:
        """Add an effect to the next decision."""
        self.sum.append((effect, weight))

    def decide(self, bit: int) -> int:
        """Make a decision with the sum."""
        p = clamp(squash(self._find_logit()) >> 6, 1, 65534)
        return self._learn(self.side.code(p, bit))

    def decide_calibrated(self, calibration: Calibration, bit: int) -> int:
        """Make a decision with the sum, half corrected by what happened at similar sums."""
        z = self._find_logit()
        p = (calibration.get(z) + (squash(z) >> 6) + 1) >> 1
        bit = self.side.code(clamp(p, 1, 65534), bit)
        calibration.update(bit)
        return self._learn(bit)

    def decide_counted(self, counter: Counter, bit: int) -> int:
        """Make a decision with a counter."""
        p = (counter.ones << 16) // (counter.zeros + counter.ones)
        bit = self.side.code(clamp(p, 1, 65534), bit)
        if bit:
            counter.ones += 16
        else:
            counter.zeros += 16
        return bit

    def peek(self, calibration: Calibration | None = None) -> float:
        """Return the chance of a 1 by the sum; nothing is coded or learned."""
        z = self._find_logit()
        self.sum.clear()
        if calibration is None:
            return clamp(squash(z) >> 6, 1, 65534) / 65536
        return clamp((calibration.get(z) + (squash(z) >> 6) + 1) >> 1, 1, 65534) / 65536

    def _find_logit(self) -> int:
        x, c = 0, _NOISE
        for effect, w in self.sum:
            x += effect.mean * w >> 16
            c += effect.variance * (w * w >> 16) >> 16
        self._inverse = inverse_deviation(c)
        self._t = standardize(x, self._inverse)
        return look_up(LOGIT, self._t)

    def _learn(self, bit: int) -> int:
        s = self._t if bit else -self._t
        pull = look_up(PULL, s) * self._inverse >> 16
        loss = (look_up(GAIN, s) * self._inverse >> 16) * self._inverse >> 16
        if not bit:
            pull = -pull
        for effect, w in self.sum:
            v = effect.variance
            mean = effect.mean + (v * (pull * w >> 16) >> 24)
            effect.mean = clamp(mean, -_MOST_MEAN, _MOST_MEAN)
            effect.variance = v - (v * (v * (loss * (w * w >> 16) >> 16) >> 16) >> 24)
        self.sum.clear()
        return bit


class Magnitudes:
    """Magnitudes from 1 on: 1, 2 and 3 by steps of their own, the others by powers of two.

    Parameters
    ----------
    first, later : Start
        Of the first step, and of the second and third.
    """

    STEPS = 3
    POWERS = 23

    def __init__(self, first: Start, later: Start) -> None:
        self._step = [Effect(first), Effect(later), Effect(later)]
        self._power = effects(Start(0, 1 << 24), self.POWERS)
        self._half = effects(Start(0, 1 << 23), self.POWERS)

    def add_step(self, decider: Decider, k: int) -> None:
        """Add the own effect of decision k, from 0 to 2: whether it is more than k + 1."""
        decider.add(self._step[k])

    def code(self, decider: Decider, magnitude: int, add: Callable[[int], None]) -> int:
        """Code a magnitude; `add(k)` adds the effects that the place has on decision k."""
        for k, step in enumerate(self._step):
            decider.add(step)
            add(k)
            if not decider.decide(int(magnitude > k + 1)):
                return k + 1
        rest = magnitude - self.STEPS
        power = 0
        while power < self.POWERS - 1:
            decider.add(self._power[power])
            add(self.STEPS - 1)
            if not decider.decide(int(rest >> power > 1)):
                break
            power += 1
        return self.STEPS + self._code_rest(decider, rest, power)

    def _code_rest(self, decider: Decider, rest: int, power: int) -> int:
        """Code which of the numbers 2**power to 2**(power + 1) - 1 it is."""
        found = 1
        for i in range(power - 1, -1, -1):
            bit = rest >> i & 1
            if i == power - 1:
                decider.add(self._half[power])
                bit = decider.decide(bit)
            else:
                bit = decider.side.code(HALF, bit)
            found = found << 1 | bit
        return found
