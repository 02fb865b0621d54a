"""Freeze any module: initialise, score, select, overlay."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.digest import content_digest, digest
from freezepack.errors import BaseDriftError, SelectionError, UnknownNameError
from freezepack.nn.fill import base_tensors, eligible_weights, fill_weights
from freezepack.nn.frozen import check_freezable, freeze_weights, frozen_masks
from freezepack.nn.raw import dtype_of, raw_copy
from freezepack.nn.record import FreezeRecord, attach_record, record_of
from freezepack.nn.state import named_state, unwrap
from freezepack.nn.whole import check_whole
from freezepack.registry import Argument
from freezepack.scores import SCORES
from freezepack.scores.task import Loss, ScoreTask
from freezepack.selection import STRATEGIES, resolve_options
from freezepack.selection.rate import canonical_rate, trained_count
from freezepack.selection.topk import Masks
from freezepack.types import Init, TensorSpec

_logger = logging.getLogger(__name__)

BASES = ("seed", "zeros", "file")


def freeze(
    model: nn.Module,
    *,
    rate: str | float,
    score: str = "snip",
    batch: tuple[Tensor, Tensor] | None = None,
    seed: int | None = None,
    base: str | None = None,
    include: list[str] | None = None,
    exclude: list[str] | tuple[str, ...] = (),
    scheme: str = "xavier_normal",
    strategy: str = "one-shot",
    strategy_args: Mapping[str, Argument] | None = None,
    loss: Loss = F.cross_entropy,
    chunk: int | None = None,
    batches: int = 1,
    score_mode: str = "train",
    add: Callable[[Tensor], Tensor] | None = None,
) -> FreezeRecord:
    """Freeze all but the weights with the highest scores, for good.

    Afterwards the module is trained as usual; what is frozen is no parameter and cannot move.
    With `seed` the eligible weights are **drawn anew** from it, so that a pack needs to store the
    seed only. Without it the present weights are the base, and a pack needs that checkpoint.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, or left as it was if an error is raised. Make the optimiser after this
        call.
    rate : str or float
        Freezing rate over all eligible weights, 0 <= rate < 1.
    score : str
        A name of `SCORES`.
    batch : (inputs, targets), optional
        Score batch, for scores that need data.
    seed : int, optional
        Key of the generator, 0 to 2**64 - 1.
    base : {"seed", "zeros", "file"}, optional
        What frozen weights are: their seeded value, 0 (pruned), or their present value. Default:
        "seed" if there is a seed, else "file".
    include, exclude : lists of patterns
        Which of the eligible weights (floating Parameters of rank 2 or more, normalisation
        apart) may be frozen; `*` and `?` as in file names.
    scheme : str
        Initialization, with `seed`.
    strategy, strategy_args
        How to select, see `STRATEGIES`, and its options, as in ``{"steps": 30, "budget": "erk"}``.
    loss, chunk, batches, score_mode, add
        How to score; see `ScoreTask`.

    Returns
    -------
    FreezeRecord
        Base and masks. It stays with the model, so saving needs no more than the model.

    Raises
    ------
    SelectionError
        If the rate is impossible, nothing is eligible, a score is NaN, the batch is not a pair,
        a weight belongs to a recurrent layer, or the model is frozen already, sharded (FSDP) or
        without memory (the device "meta").
    UnknownNameError
        If score, scheme, strategy or base is unknown.

    Notes
    -----
    A tied weight is one weight, drawn, scored and stored once. Parameters of rank 0 and 1 and
    those of BatchNorm, LayerNorm, GroupNorm and RMSNorm are trained and stored as they are;
    running statistics are buffers, which training keeps up to date and a pack stores exactly.
    Parameters that require no gradient are left alone: neither drawn, nor scored, nor counted.

    With `seed`, an embedding with a padding row is left out and trained as a whole: the row would
    be drawn anew too, and padding would mean something.

    Compile, wrap or shard (`fully_shard`) the model after this call: a sharded one is refused, as
    no process has the whole weights. To pack what was trained sharded, freeze a second model
    alike, load into it what `torch.distributed.checkpoint.state_dict.get_model_state_dict` gives
    with `full_state_dict=True`, and save that one.

    Examples
    --------
    >>> layer = nn.Linear(100, 10)
    >>> record = freeze(layer, rate=0.99, score="magnitude", seed=1)
    >>> sum(p.numel() for p in layer.parameters())  # 10 weights and 10 biases
    20
    """
    inner = unwrap(model)
    kind = base or ("file" if seed is None else "seed")
    check_whole(inner)
    _check_base(inner, kind, seed)
    names = _trainable(inner, eligible_weights(inner, include, exclude))
    if seed is not None:
        names = _without_padding(inner, names)
    size = sum(inner.get_parameter(name).numel() for name in names)
    count = trained_count(size, rate)
    part, options = SCORES.get_part(score), resolve_options(strategy, strategy_args or {})
    select = partial(STRATEGIES.get_part(strategy), **options)
    if count < size:
        check_freezable(inner, names)
    inputs, targets = _parts_of(batch)
    streams = named_state(inner).streams
    task = ScoreTask(
        names,
        streams,
        seed or 0,
        inputs,
        targets,
        loss,
        chunk=chunk,
        batches=batches,
        mode=score_mode,
        add=add,
    )
    with _restored_on_error(inner, names):
        init = fill_weights(inner, names, seed, scheme) if seed is not None else {}
        masks: Masks = {} if count == size else select(inner, part, task, rate)
        _warn_of_empty_layers(masks, pruned=kind == "zeros")
        masks = {name: mask for name, mask in masks.items() if not mask.all()}
        digested = content_of(inner) if kind == "file" else None
        if kind == "zeros":
            _prune(inner, masks)
        freeze_weights(inner, masks)
    kept: dict[str, Init] = init if kind == "seed" else {}
    record = FreezeRecord(kind, seed, canonical_rate(rate), score, kept, masks, digested)
    attach_record(inner, record)
    return record


def check_frozen(model: nn.Module) -> None:
    """Compare every frozen weight with its regenerated base, bit for bit.

    Raises
    ------
    BaseDriftError
        If one differs: the message names tensor and count.
    ValueError
        If the model has no record, or a base that cannot be regenerated ("file").
    """
    record = record_of(model)
    if record is None or record.fill == "file":
        raise ValueError("only a model frozen at a seed or at zeros can be checked")
    tensors = named_state(model).tensors
    frozen = {name: tensors[name] for name in record.masks}
    bases = base_tensors(frozen, record.seed, record.init)
    for name, mask in record.masks.items():
        moved = (raw_copy(frozen[name]) != raw_copy(bases[name])) & ~mask.reshape(-1)
        if moved.any():
            problem = f"{int(moved.sum())} of {mask.size} frozen weights differ from their base"
            raise BaseDriftError(f"{name}: {problem}, the first at {int(moved.argmax())}")


def content_of(model: nn.Module) -> int:
    """Return the content digest of a model's tensors in file order."""
    return content_digest(
        (TensorSpec(name, tuple(tensor.shape), dtype_of(tensor)), digest(raw_copy(tensor)))
        for name, tensor in named_state(model).tensors.items()
    )


def _warn_of_empty_layers(masks: Masks, *, pruned: bool) -> None:
    """Name the layers of which nothing is trained."""
    empty = [name for name, mask in masks.items() if not mask.any()]
    if empty and pruned:
        problem = "nothing passes a layer whose weights are all 0"
        _logger.warning("nothing is left of %s: %s", ", ".join(empty), problem)
    elif empty:
        _logger.info("nothing is trained of %s, which keep their base", ", ".join(empty))


def _prune(model: nn.Module, masks: Masks) -> None:
    with torch.no_grad():
        for name, mask in masks.items():
            weight = model.get_parameter(name)
            weight[torch.from_numpy(~mask).to(weight.device)] = 0.0


def _check_base(model: nn.Module, kind: str, seed: int | None) -> None:
    if kind not in BASES:
        raise UnknownNameError("base", kind, BASES)
    if kind == "seed" and seed is None:
        raise SelectionError("base 'seed' needs a seed, none was given")
    if record_of(model) is not None or frozen_masks(model):
        raise SelectionError("the model is frozen already: freeze a fresh one")


def _parts_of(batch: object) -> tuple[Tensor | None, Tensor | None]:
    """Return inputs and targets; a tensor alone must not be taken for a pair of its rows."""
    if batch is None:
        return None, None
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        found = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else type(batch).__name__
        raise SelectionError(f"batch is {found}, expected a pair of inputs and targets")
    for role, part in zip(("inputs", "targets"), batch, strict=True):
        if not isinstance(part, Tensor):
            raise SelectionError(f"{role} of the batch are {type(part).__name__}, expected Tensor")
    return batch[0], batch[1]


def _trainable(model: nn.Module, names: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(name for name in names if model.get_parameter(name).requires_grad)
    if not chosen:
        raise SelectionError(f"no gradient is required of {', '.join(names)}: none is eligible")
    return chosen


def _without_padding(model: nn.Module, names: tuple[str, ...]) -> tuple[str, ...]:
    padded = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.padding_idx is not None
    }
    return tuple(name for name in names if id(model.get_parameter(name)) not in padded)


@contextmanager
def _restored_on_error(model: nn.Module, names: tuple[str, ...]) -> Iterator[None]:
    """Give the named weights their old values back if the block is left with an error."""
    weights = [model.get_parameter(name) for name in names]
    old = [weight.detach().clone() for weight in weights]
    try:
        yield
    except BaseException:
        with torch.no_grad():
            for weight, before in zip(weights, old, strict=True):
                weight.copy_(before)
        raise
