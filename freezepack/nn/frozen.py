"""The frozen overlay: a weight is a constant base and a short vector of trained values.

The vector is the only `Parameter` of the weight, so no optimiser, decay, clipping or averaging
can reach a frozen entry. It is attached with `torch.nn.utils.parametrize`: `module.weight` is
still the dense weight, whoever asks for it.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from freezepack.errors import SelectionError
from freezepack.nn.overlay import Overlay
from freezepack.nn.sampled import save_work
from freezepack.nn.whole import check_gathered
from freezepack.types import BoolArray


def freeze_weights(model: nn.Module, masks: Mapping[str, BoolArray]) -> None:
    """Freeze every entry of the named weights that is not marked, at its present value.

    The model is changed in place. A weight of which anything is frozen becomes an `Overlay`,
    without a Parameter if nothing of it is trained; one with everything trained stays as it is.
    Undo with `torch.nn.utils.parametrize.remove_parametrizations`.

    Parameters
    ----------
    model : torch.nn.Module
        Its current weights are the base.
    masks : mapping of name to bool array of the weight's shape
        True is trained. Weights that are not named stay trained.

    Raises
    ------
    SelectionError
        If a name is not a weight of the model, a shape differs, a mask is not one of bools, or a
        weight belongs to a recurrent layer; nothing is changed then.

    Notes
    -----
    No optimiser, decay, clipping or averaging of parameters moves a frozen entry: none of them is
    a Parameter. Neither does writing to `module.weight`, as an initialiser or `clamp_` does: it is
    a copy, so the write has no effect at all, on trained entries either. `module.weight = dense`
    takes over the trained entries. What still moves a frozen entry is writing to the buffer
    `parametrizations.weight[0].base`, as averaging of buffers or loading the state dict of another
    model does; `check_frozen` and packing report that as `BaseDriftError`.

    A module that reads its weight many times in one pass makes as many copies;
    `torch.nn.utils.parametrize.cached` makes one. DistributedDataParallel sends the buffers `base`
    and `positions` at each pass unless `broadcast_buffers=False`; freeze every process alike.
    Transforms of `torch.func` (grad, vmap, jvp) do not go through a frozen weight.

    Examples
    --------
    >>> layer = nn.Linear(2, 2, bias=False)
    >>> freeze_weights(layer, {"weight": np.array([[True, False], [False, False]])})
    >>> [tuple(p.shape) for p in layer.parameters()]
    [(1,)]
    """
    masks = {name: np.asarray(mask) for name, mask in masks.items()}
    for name, mask in masks.items():
        if mask.dtype != np.bool_:
            raise SelectionError(f"the mask of {name!r} has elements of {mask.dtype}, not bool")
    places = {name: find_places(model, name, mask.shape) for name, mask in masks.items()}
    overlays: dict[str, tuple[nn.Parameter, Overlay]] = {}
    for name, mask in masks.items():
        if not mask.all():
            weight = places[name][0][0].get_parameter(places[name][0][1])
            flat = torch.from_numpy(np.flatnonzero(mask).astype(np.int64))
            overlays[name] = weight, Overlay(weight.detach().clone(), flat.to(weight.device))
    for name, (weight, overlay) in overlays.items():  # all memory is allocated by now
        attach_overlay(places[name], weight, overlay, overlay.right_inverse(weight))


def check_freezable(model: nn.Module, names: Iterable[str]) -> None:
    """Raise SelectionError if a weight cannot be frozen in part, whatever its mask will be."""
    for name in names:
        find_places(model, name, tuple(model.get_parameter(name).shape))


def rebuilt_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return the dense weights under an overlay by name; aliases share their owner's tensor.

    Raises
    ------
    CheckpointError
        If the trained values are sharded.
    """
    rebuilt: dict[str, Tensor] = {}
    made: dict[Overlay, Tensor] = {}
    with torch.no_grad():
        for prefix, module, attribute, overlay in find_overlays(model):
            if overlay not in made:
                values = module.parametrizations[attribute].original  # type: ignore[union-attr,index]
                check_gathered([(f"{prefix}{attribute}", values)])
                made[overlay] = overlay.rebuild(values)
            rebuilt[f"{prefix}{attribute}"] = made[overlay]
    return rebuilt


def frozen_masks(model: nn.Module) -> dict[str, BoolArray]:
    """Return the masks of the weights under an overlay, by name; True is trained."""
    return {
        f"{prefix}{attribute}": overlay.patched()
        for prefix, _, attribute, overlay in find_overlays(model)
    }


def find_overlays(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, Overlay]]:
    """Yield every overlay: prefix of its module's name, module, attribute, overlay."""
    for name, module in model.named_modules(remove_duplicate=False):
        if parametrize.is_parametrized(module):
            for attribute, chain in module.parametrizations.items():
                if isinstance(chain[0], Overlay):
                    yield f"{name}." if name else "", module, attribute, chain[0]


def find_places(model: nn.Module, name: str, shape: tuple[int, ...]) -> list[tuple[nn.Module, str]]:
    """Return every module and attribute that hold the weight, its own name's first."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    if name not in parameters:
        raise SelectionError(f"the mask of {name!r} belongs to no parameter of the model")
    weight = parameters[name]
    if shape != tuple(weight.shape):
        wanted = tuple(weight.shape)
        raise SelectionError(f"the mask of {name!r} has shape {shape}, expected {wanted}")
    places: dict[tuple[int, str], tuple[nn.Module, str]] = {}
    for key, parameter in parameters.items():
        if parameter is weight:
            parent, _, attribute = key.rpartition(".")
            module = model.get_submodule(parent)
            if isinstance(module, nn.RNNBase):
                raise SelectionError(f"{key!r} is a recurrent layer's weight: exclude it")
            places[id(module), attribute] = module, attribute
        elif weight.numel() and parameter.data_ptr() == weight.data_ptr():
            problem = f"{key!r} shares the memory of {name!r} and is another Parameter"
            raise SelectionError(f"{problem}: tie them (b.weight = a.weight) or copy one")
    return list(places.values())


def attach_overlay(
    places: list[tuple[nn.Module, str]], weight: nn.Parameter, overlay: Overlay, values: Tensor
) -> None:
    """Put a weight under an overlay wherever it is held; `values` becomes its Parameter."""
    trained = len(values) > 0
    if trained:
        values = nn.Parameter(values, requires_grad=weight.requires_grad)
    for module, attribute in places:
        # a stand-in, because registering turns the tensor it finds into the short vector
        if trained:
            setattr(module, attribute, nn.Parameter(weight.detach(), weight.requires_grad))
        else:
            delattr(module, attribute)
            module.register_buffer(attribute, weight.detach().view_as(weight))
        parametrize.register_parametrization(module, attribute, overlay, unsafe=True)
        module.parametrizations[attribute].original = values  # type: ignore[index,union-attr]
        if attribute == "weight":
            save_work(module, overlay)
