"""The frozen overlay: a weight is a constant base and a short vector of trained values.

The vector is the only `Parameter` of the weight, so no optimiser, decay, clipping or averaging
can reach a frozen entry. It is attached with `torch.nn.utils.parametrize`: `module.weight` is
still the dense weight, whoever asks for it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from freezepack.errors import SelectionError
from freezepack.types import BoolArray


class Overlay(nn.Module):
    """Rebuild a weight from its base and the vector of its trained values.

    The values are written into the base's own memory, at the trained positions only: a step
    costs as much as there are trained values, however large the weight. They are written
    whenever the weight is read, so the result is never stale.

    Parameters
    ----------
    base : Tensor
        The dense weight, without gaps in memory. Kept; entries at `positions` are overwritten.
    positions : int64 Tensor, shape (k,)
        Trained positions in C order, increasing.
    """

    base: Tensor
    positions: Tensor

    def __init__(self, base: Tensor, positions: Tensor) -> None:
        super().__init__()
        self.register_buffer("base", base)
        self.register_buffer("positions", positions)
        self._written = -1
        self._key: object = None
        self._offsets = positions

    def forward(self, values: Tensor) -> Tensor:
        """Return the dense weight; its gradient flows to `values` alone."""
        if torch.compiler.is_compiling():
            flat = self.base.reshape(-1).index_copy(0, self.positions, values)
            return flat.reshape(self.base.shape)
        return _Rebuild.apply(values, self)  # type: ignore[no-any-return,no-untyped-call]

    def right_inverse(self, dense: Tensor) -> Tensor:
        """Return the trained values of a dense weight: what `module.weight = dense` keeps of it."""
        return dense.detach().reshape(-1).index_select(0, self.positions)

    def write(self, values: Tensor) -> Tensor:
        """Put the values into the base and return it.

        If the values have changed since the last time, the base's version goes up, so that
        autograd refuses a backward pass through weights that are gone, as for any Parameter.
        """
        offsets = self._storage_offsets()
        flat = self.base.as_strided((self.base.numel(),), (1,))
        target = flat.data if values._version == self._written else flat
        target.index_copy_(0, offsets, values)
        self._written = values._version
        return self.base.detach()

    def gather(self, grad: Tensor) -> Tensor:
        """Return the gradient of the values, given that of the dense weight."""
        if grad.stride() == self.base.stride():
            flat = grad.as_strided((grad.numel(),), (1,))
            return flat.index_select(0, self._storage_offsets())
        return grad.reshape(-1).index_select(0, self.positions)

    def _storage_offsets(self) -> Tensor:
        """Where the positions lie in memory: they differ from C order in channels-last."""
        key = (self.base.stride(), self.positions.device, self.positions.data_ptr())
        if key != self._key:
            rest, self._offsets = self.positions, torch.zeros_like(self.positions)
            for size, stride in zip(
                reversed(self.base.shape), reversed(self.base.stride()), strict=True
            ):
                self._offsets += rest % size * stride
                rest = rest // size
            self._key = key
        return self._offsets


class _Rebuild(torch.autograd.Function):
    """Values in, dense weight out; backward picks the gradient at the trained positions."""

    # no setup_context: torch inspects the signature at every call of a function that has one

    @staticmethod
    def forward(ctx: Any, values: Tensor, overlay: Overlay) -> Tensor:
        ctx.overlay = overlay
        return overlay.write(values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.overlay.gather(grads[0]), None


def freeze_weights(model: nn.Module, masks: Mapping[str, BoolArray]) -> None:
    """Freeze every entry of the named weights that is not marked, at its present value.

    The model is changed in place. A weight that is trained in part becomes an `Overlay`; one
    with nothing trained becomes a buffer; one with everything trained stays as it is. Undo with
    `torch.nn.utils.parametrize.remove_parametrizations`.

    Parameters
    ----------
    model : torch.nn.Module
        Its current weights are the base.
    masks : mapping of name to bool array of the weight's shape
        True is trained. Weights that are not named stay trained.

    Raises
    ------
    SelectionError
        If a name is not a weight of the model or a shape differs; nothing is changed then.

    Examples
    --------
    >>> layer = nn.Linear(2, 2, bias=False)
    >>> freeze_weights(layer, {"weight": np.array([[True, False], [False, False]])})
    >>> [tuple(p.shape) for p in layer.parameters()]
    [(1,)]
    """
    places = {name: _places(model, name, mask) for name, mask in masks.items()}
    for name, mask in masks.items():
        if mask.all():
            continue
        weight = places[name][0][0].get_parameter(places[name][0][1])
        flat = torch.from_numpy(np.flatnonzero(mask).astype(np.int64))
        if flat.numel() == 0:
            dense = weight.detach()
            for module, attribute in places[name]:
                del module._parameters[attribute]
                module.register_buffer(attribute, dense)
        else:
            _attach(places[name], weight, flat.to(weight.device))


def rebuilt_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return the dense weights under an overlay by name, aliases included."""
    with torch.no_grad():
        return {
            f"{prefix}{attribute}": overlay.write(module.parametrizations[attribute].original)  # type: ignore[union-attr,index]
            for prefix, module, attribute, overlay in _overlays(model)
        }


def frozen_masks(model: nn.Module) -> dict[str, BoolArray]:
    """Return the masks of the weights under an overlay, by name; True is trained."""
    masks: dict[str, BoolArray] = {}
    for prefix, _, attribute, overlay in _overlays(model):
        mask = np.zeros(overlay.base.numel(), np.bool_)
        mask[overlay.positions.cpu().numpy()] = True
        masks[f"{prefix}{attribute}"] = mask.reshape(tuple(overlay.base.shape))
    return masks


def _overlays(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, Overlay]]:
    for name, module in model.named_modules(remove_duplicate=False):
        if parametrize.is_parametrized(module):
            for attribute, chain in module.parametrizations.items():
                if isinstance(chain[0], Overlay):
                    yield f"{name}." if name else "", module, attribute, chain[0]


def _places(model: nn.Module, name: str, mask: BoolArray) -> list[tuple[nn.Module, str]]:
    """Return every module and attribute that hold the weight, its own name's first."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    if name not in parameters:
        raise SelectionError(f"the mask of {name!r} belongs to no parameter of the model")
    weight = parameters[name]
    if mask.shape != tuple(weight.shape):
        found, wanted = mask.shape, tuple(weight.shape)
        raise SelectionError(f"the mask of {name!r} has shape {found}, expected {wanted}")
    places: dict[tuple[int, str], tuple[nn.Module, str]] = {}
    for key, parameter in parameters.items():
        if parameter is weight:
            parent, _, attribute = key.rpartition(".")
            module = model.get_submodule(parent)
            if isinstance(module, nn.RNNBase):
                raise SelectionError(f"{key!r} is a recurrent layer's weight: exclude it")
            places[id(module), attribute] = module, attribute
    return list(places.values())


def _attach(places: list[tuple[nn.Module, str]], weight: nn.Parameter, positions: Tensor) -> None:
    overlay = Overlay(weight.detach().clone(), positions)
    values = nn.Parameter(overlay.right_inverse(weight), requires_grad=weight.requires_grad)
    for module, attribute in places:
        # a stand-in, because registering turns the parameter it finds into the short vector
        setattr(module, attribute, nn.Parameter(weight.detach(), weight.requires_grad))
        parametrize.register_parametrization(module, attribute, overlay, unsafe=True)
        module.parametrizations[attribute].original = values  # type: ignore[index,union-attr]
