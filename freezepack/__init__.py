"""Networks that are a seed, a few trained values and an index.

`import freezepack` loads neither NumPy nor torch: what is named here is imported when it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freezepack.errors import (
        BaseDriftError,
        BaseMismatchError,
        CheckpointError,
        CorruptError,
        DataError,
        FormatError,
        FreezepackError,
        InputError,
        LimitError,
        MissingExtraError,
        NotFreezepackError,
        OutputExistsError,
        SelectionError,
        TruncatedError,
        UnknownNameError,
        VerificationError,
        VersionError,
    )
    from freezepack.handle import open_pack as open

__version__ = "0.1.0"

__all__ = [
    "BaseDriftError",
    "BaseMismatchError",
    "CheckpointError",
    "CorruptError",
    "DataError",
    "FormatError",
    "FreezepackError",
    "InputError",
    "LimitError",
    "MissingExtraError",
    "NotFreezepackError",
    "OutputExistsError",
    "SelectionError",
    "TruncatedError",
    "UnknownNameError",
    "VerificationError",
    "VersionError",
    "__version__",
    "open",
]


def __getattr__(name: str) -> Any:
    if name == "open":
        return import_module("freezepack.handle").open_pack
    if name in __all__:
        return getattr(import_module("freezepack.errors"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
