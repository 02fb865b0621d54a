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
    found = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found
