"""What coders that know only densities can reach at best."""

from collections.abc import Iterable
from math import log2


def entropy_bits(size: int, count: int) -> float:
    """Return n H(k/n), the bits of `count` ones among `size` places that are all alike.

    Examples
    --------
    >>> entropy_bits(8, 4), entropy_bits(8, 0)
    (8.0, 0.0)
    """
    if count in (0, size):
        return 0.0
    p = count / size
    return -size * (p * log2(p) + (1 - p) * log2(1 - p))


def per_tensor_bits(parts: Iterable[tuple[int, int]]) -> float:
    """Return the sum of n_t H(k_t/n_t) over tensors, given as (size, count); counts are free.

    Examples
    --------
    >>> per_tensor_bits([(8, 4), (100, 0)])
    8.0
    """
    return sum(entropy_bits(size, count) for size, count in parts)
