"""How much memory it takes to load a compact model.

A runtime that folds a graph keeps every intermediate tensor until it is done. The bytes a weight
below are the growth of a process that loads a model of 2**21 weights of one draw in onnxruntime
1.31; LeNet-5 (0.4 million weights) and a ResNet-18 (11 million) come within 10 % of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from freezepack.export.compact.pair import CALL
from freezepack.export.compact.plan import is_float
from freezepack.format.tables import Header, TensorRecord
from freezepack.types import Draw, SeedBase

_BYTES = {
    Draw.normal: (590, 560),
    Draw.truncated_normal: (620, 570),
    Draw.uniform: (350, 285),
    Draw.sign: (80, 70),
    Draw.constant: (21, 21),
}
"""By draw: bytes a weight with signed and with unsigned integers."""
_BITMAP = 50
"""Bytes a weight more for a mask stored as bits."""
_DENSE_MASK = 1 / 8
_SESSION = 16 << 20
_COPIES = 5
"""Copies of the dense weights that exist while a dense model is read and prepared."""
_RUNNING = 60
"""Bytes a weight of one call of the generator in a session that frees what it needs no more."""
LARGE = 1 << 30
"""Bytes above which two files are the better choice."""

BROWSERS = 4 << 30
"""Most memory that WebAssembly can address."""


@dataclass(frozen=True)
class Estimate:
    """Most bytes that loading takes.

    Attributes
    ----------
    weights : int
        Elements that the graph makes.
    folded : int
        Bytes for one compact model.
    pair : int
        Bytes for generator and skeleton, with `load_session`.
    """

    weights: int
    folded: int
    pair: int

    @property
    def is_large(self) -> bool:
        """Whether two files are the better choice."""
        return self.folded > LARGE

    def __str__(self) -> str:
        text = f"loading takes about {_show(self.folded)} of memory"
        if not self.is_large:
            return text
        browsers = "" if self.folded < BROWSERS else ", more than browsers have"
        return f"{text}{browsers}; as two files {_show(self.pair)}"


def estimate_memory(header: Header, *, arithmetic: str = "i64") -> Estimate:
    """Return how much memory it takes to load a pack's network as compact ONNX.

    Parameters
    ----------
    header : Header
        Of the pack; nothing else is read.
    arithmetic : {"i64", "u64"}
        As in `compact_model`.

    Examples
    --------
    >>> import numpy as np, freezepack, freezepack.numpy
    >>> with freezepack.open(freezepack.numpy.save({"w": np.zeros((1000, 1000), "f4")})) as file:
    ...     print(estimate_memory(file.header))
    loading takes about 55 MiB of memory
    """
    records = [record for record in header.tensors.values() if is_float(record)]
    made = sum(record.spec.size for record in records)
    dense = _SESSION + _COPIES * sum(record.spec.nbytes for record in records)
    between = sum(_bytes_a_weight(each, arithmetic) * each.spec.size for each in records)
    return Estimate(made, dense + between, dense + _RUNNING * min(_drawn(records), CALL))


def _drawn(records: Iterable[TensorRecord]) -> int:
    return sum(record.spec.size for record in records if isinstance(record.base, SeedBase))


def _bytes_a_weight(record: TensorRecord, arithmetic: str) -> int:
    trained = record.spec.size - 1 if record.trained is None else record.trained
    if trained == record.spec.size:
        return 0
    init = record.init if isinstance(record.base, SeedBase) else None
    drawn = _BYTES[init.draw if init else Draw.constant][arithmetic == "u64"]
    dense = trained > _DENSE_MASK * record.spec.size
    return drawn + (_BITMAP if dense else 0)


def _show(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 1 << 30 else f"{count / 2**20:.0f} MiB"
