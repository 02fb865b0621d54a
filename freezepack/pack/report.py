"""What packing did, in numbers."""

from dataclasses import dataclass, field

from freezepack.codecs import index_codec_by_id, value_codec_by_id
from freezepack.pack.encode import Option
from freezepack.types import Base, DType


@dataclass(frozen=True, slots=True)
class TensorReport:
    """How one tensor was written.

    Attributes
    ----------
    base : str
        Kind of base: zeros, seed, file or pack.
    trained : int
        Positions whose values are stored.
    changed : int
        Entries that differ, in any bit, from the base that was claimed.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    size: int
    base: str
    index: str
    values: str
    lossy: bool
    trained: int
    changed: int
    index_bytes: int
    value_bytes: int


@dataclass(frozen=True, slots=True)
class PackReport:
    """How a pack was written.

    Attributes
    ----------
    dense_bytes : int
        Bytes of all tensors, aliases not counted.
    nbytes : int
        Bytes of the file.
    sizes : dict of str to int
        Bytes of the file by part, as in `Header.sizes`.
    """

    tensors: tuple[TensorReport, ...]
    dense_bytes: int
    nbytes: int
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Entries of all tensors."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def trained(self) -> int:
        """Trained positions of all tensors."""
        return sum(tensor.trained for tensor in self.tensors)

    @property
    def changed(self) -> int:
        """Entries of all tensors that differ from the base that was claimed."""
        return sum(tensor.changed for tensor in self.tensors)

    @property
    def lossy(self) -> bool:
        """Whether any tensor was rounded."""
        return any(tensor.lossy for tensor in self.tensors)


def base_name(base: Base) -> str:
    """Return the kind of a base in one word.

    Examples
    --------
    >>> from freezepack.types import SeedBase
    >>> base_name(SeedBase(1))
    'seed'
    """
    return type(base).__name__.removesuffix("Base").lower()


def report_tensor(option: Option, changed: int) -> TensorReport:
    """Return how a tensor was written."""
    tensor = option.tensor
    codec = value_codec_by_id(tensor.value_codec)
    return TensorReport(
        name=tensor.spec.name,
        shape=tensor.spec.shape,
        dtype=tensor.spec.dtype,
        size=tensor.spec.size,
        base=base_name(tensor.base),
        index=index_codec_by_id(tensor.index_codec).name,
        values=codec.name,
        lossy=codec.lossy,
        trained=sum(unit.count for unit in tensor.units),
        changed=changed,
        index_bytes=sum(len(unit.index) for unit in tensor.units),
        value_bytes=sum(len(unit.values) for unit in tensor.units) + len(tensor.parameter),
    )
