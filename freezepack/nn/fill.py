"""Write seeded values into a module: the base that a pack regenerates."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from freezepack.errors import SelectionError
from freezepack.nn.raw import dtype_of, raw_view
from freezepack.nn.state import named_state, unwrap
from freezepack.random import fill_raw, make_init
from freezepack.random.schemes import SCHEMES
from freezepack.types import Init

NORMALISATION = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Modules whose parameters are always trained, whatever their rank."""


def eligible_weights(
    model: nn.Module, include: Iterable[str] | None = None, exclude: Iterable[str] = ()
) -> tuple[str, ...]:
    """Name the weights that may be frozen: floating Parameters of rank 2 or more.

    Biases and normalisation are never among them; a tied weight is named once.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed.
    include : patterns, optional
        Keep only names that match one of these (`*`, `?` and `[...]` as in file names).
    exclude : patterns
        Leave out names that match one of these.

    Returns
    -------
    tuple of str
        In file order.

    Raises
    ------
    SelectionError
        If a pattern matches no eligible weight, or none is left.

    Examples
    --------
    >>> eligible_weights(nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 2)))
    ('0.weight', '2.weight')
    """
    inner = unwrap(model)
    everywhere = inner.named_parameters(remove_duplicate=False)  # files use the first by bytes
    parameters = {name: p for name, p in everywhere if p.dim() >= 2}
    norms = [module for module in inner.modules() if isinstance(module, NORMALISATION)]
    normal = {id(p) for module in norms for p in module.parameters(recurse=False)}
    order = {name: rank for rank, name in enumerate(named_state(inner).tensors)}
    found = [
        name
        for name in sorted(order, key=order.__getitem__)
        if name in parameters
        and parameters[name].is_floating_point()
        and id(parameters[name]) not in normal
    ]
    chosen = _matching(found, include) if include is not None else set(found)
    chosen -= _matching(found, exclude)
    if not chosen:
        raise SelectionError("no weight is eligible: expected a floating Parameter of rank 2")
    return tuple(name for name in found if name in chosen)


def fill_weights(
    model: nn.Module, names: Sequence[str], seed: int, scheme: str = "xavier_normal"
) -> dict[str, Init]:
    """Draw the named weights anew from a seed; everything else stays.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    names : sequence of str
        From `eligible_weights`.
    seed : int
        Key of the generator, 0 to 2**64 - 1.
    scheme : str
        A name of `freezepack.random.schemes.SCHEMES`.

    Returns
    -------
    dict of name to Init
        How each weight was drawn: draw, scale bits and stream number (its rank in file order).

    Examples
    --------
    >>> layer = nn.Linear(4, 2)
    >>> init = fill_weights(layer, ["weight"], seed=1)
    >>> init["weight"].draw.name, init["weight"].stream
    ('normal', 1)
    """
    recipe = SCHEMES.get_part(scheme)
    state = named_state(model)
    streams = state.streams
    inits: dict[str, Init] = {}
    for name in names:
        tensor = state.tensors[name]
        draw, scale = recipe(tuple(tensor.shape))
        inits[name] = make_init(draw, scale, stream=streams[name])
        write_base(tensor, seed, inits[name])
    return inits


def fill_module(model: nn.Module, seed: int, scheme: str = "xavier_normal") -> dict[str, Init]:
    """Initialise a whole module from a seed: weights drawn, biases 0, normalisation at default.

    Parameters of rank 0 and 1 that are neither (the slope of a PReLU, say) keep their values.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    seed, scheme
        See `fill_weights`.

    Returns
    -------
    dict of name to Init
        One record for each weight that was drawn.

    Examples
    --------
    >>> layer = nn.Linear(3, 2)
    >>> _ = fill_module(layer, seed=7)
    >>> layer.bias.tolist()
    [0.0, 0.0]
    """
    for module in model.modules():
        if isinstance(module, NORMALISATION):
            module.reset_parameters()
            continue
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.dim() < 2 and name.endswith("bias"):
                nn.init.zeros_(parameter)
    return fill_weights(model, eligible_weights(model), seed, scheme)


def write_base(tensor: Tensor, seed: int, init: Init) -> None:
    """Overwrite a tensor with its seeded base, whatever its device and memory layout."""
    base = torch.empty(tensor.shape, dtype=tensor.dtype)
    fill_raw(raw_view(base), dtype_of(tensor), key=seed, init=init)
    with torch.no_grad():
        tensor.copy_(base)


def base_tensors(
    shapes: Mapping[str, Tensor], seed: int | None, inits: Mapping[str, Init]
) -> dict[str, Tensor]:
    """Regenerate the base of some tensors: seeded where there is an Init, else zeros.

    Parameters
    ----------
    shapes : mapping of name to Tensor
        Only shape and element type are used.
    seed : int or None
        Key of the generator; may be None if `inits` is empty.
    inits : mapping of name to Init
        Names not in `shapes` are left out.
    """
    bases = {name: torch.zeros(tensor.shape, dtype=tensor.dtype) for name, tensor in shapes.items()}
    for name in bases.keys() & inits.keys():
        if seed is None:
            raise ValueError(f"the base of {name!r} needs a seed")
        write_base(bases[name], seed, inits[name])
    return bases


def _matching(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    chosen: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        matches = {name for name in names if fnmatchcase(name, pattern)}
        if not matches:
            known = ", ".join(names) or "none"
            raise SelectionError(f"no eligible weight matches {pattern!r}. Eligible: {known}.")
        chosen |= matches
    return chosen
