"""Strong lottery tickets: random weights that stay, and scores that learn which to remove."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from freezepack.errors import SelectionError
from freezepack.nn.frozen import attach_overlay, find_overlays, find_places
from freezepack.nn.popup import Popup
from freezepack.types import BoolArray


@dataclass(frozen=True, slots=True)
class Places:
    """What is fixed of a weight before the search; int64 tensors of positions in C order."""

    free: Tensor
    pruned: Tensor


def attach_scores(
    model: nn.Module, places: Mapping[str, Places], scores: Mapping[str, Tensor]
) -> None:
    """Put weights under a supermask; everything else of the model is frozen as it is.

    Parameters
    ----------
    model : torch.nn.Module
        Its present weights are the base. Changed in place: the scores are its only Parameters
        that are trained.
    places : mapping of name to Places
        What is free and what is pruned of each weight.
    scores : mapping of name to Tensor, shape (f,)
        The first score of each free position.

    Raises
    ------
    SelectionError
        If a name is no weight of the model, or nothing is free.
    """
    if not any(len(place.free) for place in places.values()):
        raise SelectionError("no weight is free, so there is nothing to search: freeze less")
    shapes = {name: tuple(model.get_parameter(name).shape) for name in places}
    found = {name: find_places(model, name, shapes[name]) for name in places}
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for name, place in places.items():
        weight = model.get_parameter(name)
        device = weight.device
        popup = Popup(weight.detach().clone(), place.free.to(device), place.pruned.to(device))
        weight.requires_grad_(True)
        attach_overlay(found[name], weight, popup, scores[name].to(weight))


def popups_of(model: nn.Module) -> dict[str, tuple[Popup, Tensor]]:
    """Return every weight under a supermask by name, with its scores; tied ones once."""
    found: dict[str, tuple[Popup, Tensor]] = {}
    seen: set[int] = set()
    for prefix, module, attribute, overlay in find_overlays(model):
        if isinstance(overlay, Popup) and id(overlay) not in seen:
            seen.add(id(overlay))
            scores = module.parametrizations[attribute].original  # type: ignore[union-attr,index]
            found[f"{prefix}{attribute}"] = overlay, scores
    return found


def load_scores(model: nn.Module, scores: Mapping[str, Tensor]) -> None:
    """Give the weights under a supermask other scores; `keep_highest` then chooses by them."""
    with torch.no_grad():
        for name, (_, present) in popups_of(model).items():
            present.copy_(scores[name])


def keep_highest(model: nn.Module, counts: int | Mapping[str, int]) -> None:
    """Choose anew which weights are kept: those with the highest absolute scores.

    Parameters
    ----------
    model : torch.nn.Module
        After `attach_scores`. Changed in place.
    counts : int or mapping of name to int
        How many weights to keep in all, or of each: locked ones included.

    Raises
    ------
    SelectionError
        If more weights are locked, or fewer are not pruned, than are to be kept.

    Notes
    -----
    The number is exact, and ties go to the lower index in file order, as everywhere. Linear in
    the number of free weights.
    """
    popups = popups_of(model)
    if isinstance(counts, int):
        _choose(popups, counts)
    else:
        for name, popup in popups.items():
            _choose({name: popup}, counts[name])


def removed_masks(model: nn.Module) -> dict[str, BoolArray]:
    """Return where each weight under a supermask is removed: what a pack stores."""
    return {name: popup.patched() for name, (popup, _) in popups_of(model).items()}


def _choose(popups: Mapping[str, tuple[Popup, Tensor]], count: int) -> None:
    free = sum(len(popup.positions) for popup, _ in popups.values())
    locked = sum(p.base.numel() - len(p.pruned) for p, _ in popups.values()) - free
    if not locked <= count <= locked + free:
        names = ", ".join(popups)
        problem = f"{count} weights of {names} are to be kept, {locked} are locked and {free} free"
        remedy = "lock less or keep more" if count < locked else "prune less or keep less"
        raise SelectionError(f"{problem}: expected {locked} to {locked + free}, so {remedy}")
    with torch.no_grad():
        magnitudes = torch.cat([scores.detach().abs() for _, scores in popups.values()])
        kept = _highest(magnitudes, count - locked)
        parts = torch.split(kept, [len(popup.positions) for popup, _ in popups.values()])
        for (popup, scores), part in zip(popups.values(), parts, strict=True):
            popup.keep(part, scores)


def _highest(numbers: Tensor, count: int) -> Tensor:
    """Mark the `count` highest numbers, ties in index order; on any device."""
    if count in (0, len(numbers)):
        return torch.full((len(numbers),), count > 0, device=numbers.device)
    limit = numbers.kthvalue(len(numbers) - count + 1).values
    marked = numbers > limit
    ties = (numbers == limit).nonzero().reshape(-1)
    marked[ties[: count - int(marked.sum())]] = True
    return marked
