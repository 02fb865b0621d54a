"""Devices by torch's names, refused early and clearly if they are not here."""

import torch

from freezepack.errors import UnknownNameError


def find_device(name: torch.device | str) -> torch.device:
    """Return a device that tensors can be put on.

    Raises
    ------
    UnknownNameError
        If torch knows no such device, or there is none in this machine.

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UnknownNameError("device", str(name), _present()) from None
    return device


def _present() -> list[str]:
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if found is None:
        return ["cpu"]
    return ["cpu", *(f"{found.type}:{i}" for i in range(torch.accelerator.device_count()))]
