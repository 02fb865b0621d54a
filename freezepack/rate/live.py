"""Training with only the first rows of each layer alive; all others of the network are 0.

Where most rows of a network will be empty in the end, computing them all is a waste: a layer with
8 of 20 channels alive costs less than half, and so does the layer behind it. What is left out is 0
in the stored network, which has its full shapes.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from freezepack.errors import SelectionError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_OF_NORMS = ("weight", "bias", "running_mean", "running_var")


def narrow(
    model: nn.Module, rows: Mapping[str, int], example: Tensor
) -> dict[str, tuple[int, ...]]:
    """Keep the first rows of named layers, and of all layers the columns that are then fed.

    The layers' Parameters are replaced by smaller ones of the same values. An example input tells
    how many columns each layer is fed: channels go on in their order, also through `flatten`.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    rows : mapping of name to int
        Name of a fully connected or convolutional layer to the number of its outputs that stay.
    example : Tensor
        An input, of one image or more.

    Returns
    -------
    dict of name to tuple
        Full shape of each tensor that became smaller, for `widen`.

    Raises
    ------
    SelectionError
        If a name is no such layer, a number is out of range, or the network
        cannot run with fewer.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    >>> full = narrow(model, {"0": 3}, torch.zeros(1, 4))
    >>> model[0].weight.shape, model[2].weight.shape, full["2.weight"]
    (torch.Size([3, 4]), torch.Size([2, 3]), (2, 6))
    """
    full: dict[str, tuple[int, ...]] = {}
    layers = dict(model.named_modules())
    for name, count in rows.items():
        layer = layers.get(name)
        if not isinstance(layer, _LAYERS):
            known = ", ".join(key for key, found in layers.items() if isinstance(found, _LAYERS))
            raise SelectionError(f"{name!r} is no layer with rows. Known: {known}")
        most = layer.weight.shape[0]
        if not 1 <= count <= most:
            raise SelectionError(f"{count} rows of {name} are to stay, expected 1 to {most}")
        for attribute in ("weight", "bias"):
            _cut(layer, name, attribute, (count,), full)
    _follow(model, example, full)
    return full


def widen(tensors: Mapping[str, Tensor], full: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Put tensors back into their full shapes; what was left out is 0.

    Examples
    --------
    >>> widen({"w": torch.ones(1, 2)}, {"w": (2, 3)})["w"].tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    wide: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        shape = full.get(name, tuple(tensor.shape))
        whole = tensor.new_zeros(shape)
        whole[tuple(slice(0, count) for count in tensor.shape)] = tensor
        wide[name] = whole
    return wide


def unnarrow(model: nn.Module, full: Mapping[str, tuple[int, ...]]) -> None:
    """Give a narrowed model its full shapes back, in place; what was left out is 0.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    >>> unnarrow(model, narrow(model, {"0": 3}, torch.zeros(1, 4)))
    >>> model[0].weight.shape, int((model[2].weight[:, 3:] != 0).sum())
    (torch.Size([6, 4]), 0)
    """
    present = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    small = {name: present[name].detach() for name in full}
    for name, whole in widen(small, full).items():
        parent, _, attribute = name.rpartition(".")
        tensor = present[name]
        is_parameter = isinstance(tensor, nn.Parameter)
        value = nn.Parameter(whole, tensor.requires_grad) if is_parameter else whole
        setattr(model.get_submodule(parent), attribute, value)


def _follow(model: nn.Module, example: Tensor, full: dict[str, tuple[int, ...]]) -> None:
    """Run the example through and cut the columns of each layer to what it is fed."""
    modes = [(module, module.training) for module in model.modules()]
    named = [(n, m) for n, m in model.named_modules() if isinstance(m, _LAYERS + _NORMS)]
    handles = [module.register_forward_pre_hook(_fit(name, full)) for name, module in named]
    try:
        model.eval()
        with torch.no_grad():
            model(example)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise SelectionError(f"the network cannot run with fewer rows: {reason}") from error
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training


def _fit(
    name: str, full: dict[str, tuple[int, ...]]
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def cut_columns(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        fed = inputs[0].shape[-1 if isinstance(layer, nn.Linear) else 1]
        if isinstance(layer, _NORMS):
            for attribute in _OF_NORMS:
                _cut(layer, name, attribute, (fed,), full)
        elif getattr(layer, "groups", 1) == 1:
            rows = getattr(layer, "weight").shape[0]  # noqa: B009
            _cut(layer, name, "weight", (rows, fed), full)

    return cut_columns


def _cut(
    layer: nn.Module,
    name: str,
    attribute: str,
    counts: tuple[int, ...],
    full: dict[str, tuple[int, ...]],
) -> None:
    """Keep the first `counts` of a tensor's first axes, if it has more."""
    tensor = getattr(layer, attribute, None)
    if tensor is None or all(n >= m for n, m in zip(counts, tensor.shape, strict=False)):
        return
    full.setdefault(f"{name}.{attribute}", tuple(tensor.shape))
    kept = tensor.detach()[tuple(slice(0, n) for n in counts)].clone()
    is_parameter = isinstance(tensor, nn.Parameter)
    setattr(layer, attribute, nn.Parameter(kept, tensor.requires_grad) if is_parameter else kept)
