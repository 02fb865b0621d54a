"""What `--base` says: where the tensors of a model come from."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from freezepack.checkpoints.own import UNNAMED
from freezepack.checkpoints.read import is_pack, read_source
from freezepack.checkpoints.state import State
from freezepack.errors import BaseMismatchError, CheckpointError
from freezepack.files import hold_stream
from freezepack.format.reader import PackReader
from freezepack.pack.claims import Claim
from freezepack.random import SCHEMES, check_init, make_init
from freezepack.rebuild.bases import ArraysBase, BaseTensors
from freezepack.rebuild.packed import PackedBase
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES, Rebuilder
from freezepack.types import FileBase, Init, PackBase, SeedBase, TensorSpec, ZerosBase

DEFAULT_SCHEME = "xavier_normal"
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str] | bytes] | None


@dataclass(frozen=True, slots=True)
class BaseChoice:
    """What `--base` says, taken apart.

    Attributes
    ----------
    kind : str
        "own" (what the file itself says), "zeros", "seed", "file" or "pack".
    """

    kind: str
    seed: int = 0
    scheme: str = DEFAULT_SCHEME
    path: str = ""


def parse_base(text: str | None) -> BaseChoice:
    """Take `--base` apart.

    Parameters
    ----------
    text : str or None
        "seed" (the checkpoint's own), "seed:SEED", "seed:SEED/SCHEME", "zeros", "file:PATH" or
        "pack:PATH". None: what the file itself says, else zeros.

    Raises
    ------
    ValueError
        If it is none of these.
    UnknownNameError
        If there is no such scheme.

    Examples
    --------
    >>> parse_base("seed:7/kaiming_normal")
    BaseChoice(kind='seed', seed=7, scheme='kaiming_normal', path='')
    """
    if text is None or text == "seed":
        return BaseChoice("own" if text is None else "own seed")
    kind, _, rest = text.partition(":")
    if kind in ("file", "pack") and rest:
        return BaseChoice(kind, path=rest)
    if text == "zeros":
        return BaseChoice("zeros")
    number, _, scheme = rest.partition("/")
    if kind != "seed" or not number.isdecimal() or int(number) >= 1 << 64:
        expected = "seed, seed:SEED, seed:SEED/SCHEME, zeros, file:PATH or pack:PATH"
        raise ValueError(f"the base is {text!r}, expected {expected}")
    scheme = scheme or DEFAULT_SCHEME
    SCHEMES[scheme]
    return BaseChoice("seed", int(number), scheme)


def claim_base(
    choice: BaseChoice,
    state: State,
    stack: ExitStack,
    *,
    more: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
) -> tuple[dict[str, Claim], list[BaseTensors]]:
    """Return the claims that a choice makes for a state, and the tensors outside it.

    Parameters
    ----------
    stack : ExitStack
        Closes what is opened here.
    more : paths
        What an earlier pack given as base is itself based on; with a pack that says itself where
        its tensors come from, what it names.
    max_bytes : int or None
        Most bytes that one call may make of a pack; None for no limit.

    Raises
    ------
    CheckpointError
        If the checkpoint's own seed is asked for and it has none.
    """
    own = dict(state.claims)
    if choice.kind == "own":
        return own, open_bases(more, stack, max_bytes=max_bytes)
    if choice.kind == "own seed":
        if not any(isinstance(claim.base, SeedBase) for claim in own.values()):
            problem = "the file does not say from which seed its weights come"
            raise CheckpointError(f"{problem}: give --base seed:SEED/SCHEME or --base zeros")
        return own, open_bases(more, stack, max_bytes=max_bytes)
    if choice.kind == "zeros":
        zeros = all(isinstance(claim.base, ZerosBase) for claim in own.values())
        return (own if zeros else {}), []
    specs = [spec for spec, _ in state.arrays.values()]
    if choice.kind == "seed":
        return seed_claims(choice.seed, scheme_inits(choice.scheme, specs)), []
    bases = open_bases([choice.path, *list_paths(more)], stack, max_bytes=max_bytes)
    claims = base_claims(bases[0], Path(choice.path).name, specs)
    for name, claim in own.items():
        if name not in claims or not isinstance(claim.base, FileBase | PackBase):
            continue
        # The file knows the mask; a checkpoint of ours leaves the base to be named.
        if claim.base.digest in {UNNAMED, bases[0].digest}:
            claims[name] = replace(claims[name], mask=claim.mask)
    return claims, bases


def scheme_inits(scheme: str, specs: Iterable[TensorSpec]) -> dict[str, Init]:
    """Return the draw that a scheme gives to each tensor it is meant for.

    These are the floating tensors of two or more dimensions; each has its rank among all names,
    sorted by UTF-8, as stream.
    """
    recipe = SCHEMES.get_part(scheme)
    inits: dict[str, Init] = {}
    for stream, spec in enumerate(sorted(specs, key=lambda spec: spec.name.encode())):
        if spec.dtype.is_floating and len(spec.shape) >= 2 and spec.size:
            init = make_init(*recipe(spec.shape), stream=stream)
            check_init(init, spec.dtype)
            inits[spec.name] = init
    return inits


def seed_claims(seed: int, inits: Mapping[str, Init]) -> dict[str, Claim]:
    """Return the claim that each of these tensors was drawn from `seed`."""
    return {name: Claim(SeedBase(seed), init) for name, init in inits.items()}


def base_claims(base: BaseTensors, hint: str, specs: Iterable[TensorSpec]) -> dict[str, Claim]:
    """Return the claim that tensors come from a base, for those that it has in the same form."""
    kind = PackBase if base.depth else FileBase
    claims: dict[str, Claim] = {}
    for spec in specs:
        try:
            base.read(spec, 0, 0)
        except BaseMismatchError:
            continue
        claims[spec.name] = Claim(kind(base.digest, hint))
    return claims


def open_bases(
    paths: Paths, stack: ExitStack, *, max_bytes: int | None = DEFAULT_MAX_BYTES
) -> list[BaseTensors]:
    """Open checkpoints and packs that others are based on; packs may be based on one another.

    Parameters
    ----------
    stack : ExitStack
        Closes what is opened here.
    max_bytes : int or None
        Most bytes that one call may make of a pack; None for no limit.

    Raises
    ------
    BaseMismatchError
        If a pack is based on something that is not among them.
    """
    listed = [hold_stream(path) for path in list_paths(paths)]
    found: dict[int, BaseTensors] = {}
    for number, source in enumerate(listed):
        if not is_pack(source):
            state = read_source(source)
            found[number] = ArraysBase(state.arrays, state.aliases)
    packs = [number for number in range(len(listed)) if number not in found]
    readers = {number: stack.enter_context(PackReader(listed[number])) for number in packs}
    while packs:
        waiting: list[int] = []
        for number in packs:
            rebuilder = Rebuilder(readers[number], bases=list(found.values()), max_bytes=max_bytes)
            try:
                found[number] = PackedBase(rebuilder)
            except BaseMismatchError:
                waiting.append(number)
                if waiting == packs:
                    raise
        packs = waiting
    return [found[number] for number in range(len(listed))]


def list_paths(paths: Paths) -> list[str | os.PathLike[str] | bytes]:
    """Return one path, several or none as a list; a stream may be there as its bytes."""
    if paths is None:
        return []
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)
