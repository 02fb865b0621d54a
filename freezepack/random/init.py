"""The stored form of a draw: making it from usual parameters, and checking it."""

import math
from operator import index

import numpy as np

from freezepack.errors import UnknownNameError
from freezepack.random.draws import MAX_NORMAL, MAX_UNIFORM
from freezepack.random.tail import tail_of
from freezepack.types import Draw, DType, Init

# float32 patterns of positive numbers are in the order of the numbers.
_SMALLEST = 0x00800000  # 2**-126: no product is subnormal, so flush-to-zero modes cannot matter
_LARGEST = 0x73000000  # 2**103: no product overflows, since abs(k) < 2**24
_INFINITY = 0x7F800000
_LARGEST_BFLOAT16 = 0x7F7F7FFF  # what is above rounds to infinity
_LARGEST_FLOAT16 = 65504.0

_POWERS = {Draw.uniform: -24, Draw.normal: -21, Draw.truncated_normal: -21}
_REACH = {Draw.uniform: MAX_UNIFORM, Draw.normal: MAX_NORMAL, Draw.truncated_normal: MAX_NORMAL}


def make_init(
    draw: Draw | str,
    scale: float | np.floating,
    *,
    stream: int = 0,
    cut: float | None = None,
    tail: int | None = None,
) -> Init:
    """Return the stored form of a draw from its usual parameter.

    Parameters
    ----------
    draw : Draw or its name
        "constant", "uniform", "normal", "truncated_normal" or "sign".
    scale : float
        The constant c; the half-width a of uniform on (-a, a); the standard deviation sigma of
        normal and, before it is cut, truncated normal; the magnitude c of sign. Rounded once to
        float32, then multiplied by a power of two, which is exact.
    stream : int
        The tensor's own sequence of words, 0 to 2**63 - 1.
    cut : float
        Truncated normal only: values stay within `cut` standard deviations.
    tail : int
        Truncated normal only, in place of `cut`: round(2**32 * P(abs(z) > cut)).

    Returns
    -------
    Init
        Checked for float32; see `check_init` for narrower types.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    UnknownNameError
        If there is no draw of that name.

    Examples
    --------
    >>> make_init("normal", 0.02, stream=3)
    Init(draw=<Draw.normal: 2>, bits=841209610, tail=0, stream=3)
    >>> make_init("truncated_normal", 1.0, cut=2.0).tail
    195422145
    """
    draw = _find_draw(draw)
    with np.errstate(over="ignore"):
        factor = np.float32(scale)
    if draw in _POWERS:
        low, high = math.ldexp(1.0, -126 - _POWERS[draw]), math.ldexp(1.0, 103 - _POWERS[draw])
        if not low <= float(factor) <= high:
            found = f"scale of {draw.name} is {float(scale)!r}"
            raise ValueError(f"{found}, expected {low!r} to {high!r} once rounded to float32")
        factor = np.float32(math.ldexp(float(factor), _POWERS[draw]))
    if cut is not None and tail is not None:
        raise ValueError("cut and tail are both given, expected one of them")
    if cut is not None:
        tail = tail_of(cut)
    if draw == Draw.truncated_normal and tail is None:
        raise ValueError("truncated_normal has no cut, expected one such as cut=2.0")
    init = Init(draw, int(factor.view(np.uint32)), tail or 0, index(stream))
    check_init(init)
    return init


def check_init(init: Init, dtype: DType = DType.float32) -> None:
    """Raise ValueError if `init` breaks a rule of the specification for tensors of `dtype`.

    Examples
    --------
    >>> check_init(make_init("normal", 16384.0), DType.float16)
    Traceback (most recent call last):
        ...
    ValueError: float16 ends at 65504, but the normal draw reaches 103841.1015625
    """
    problem = find_init_problem(init) or find_range_problem(init, dtype)
    if problem:
        raise ValueError(problem)


def find_init_problem(init: Init) -> str:
    """Return what is wrong with a draw whatever the element type, or "". For readers too."""
    if not 0 <= init.stream < 2**63:
        return f"stream is {init.stream}, expected 0 to {2**63 - 1}"
    low, high, shown = _bits_range(init.draw)
    # A constant may have either sign; the other draws take theirs from the words.
    size = init.bits & 0x7FFFFFFF if init.draw == Draw.constant else init.bits
    if not 0 <= init.bits < 2**32 or not low <= size <= high:
        return f"scale bits of {init.draw.name} are {init.bits:#010x}, expected {shown}"
    if init.draw == Draw.truncated_normal:
        if not 1 <= init.tail < 2**32:
            return f"tail of truncated_normal is {init.tail}, expected 1 to {2**32 - 1}"
    elif init.tail != 0:
        return f"tail of {init.draw.name} is {init.tail}, expected 0"
    return ""


def find_range_problem(init: Init, dtype: DType) -> str:
    """Return why no tensor of `dtype` may be drawn so, or "". Writers refuse it; readers need not.

    Only float16 and bfloat16 can fail, when the largest value of the draw would become infinite,
    and types that are not floating, which have no seeded base.
    """
    if not dtype.is_floating:
        return f"dtype is {dtype.name}, expected float32, float16, bfloat16 or float64"
    if dtype not in (DType.float16, DType.bfloat16):
        return ""
    # At most 24 + 24 bits: exact in float64.
    largest = abs(float(init.factor)) * _REACH.get(init.draw, 1)
    if dtype == DType.float16 and largest > _LARGEST_FLOAT16:
        return f"float16 ends at 65504, but the {init.draw.name} draw reaches {largest!r}"
    if dtype == DType.bfloat16 and init.bits & 0x7FFFFFFF > _LARGEST_BFLOAT16:
        return f"{largest!r} as bfloat16 is infinite, expected a smaller scale"
    return ""


def _bits_range(draw: Draw) -> tuple[int, int, str]:
    if draw == Draw.constant:
        return 0, _INFINITY - 1, "a finite number"
    if draw == Draw.sign:
        return _SMALLEST, _INFINITY - 1, "a positive number of at least 2**-126, finite"
    return _SMALLEST, _LARGEST, "a number from 2**-126 to 2**103"


def _find_draw(draw: Draw | str) -> Draw:
    if isinstance(draw, Draw):
        return draw
    if draw not in Draw.__members__:
        raise UnknownNameError("draw", draw, Draw.__members__)
    return Draw[draw]
