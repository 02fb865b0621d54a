"""From a size to a rate weight: adapted while training, so that the file ends as large as asked."""

from math import exp, log

_GAIN = 30.0
"""How fast the logarithm of the weight follows that of the size, per share of the training."""
_AHEAD = 0.1
"""How far the present trend of the size is followed into the future, in the same unit.

A network that shrinks goes on for a while whatever the weight, and hardly grows again.
"""
_MEMORY = 0.02
"""Over which share of the training the trend is averaged."""
_FASTEST = 0.25
"""Largest change of the logarithm at once."""
_ARRIVAL = 0.45
"""Share of the training after which the file shall have its size."""
_SLACK = 0.06
"""How much larger it may be before, per share left: it shrinks as the learning rate falls."""
_MARGIN = 0.985
"""Share of the size that is aimed at: the last steps move it by a percent or so."""


class TargetControl:
    """Lead the size of a file to its target along a curve, by the rate weight.

    Parameters
    ----------
    target : int
        Bytes the file may have.
    end : float
        Share of the training after which the weight stays as it is.
    """

    def __init__(self, target: int, *, end: float = 0.95) -> None:
        self._target, self._end = target * _MARGIN, end
        self._last, self._first, self._size, self._trend = -1.0, 0.0, 0.0, 0.0

    def wanted(self, part: float) -> float:
        """Return the bytes that are aimed at after a share of the training."""
        left = max(0.0, 1 - part / _ARRIVAL) ** 2
        slack = 1 + _SLACK * max(0.0, 1 - part)
        excess: float = max(1.0, self._first / self._target) ** left
        return self._target * slack * excess

    def adapt(self, weight: float, size: float, part: float) -> float:
        """Return the rate weight to go on with.

        Parameters
        ----------
        weight : float
            The present one.
        size : float
            Bytes the file would have now. The first call's is where the curve begins.
        part : float
            Share of the training that is done; the longer since the last call, the more changes.

        Examples
        --------
        >>> control = TargetControl(1000)
        >>> control.adapt(1.0, 2000, 0.5)
        1.0
        >>> control.adapt(1.0, 2000, 0.51) > 1
        True
        """
        passed, before = part - self._last, self._size
        if self._last < 0:
            self._first = size
        begins = self._last < 0 or passed <= 0
        self._last, self._size = part, size
        if begins:
            return weight
        slope = log(size / before) / passed
        self._trend += (slope - self._trend) * min(1.0, passed / _MEMORY)
        if part > self._end:
            return weight
        ahead = min(_AHEAD, 1 - part)
        error = log(size / self.wanted(part + ahead)) + ahead * self._trend
        return weight * exp(max(-_FASTEST, min(_FASTEST, _GAIN * passed * error)))

    def state(self) -> list[float]:
        """Return what resuming needs."""
        return [self._last, self._first, self._size, self._trend]

    def load_state(self, state: list[float]) -> None:
        """Go on from what `state` returned."""
        self._last, self._first, self._size, self._trend = state
