"""The encoder's choice of the preset byte: worth about 3 % of the bytes, at eleven encodings."""

from collections.abc import Callable

from freezepack.codecs.hazard.layout import DEFAULT, FLAT

_COLUMN_PRIORS = (1, 4, 5, 7)
_ROW_PRIORS = (1, 4, 5)


def smallest(encode: Callable[[int], bytes]) -> bytes:
    """Return the smallest section of those tried; of equal ones, the first.

    Parameters
    ----------
    encode : callable
        From a preset byte to the section.

    Examples
    --------
    >>> smallest(lambda preset: bytes([preset]) * (1 if preset == 63 else 9)).hex()
    '3f'
    """
    best, preset = encode(DEFAULT), DEFAULT

    def improves(trial: int) -> bool:
        nonlocal best, preset
        section = encode(trial)
        if len(section) >= len(best):
            return False
        best, preset = section, trial
        return True

    for field in _COLUMN_PRIORS:
        improves(preset & ~7 | field)
    for field in _ROW_PRIORS:
        improves(preset & ~56 | field << 3)
    if not improves(preset | 3 << 6):
        improves(preset & 63 | 1 << 6)
    improves(FLAT)
    return best
