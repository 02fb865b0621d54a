"""Which of the options each tensor gets: the smallest, with few kinds in the header."""

from collections.abc import Sequence

from freezepack.codecs import index_codec_by_id
from freezepack.pack.encode import Option
from freezepack.types import Base, Draw, DType, SeedBase

SLACK = 16
"""Options this much larger than a tensor's smallest can never pay by saving a kind."""
KIND_BYTES = 5
"""Least bytes of a kind in the header; a draw and a seed for the mask are one more each."""

_Key = tuple[DType, Base, Draw | None, int, int]


def prune(options: Sequence[Option]) -> list[Option]:
    """Return the options worth keeping, the best first.

    The order is by bytes, then by codec numbers, so it depends on nothing else.
    """
    ordered = sorted(options, key=lambda option: option.rank)
    return [option for option in ordered if option.nbytes <= ordered[0].nbytes + SLACK]


def choose(options: Sequence[Sequence[Option]]) -> list[Option]:
    """Return one option per tensor.

    Parameters
    ----------
    options : sequence of sequences
        For each tensor its pruned options.

    Notes
    -----
    Each tensor starts with its smallest option. Then a kind is given up as long as its tensors
    can be written with other kinds in use for less than the bytes of its entry.
    """
    chosen = [choices[0] for choices in options]
    while True:
        for kind in dict.fromkeys(map(_key, chosen)):
            moved = _without(kind, chosen, options)
            if moved is not None:
                chosen = moved
                break
        else:
            return chosen


def _without(
    kind: _Key, chosen: list[Option], options: Sequence[Sequence[Option]]
) -> list[Option] | None:
    """Return the choice without one kind, or None if that is not smaller."""
    others = set(map(_key, chosen)) - {kind}
    moved: list[Option] = []
    extra = 0
    for now, choices in zip(chosen, options, strict=True):
        if _key(now) != kind:
            moved.append(now)
            continue
        best = next((option for option in choices if _key(option) in others), None)
        if best is None:
            return None
        extra += best.nbytes - now.nbytes
        moved.append(best)
    drawn, from_seed = kind[2] is not None, index_codec_by_id(kind[3]).needs_seed
    return moved if extra < KIND_BYTES + drawn + from_seed else None


def _key(option: Option) -> _Key:
    tensor = option.tensor
    seeded = isinstance(tensor.base, SeedBase) and tensor.init is not None
    draw = tensor.init.draw if seeded and tensor.init is not None else None
    return tensor.spec.dtype, tensor.base, draw, tensor.index_codec, tensor.value_codec
