"""The logistic mixer of the position decisions: formats/hazard.md, section 9."""

from collections.abc import Sequence

from freezepack.codecs.hazard.arithmetic import clamp


class Offset:
    """A learned offset of the logit; its steps shrink as it learns."""

    def __init__(self) -> None:
        self.value = 0
        self._weight = 0

    def update(self, error: int, chance: int) -> None:
        """Follow an error, both in 2**-22."""
        gain = (1 << 40) // ((48 << 18) + self._weight)
        self.value = clamp(self.value + (error * gain >> 16), -(1 << 28), 1 << 28)
        self._weight += chance * ((1 << 22) - chance) >> 22


class Mixer:
    """Six weights of one context."""

    def __init__(self) -> None:
        self._weight = [0, 1 << 16, 0, 0, 0, 0]

    def dot(self, inputs: Sequence[int]) -> int:
        """Return the weighted sum of six inputs."""
        return sum(w * x for w, x in zip(self._weight, inputs, strict=True))

    def update(self, inputs: Sequence[int], error: int) -> None:
        """Follow an error in 2**-22."""
        self._weight = [
            clamp(w + (error * x >> 20), -(1 << 20), 1 << 20)
            for w, x in zip(self._weight, inputs, strict=True)
        ]
