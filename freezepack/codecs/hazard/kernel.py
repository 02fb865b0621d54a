"""The C++ twin of `reference`: the same bytes, some hundred times faster."""

from freezepack.codecs.hazard.layout import Layout
from freezepack.codecs.hazard.predicted import Base, Kernel
from freezepack.types import Positions

_KERNEL = Kernel("hazard", 1)
encoder, decoder, decode = _KERNEL.encoder, _KERNEL.decoder, _KERNEL.decode


def encode(base: Base, layout: Layout, positions: Positions, preset: int) -> bytes:
    """Return the section; see `reference.encode`."""
    return _KERNEL.encode(base, layout, positions, bytes([preset]))
