"""Back ends on the CPU: the C++ kernel and the NumPy reference."""

from freezepack import native
from freezepack.digest import digest_tiles
from freezepack.random import fill_raw
from freezepack.random.raw import rebuild_raw
from freezepack.types import DType, Init, Positions, RawArray


class HostBackend:
    """Arrays in main memory.

    Parameters
    ----------
    name : {"native", "numpy"}
        Which implementation of the generator and the digest is forced.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def problem(self) -> str:
        """Return why this back end cannot be used here, or ""."""
        if self.name == "native" and native.library() is None:
            return native.status().removeprefix("numpy: ")
        return ""

    def fill(self, out: RawArray, dtype: DType, *, key: int, init: Init, start: int) -> None:
        """Write elements `start` to `start + out.size - 1` of a seeded base into `out`."""
        fill_raw(out, dtype, key=key, init=init, start=start, backend=self.name)

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
        """Make base and patch of a slice in one pass; return what it adds to the digest."""
        return rebuild_raw(
            out,
            dtype,
            key=key,
            init=init,
            start=start,
            positions=positions,
            values=values,
            digest=digest,
            backend=self.name,
        )

    def patch(self, out: RawArray, positions: Positions, values: RawArray) -> None:
        """Replace elements: `out[positions] = values`."""
        out[positions] = values

    def digest(self, raw: RawArray) -> int:
        """Return the digest of a whole tensor."""
        return digest_tiles(raw, 0, self.name)


NATIVE = HostBackend("native")
NUMPY = HostBackend("numpy")
