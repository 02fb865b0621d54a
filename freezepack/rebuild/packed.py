"""An earlier pack as a base."""

from freezepack.digest import content_digest
from freezepack.rebuild.bases import check_same
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import FileBase, PackBase, RawArray, TensorSpec


class PackedBase:
    """The tensors of an earlier pack, made when they are asked for.

    Parameters
    ----------
    rebuilder : Rebuilder
        Kept; its reader must stay open.
    """

    def __init__(self, rebuilder: Rebuilder) -> None:
        self._rebuilder = rebuilder
        external = [b for b in rebuilder.header.bases if isinstance(b, FileBase | PackBase)]
        self.depth = 1 + max((rebuilder.find(base).depth for base in external), default=0)

    @property
    def digest(self) -> int:
        """Content digest: the header's, or computed from those of the records."""
        header = self._rebuilder.header
        if header.digest is not None:
            return header.digest
        return content_digest((r.spec, r.digest or 0) for r in header.tensors.values())

    def read(self, spec: TensorSpec, start: int, stop: int) -> RawArray:
        """Return elements `start` to `stop` - 1; damage is found by the unit checksums."""
        try:
            found = self._rebuilder.record(spec.name).spec
        except KeyError:
            found = None
        check_same(spec, found)
        return self._rebuilder.elements(spec.name, start, stop)
