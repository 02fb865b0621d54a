"""Edge-popup: search a strong lottery ticket in random weights, all or partially frozen."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from freezepack.errors import SelectionError
from freezepack.nn.fill import eligible_weights, fill_weights
from freezepack.nn.record import FreezeRecord, attach_record, record_of
from freezepack.nn.state import named_state, unwrap
from freezepack.nn.supermask import Places, attach_scores, keep_highest, removed_masks
from freezepack.random import words
from freezepack.random.schemes import fans
from freezepack.selection.budget import layer_counts
from freezepack.selection.pattern import Pattern, draw_patterns
from freezepack.selection.rate import canonical_rate, trained_count
from freezepack.train.order import Purpose, stream_of

NAME = "edge-popup"


def search(
    model: nn.Module,
    *,
    rate: str | float,
    seed: int,
    scheme: str = "signed_constant",
    budget: str = "global",
    prune: str | float = 0,
    lock: str | float = 0,
    distribution: str = "erk",
) -> tuple[FreezeRecord, Callable[..., None]]:
    """Put a model's weights under a supermask whose scores are to be trained.

    The weights are **drawn anew** from the seed and never trained. Train the scores, which are
    the model's only trained Parameters, with any optimiser, and call the returned function after
    each step. `freezepack.torch.save_model` then stores the seed and what is removed.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place. Biases and normalisation stay as they are and are not trained.
    rate : str or float
        Share of the weights that keep their initial value; the rest is removed.
    seed : int
        Key of the generator: weights, pattern and first scores come from it.
    scheme : str
        Initialization of the weights.
    budget : {"global", "uniform", "erk", "equal"}
        Whether all layers compete, or how many weights each keeps. "uniform" is the choice of
        Ramanujan et al.
    prune, lock, distribution
        Shares of the weights that a seed removes and keeps before the search, see
        `freezepack.selection.pattern.draw_patterns`.

    Returns
    -------
    record : FreezeRecord
        Draws and, as masks, what is removed at first; `record_of` tells what is at present.
    refresh : callable
        Chooses the kept weights by the present scores. Its arguments are ignored, so that it can
        be given to `torch.optim.Optimizer.register_step_post_hook`.

    Raises
    ------
    SelectionError
        If the shares are impossible, or more is locked than shall be kept.

    References
    ----------
    Ramanujan et al., "What's Hidden in a Randomly Weighted Neural Network?", arXiv:1911.13299;
    Otsuka et al., "Partially Frozen Random Networks Contain Compact Strong Lottery Tickets",
    arXiv:2402.14029.

    Examples
    --------
    >>> layer = nn.Linear(20, 10)
    >>> record, refresh = search(layer, rate="0.5", seed=1, prune=0.2, lock=0.2)
    >>> int((layer.weight == 0).sum()), int(record.masks["weight"].sum())
    (100, 100)
    >>> sum(p.numel() for p in layer.parameters() if p.requires_grad)
    120
    """
    inner = unwrap(model)
    if record_of(inner) is not None:
        raise SelectionError("the model is frozen already: search in a fresh one")
    names, streams = eligible_weights(inner), named_state(inner).streams
    shapes = {name: tuple(inner.get_parameter(name).shape) for name in names}
    size = sum(map(prod, shapes.values()))
    removed = trained_count(size, rate)
    patterns = draw_patterns(
        shapes, streams, seed, prune=prune, lock=lock, distribution=distribution
    )
    keep: Any = size - removed
    if budget != "global":
        keep = layer_counts(shapes, size - removed, budget)
    init = fill_weights(inner, names, seed, scheme)
    places = {name: _places(pattern) for name, pattern in patterns.items()}
    scores = {
        name: _first_scores(shapes[name], rank, seed)[places[name].free]
        for rank, name in enumerate(names)
    }
    attach_scores(inner, places, scores)

    def refresh(*_: Any) -> None:
        keep_highest(inner, keep)

    refresh()
    masks = removed_masks(inner)
    record = FreezeRecord("seed", seed, canonical_rate(rate), NAME, init, masks)
    attach_record(inner, record)
    return record, refresh


def _places(pattern: Pattern) -> Places:
    return Places(torch.from_numpy(pattern.free), torch.from_numpy(pattern.pruned))


def _first_scores(shape: tuple[int, ...], rank: int, seed: int) -> Tensor:
    """Return uniform scores up to 1 / sqrt(fan_in) for all positions, as Ramanujan et al. do."""
    drawn = np.empty(prod(shape), np.uint32)
    words(drawn, key=seed, stream=stream_of(Purpose.scores, rank))
    steps = (drawn >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return torch.from_numpy(steps / np.sqrt(np.float32(fans(shape)[0])))
