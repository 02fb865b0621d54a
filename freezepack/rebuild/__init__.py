"""From records to tensors: base, patch, digest. NumPy only, but for back ends of devices.

A back end is one file and one line here; tests/contract/test_backends.py holds all of them to the
same bits.
"""

import os
from typing import TYPE_CHECKING

from freezepack.errors import FreezepackError
from freezepack.registry import Entry, Registry

if TYPE_CHECKING:
    from freezepack.rebuild.backend import Backend

BACKENDS = Registry(
    "backend",
    {
        "native": Entry("freezepack.rebuild.host:NATIVE", "C++ kernel on the CPU, in threads"),
        "numpy": Entry("freezepack.rebuild.host:NUMPY", "reference on the CPU, NumPy alone"),
    },
)
"""In order of preference."""
VARIABLE = "FREEZEPACK_BACKEND"
"""Environment variable that names the back end to use where no argument does."""


def choose_backend(name: str | None = None) -> "Backend":
    """Return the back end `name`, or that of FREEZEPACK_BACKEND, or the first that works here.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    FreezepackError
        If it was named and does not work here; the message says why.

    Examples
    --------
    >>> choose_backend("numpy").name
    'numpy'
    """
    name = name or os.environ.get(VARIABLE) or None
    if name is not None:
        backend: Backend = BACKENDS.get_part(name)
        problem = backend.problem()
        if problem:
            raise FreezepackError(f"backend {name!r} is not available: {problem}")
        return backend
    parts: list[Backend] = [BACKENDS.get_part(known) for known in BACKENDS]
    return next(part for part in parts if not part.problem())
