"""Numbers of threads, and memcpy in as many."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack import native

TILE = 4096
"""Bytes or elements at whose multiples threads begin."""


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let freezepack and, where it is installed, torch use `count` threads inside the block."""
    before = native.get_num_threads()
    torch: Any = import_module("torch") if find_spec("torch") else None
    torch_before = torch.get_num_threads() if torch else 0
    native.set_num_threads(count)
    if torch:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        native.set_num_threads(before)
        if torch:
            torch.set_num_threads(torch_before)


def copy_bytes(out: NDArray[np.uint8], source: NDArray[np.uint8]) -> None:
    """Copy memory with as many threads as freezepack uses."""

    def part(begin: int, end: int) -> None:
        out[begin:end] = source[begin:end]

    native.map_tiles(part, out.size, TILE, 4 * native.threads.LEAST)
