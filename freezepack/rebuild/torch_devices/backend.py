"""What every back end of a device promises."""

from typing import TYPE_CHECKING, Protocol

from freezepack.types import DType, Init

if TYPE_CHECKING:
    from torch import Tensor
    from torch import device as Device


class DeviceBackend(Protocol):
    """Makes bases, replaces elements and sums tiles on a device; the bits are the same in all.

    Tensors hold *bits*: one-dimensional, contiguous, uint8, int16, int32 or int64 by the size of
    an element (16-byte elements are two of int64). *Sums* are the sums H of the digest's tiles
    (formats/generators.md, section 9) as int64, one for each tile of 4,096 bytes. Work is queued
    on the current stream of the tensors' device; nothing waits for it.
    """

    name: str

    def problem(self, device: "Device | None" = None) -> str:
        """Return why this back end cannot be used on a device (None: on any), or ""."""
        ...

    def fill(
        self,
        out: "Tensor",
        dtype: DType,
        *,
        key: int,
        init: Init,
        start: int = 0,
        sums: "Tensor | None" = None,
    ) -> None:
        """Write elements `start` to `start + n - 1` of a seeded base into `out`, and its sums.

        With `sums`, `start` times the size of an element is a multiple of 4,096.
        """
        ...

    def patch(
        self,
        out: "Tensor",
        positions: "Tensor",
        values: "Tensor",
        *,
        offset: int = 0,
        sums: "Tensor | None" = None,
    ) -> None:
        """Replace elements, `out[offset + positions] = values`, and correct the sums.

        Positions are int32, increase strictly, and are inside: that is not checked again.
        """
        ...

    def sum_tiles(self, out: "Tensor", sums: "Tensor") -> None:
        """Write the sums of a tensor as it is in memory."""
        ...

    def finish(self, sums: "Tensor", digest: "Tensor") -> None:
        """Write the digest that belongs to the sums of a whole tensor into `digest[0]`."""
        ...
