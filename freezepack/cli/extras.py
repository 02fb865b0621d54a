"""Whether the packages that a command needs are installed."""

from importlib.util import find_spec

from freezepack.errors import MissingExtraError


def require_torch(user: str) -> None:
    """Raise MissingExtraError, naming `user`, if torch is not installed."""
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "torch", user)
