"""What the save functions of `freezepack.numpy` and `freezepack.torch` have in common."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from freezepack.checkpoints.bases import (
    Paths,
    base_claims,
    list_paths,
    open_bases,
    scheme_inits,
    seed_claims,
)
from freezepack.checkpoints.state import State
from freezepack.errors import CheckpointError
from freezepack.pack.claims import Claim
from freezepack.pack.packer import Packed, pack_arrays
from freezepack.random import make_init
from freezepack.rebuild.bases import BaseTensors
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES
from freezepack.types import BoolArray, Init

Draws = str | Mapping[str, Init | tuple[str, float]] | None


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """How tensors are packed.

    Attributes
    ----------
    seed : int or None
        Key of the generator that drew the weights named by `init`.
    init : str or mapping, optional
        How they were drawn: a scheme for all floating tensors of two or more dimensions, or name
        to (draw, scale) or `Init`. Streams are ranks among the names sorted by UTF-8, unless an
        `Init` says otherwise.
    base : path or sequence of paths, optional
        The checkpoint or pack that the weights come from, then those that it needs itself. Not
        together with `seed`.
    masks : mapping of name to bool array, optional
        True is trained. What is not trained must equal its base. Without a mask, what differs
        from the base is stored.
    index, values : str
        As in `pack_arrays`.
    max_bytes : int or None
        Most bytes that one call may make of a base that is a pack; None for no limit.
    partial : bool
        Marks a pack that holds only some tensors of a model.
    """

    seed: int | None = None
    init: Draws = None
    base: Paths = None
    masks: Mapping[str, Any] | None = None
    index: str = "small"
    values: str = "auto"
    max_bytes: int | None = DEFAULT_MAX_BYTES
    partial: bool = False


def pack_state(state: State, metadata: Mapping[str, str] | None, options: SaveOptions) -> Packed:
    """Pack the tensors of a state, whose own claims stand where the options say nothing.

    Raises
    ------
    ValueError
        If the options contradict one another.
    BaseDriftError, CheckpointError, UnknownNameError
        As `pack_arrays` does.
    """
    if (options.seed is None) != (options.init is None):
        raise ValueError("seed and init belong together: give both or neither")
    if options.seed is not None and options.base is not None:
        raise ValueError("seed and base are both given, expected one of them")
    with ExitStack() as stack:
        claims, bases = _claims(state, options, stack)
        for name, mask in (options.masks or {}).items():
            if name not in state.arrays:
                raise CheckpointError(f"the mask of {name!r} belongs to no tensor")
            flags: BoolArray = np.asarray(mask)
            if flags.dtype != np.bool_:
                found = flags.dtype
                raise TypeError(f"the mask of {name!r} has elements of {found}, expected bool")
            claims[name] = replace(claims.get(name, Claim()), mask=flags)
        return pack_arrays(
            state.arrays,
            claims=claims,
            aliases=state.aliases,
            metadata={**state.metadata, **(metadata or {})},
            bases=bases,
            index=options.index,
            values=options.values,
            partial=options.partial or state.partial,
        )


def _claims(
    state: State, options: SaveOptions, stack: ExitStack
) -> tuple[dict[str, Claim], list[BaseTensors]]:
    claims = dict(state.claims)
    specs = [spec for spec, _ in state.arrays.values()]
    if options.base:
        paths = list_paths(options.base)
        bases = open_bases(paths, stack, max_bytes=options.max_bytes)
        hint = "" if isinstance(paths[0], bytes) else Path(paths[0]).name
        found = base_claims(bases[0], hint, specs)
        kept = {name: claim.mask for name, claim in claims.items()}
        return {n: replace(c, mask=kept.get(n)) for n, c in found.items()}, bases
    if options.seed is None or options.init is None:
        return claims, []
    inits = (
        scheme_inits(options.init, specs)
        if isinstance(options.init, str)
        else _named_inits(options.init, state)
    )
    return claims | seed_claims(options.seed, inits), []


def _named_inits(given: Mapping[str, Init | tuple[str, float]], state: State) -> dict[str, Init]:
    streams = {name: rank for rank, name in enumerate(sorted(state.arrays, key=str.encode))}
    unknown = sorted(set(given) - set(streams))
    if unknown:
        raise CheckpointError(f"init names tensors that are not there: {', '.join(unknown)}")
    return {
        name: init if isinstance(init, Init) else make_init(*init, stream=streams[name])
        for name, init in given.items()
    }
