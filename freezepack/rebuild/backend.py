"""What every back end promises."""

from typing import Protocol

from freezepack.types import DType, Init, Positions, RawArray


class Backend(Protocol):
    """Makes bases, replaces elements and computes digests; the bits are the same in all of them."""

    name: str

    def problem(self) -> str:
        """Return why this back end cannot be used here, or ""."""
        ...

    def fill(self, out: RawArray, dtype: DType, *, key: int, init: Init, start: int) -> None:
        """Write elements `start` to `start + out.size - 1` of a seeded base into `out`."""
        ...

    def rebuild(
        self,
        out: RawArray,
        dtype: DType,
        *,
        key: int,
        init: Init | None,
        start: int,
        positions: Positions | None = None,
        values: RawArray | None = None,
        digest: bool = False,
    ) -> int:
        """Make base and patch of a slice in one pass, as `freezepack.random.raw.rebuild_raw` does.

        Called by several threads at once; it does its work in the calling one.

        Returns
        -------
        int
            What the slice adds to the digest of the tensor, modulo 2**64; 0 without `digest`.
        """
        ...

    def patch(self, out: RawArray, positions: Positions, values: RawArray) -> None:
        """Replace elements: `out[positions] = values`. Positions are below `out.size`."""
        ...

    def digest(self, raw: RawArray) -> int:
        """Return the digest of a whole tensor."""
        ...
