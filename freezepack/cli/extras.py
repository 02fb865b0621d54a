"""Whether the packages that a command needs are installed."""

from importlib.util import find_spec

import click

from freezepack.errors import MissingExtraError


def require_torch(user: str) -> None:
    """Raise MissingExtraError, naming `user`, if torch is not installed."""
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "torch", user)


def check_device(name: str) -> None:
    """Raise a usage error if torch does not know the device or cannot use it here."""
    import torch

    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise click.UsageError(f"device {name!r}: {str(error).splitlines()[0]}") from None
