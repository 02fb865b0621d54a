"""Bytes of whole files: our packs by part, and other ways to store the same network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from freezepack.bench.rivals import partial_masks, rival_sizes
from freezepack.bench.tables import Cell, Table
from freezepack.checkpoints.read import is_pack, read_state
from freezepack.codecs import value_codec_by_id
from freezepack.format.reader import PackReader
from freezepack.format.tables import Header
from freezepack.pack.packer import pack_arrays

PACKS = {
    "pack, small": ("small", "auto"),
    "pack, fast": ("fast", "auto"),
    "pack, bf16 (lossy)": ("small", "bf16"),
    "pack, raw values": ("small", "raw"),
}
"""How a checkpoint is packed: index and values."""
PARTS = ("preamble", "metadata", "kinds", "tensors", "digests", "index", "values")


@dataclass(frozen=True, slots=True)
class PackSize:
    """A pack by part."""

    nbytes: int
    parts: Mapping[str, int]
    lossy: bool
    index_bits: float
    """Bits of index for each trained weight of partially trained tensors."""


@dataclass(frozen=True, slots=True)
class FileSizes:
    """One checkpoint or pack, and what else it could be.

    Attributes
    ----------
    name : str
        The path as given.
    dense : int
        Bytes of the tensors alone.
    packs : mapping of str to PackSize
        Ours.
    rivals : mapping of str to int
        Others; empty for a pack, which is measured as it is.
    """

    name: str
    dense: int
    packs: Mapping[str, PackSize]
    rivals: Mapping[str, int] = field(default_factory=dict)


def measure_file(path: Path, report: Callable[[str], None]) -> FileSizes:
    """Return the sizes of a checkpoint in every form, or of a pack as it is.

    Raises
    ------
    CheckpointError, FormatError
        If it is neither.
    VerificationError
        If another program does not return what it was given.
    """
    report(str(path))
    if is_pack(path):
        with PackReader(path) as reader:
            header = reader.header
        return FileSizes(str(path), header.nbytes, {"pack as given": pack_size(header)})
    state = read_state(path)
    dense = sum(spec.nbytes for spec, _ in state.arrays.values())
    packs = {}
    for name, (index, values) in PACKS.items():
        packed = pack_arrays(
            state.arrays,
            claims=state.claims,
            aliases=state.aliases,
            metadata=state.metadata,
            index=index,
            values=values,
        )
        with PackReader(b"".join(packed.pieces)) as reader:
            packs[name] = pack_size(reader.header)
    rivals = rival_sizes(state) if partial_masks(state) else {}
    return FileSizes(str(path), dense, packs, rivals)


def pack_size(header: Header) -> PackSize:
    """Return the bytes of a pack by part."""
    marked = [r.trained for r in header.tensors.values() if r.trained and r.trained < r.spec.size]
    lossy = any(value_codec_by_id(kind.value_codec).lossy for kind in header.kinds)
    bits = 8 * header.sizes["index"] / sum(marked) if marked else 0.0
    return PackSize(header.file_size, dict(header.sizes), lossy, bits)


def file_tables(files: Sequence[FileSizes]) -> list[Table]:
    """Return everything in one table for programs, then one for each file."""
    columns = ["model", "file", "lossy", "bytes", "factor", *PARTS, "index_bits_per_trained"]
    rows = [[f.name, *row] for f in files for row in _rows(f)]
    pages = [
        Table(
            f"{Path(f.name).parent.name}/{Path(f.name).name}: {f.dense:,} bytes of tensors",
            columns[1:],
            [[cell if cell != "" else "-" for cell in row] for row in _rows(f)],
        )
        for f in files
    ]
    return [Table("files", columns, rows), *pages]


def _rows(sizes: FileSizes) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for name, size in sizes.packs.items():
        parts = [size.parts.get(part, 0) for part in PARTS]
        lossy, factor = "yes" if size.lossy else "no", round(sizes.dense / size.nbytes, 2)
        rows.append([name, lossy, size.nbytes, factor, *parts, round(size.index_bits, 3)])
    for name, nbytes in sizes.rivals.items():
        lossy = "yes" if "lossy" in name else "no"
        empty = [""] * (len(PARTS) + 1)
        rows.append([name, lossy, nbytes, round(sizes.dense / nbytes, 2), *empty])
    return rows
