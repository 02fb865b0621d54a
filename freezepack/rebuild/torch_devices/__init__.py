"""Tensors of a pack rebuilt where they are used: on a GPU, or on any other device of torch.

The host decodes index and values and sends those; base, patch and digest are made on the device.
A back end is one file and one line here; tests/contract/test_device_backends.py holds all of them
to the bits of the reference.
"""

import os
from typing import TYPE_CHECKING

from freezepack.errors import FreezepackError
from freezepack.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import device as Device

    from freezepack.rebuild.torch_devices.backend import DeviceBackend

DEVICE_BACKENDS = Registry(
    "device back end",
    {
        "triton": Entry(
            "freezepack.rebuild.torch_devices.triton_backend:TRITON",
            "kernels in Triton, for GPUs by NVIDIA and AMD",
        ),
        "torch": Entry(
            "freezepack.rebuild.torch_devices.plain:TORCH",
            "integer operations of torch, for any device",
        ),
    },
)
"""In order of preference."""
VARIABLE = "FREEZEPACK_DEVICE_BACKEND"
"""Environment variable that names the back end for every device, the CPU included."""
HOST = "host"
"""Stands for none: tensors are rebuilt by the CPU and sent whole."""


def choose_device_backend(
    device: "Device | str", name: str | None = None
) -> "DeviceBackend | None":
    """Return what rebuilds tensors on a device; None if the CPU does, and sends them whole.

    Parameters
    ----------
    device : torch.device or str
        Where the tensors go.
    name : str, optional
        A name in `DEVICE_BACKENDS`, or "host"; else that of FREEZEPACK_DEVICE_BACKEND. Without
        either, tensors for the CPU are rebuilt by its own back ends, and those for another
        device by the first that works there.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    FreezepackError
        If it was named and does not work there; the message says why.

    Examples
    --------
    >>> choose_device_backend("cpu") is None
    True
    >>> choose_device_backend("cpu", "torch").name
    'torch'
    """
    import torch

    place = torch.device(device)
    name = name or os.environ.get(VARIABLE) or None
    if name == HOST or (name is None and place.type in {"cpu", "meta"}):
        return None
    if name is not None:
        backend: DeviceBackend = DEVICE_BACKENDS.get_part(name)
        problem = backend.problem(place)
        if problem:
            raise FreezepackError(f"device back end {name!r} is not available: {problem}")
        return backend
    parts: list[DeviceBackend] = [DEVICE_BACKENDS.get_part(known) for known in DEVICE_BACKENDS]
    return next((part for part in parts if not part.problem(place)), None)


def find_device(device: "Device | str | int") -> "Device":
    """Return the device of torch that is meant.

    Raises
    ------
    FreezepackError
        If torch has no such device here; in its own words.

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
    """
    import torch

    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (AssertionError, ImportError, RuntimeError) as error:
        # Torch asserts that it was built for CUDA, and imports modules of other devices.
        problem = str(error).partition("\n")[0]
        raise FreezepackError(f"device {str(device)!r} cannot be used: {problem}") from None
    return place


def describe_device() -> str:
    """Say in one line what rebuilds tensors on this machine's device, or why the CPU does.

    Examples
    --------
    >>> describe_device().split(":")[0] in ("none", *DEVICE_BACKENDS)
    True
    """
    import torch

    names = ["cuda", "xpu", "mps"]
    place = next((name for name in names if getattr(torch, name).is_available()), None)
    triton: DeviceBackend = DEVICE_BACKENDS.get_part("triton")
    if place is None and os.environ.get(VARIABLE):
        place = "cpu"
    if place is None:
        problem = triton.problem()
        return f"none: torch finds no device beside the CPU (triton: {problem or 'ready'})"
    try:
        backend = choose_device_backend(place)
    except FreezepackError as error:
        return f"none: {error}"
    if backend is None:
        return f"none: {VARIABLE}={HOST} is set"
    reason = triton.problem(torch.device(place))
    return f"{backend.name}: on {place!r}" + (f" (triton: {reason})" if reason else "")
