"""Packs as models: every tensor rebuilt, with what the file says of bases and masks."""

import os
from collections.abc import Sequence

import numpy as np

from freezepack import native
from freezepack.checkpoints.state import State
from freezepack.files import hold_stream
from freezepack.format.reader import PackReader
from freezepack.format.tables import TensorRecord
from freezepack.pack.claims import Claim
from freezepack.rebuild.bases import BaseTensors
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import BoolArray, SeedBase


def read_packed(
    source: str | os.PathLike[str] | bytes,
    bases: Sequence[BaseTensors],
    max_bytes: int | None,
    *,
    claims: bool = False,
) -> State:
    """Rebuild every tensor of a pack.

    Parameters
    ----------
    source : path, "-" or bytes
        The pack.
    bases, max_bytes
        What it is based on, and the most bytes it may rebuild to.
    claims : bool
        Say where the tensors come from and which entries are trained, as the file does; packed
        again they give the same file. Decodes each index once more.

    Raises
    ------
    FormatError, BaseMismatchError
        If it cannot be rebuilt.
    """
    held = source if isinstance(source, bytes) else hold_stream(source)
    with PackReader(held) as reader:
        rebuilder = Rebuilder(reader, bases=bases, max_bytes=max_bytes)
        header = reader.header
        made = rebuilder.tensors()
        arrays = {name: (header.tensors[name].spec, raw) for name, raw in made.items()}
        found = {n: _claim(rebuilder, record) for n, record in header.tensors.items() if claims}
        return State(arrays, header.aliases, found, header.metadata, partial=header.partial)


def _claim(rebuilder: Rebuilder, record: TensorRecord) -> Claim:
    number = record.kind.mask_base
    key = rebuilder.header.bases[number - 1] if number else None
    seed = key if isinstance(key, SeedBase) else None
    return Claim(record.base, record.init, _mask(rebuilder, record), seed)


def _mask(rebuilder: Rebuilder, record: TensorRecord) -> BoolArray:
    spec, layout = record.spec, record.layout
    if record.trained in {0, spec.size}:
        return np.broadcast_to(np.bool_(record.trained), spec.shape)
    patcher = rebuilder.patcher(record)
    mask = np.zeros(spec.size, np.bool_)

    def mark(begin: int, end: int) -> None:
        for unit in range(begin, end):
            part = mask[layout.start(unit) :][: layout.unit_size(unit)]
            part[patcher.positions(unit)] = True

    native.map_tiles(mark, layout.units, 1, least=1)
    return mask.reshape(spec.shape)
