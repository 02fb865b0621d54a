"""Loading a file as a user would, and writing back what was loaded."""

from freezepack.format.reader import PackReader
from freezepack.format.writer import EncodedPack, EncodedTensor, EncodedUnit, write_pack
from freezepack.rebuild import choose_backend
from freezepack.rebuild.packed import PackedBase
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import RawArray, SeedBase
from tests.conformance.vectors import golden

MAX_BYTES = 1 << 26


def load(data: bytes, given: str = "") -> dict[str, RawArray]:
    """Return all tensors; `given` is the golden file that the pack is based on."""
    bases = [PackedBase(Rebuilder(PackReader(golden(given)[0])))] if given else []
    rebuilder = Rebuilder(PackReader(data), bases=bases, max_bytes=MAX_BYTES)
    rebuilder.check_limit()
    return {name: rebuilder.tensor(name) for name in rebuilder.header.tensors}


def write_again(data: bytes, tensors: dict[str, RawArray]) -> bytes:
    """Return the file that holds what was read from `data`."""
    digests = {name: choose_backend().digest(tensor) for name, tensor in tensors.items()}
    return _write(data, digests)


def write_header_again(data: bytes) -> bytes:
    """Return a file with the same header, but for the digest."""
    return _write(data, {})


def uncoded(data: bytes) -> bytes:
    """Return the same file with a header that is not coded."""
    digests = {name: choose_backend().digest(tensor) for name, tensor in load(data).items()}
    return _write(data, digests, coded=False)


def _write(data: bytes, digests: dict[str, int], coded: bool | None = None) -> bytes:
    reader = PackReader(data)
    header = reader.header
    encoded = []
    for name, record in header.tensors.items():
        kind = record.kind
        mask_base = header.bases[kind.mask_base - 1] if kind.mask_base else None
        units = []
        for number in range(record.layout.units):
            index, values = reader.sections(record, number)
            units.append(EncodedUnit(record.unit(number).count, bytes(index), bytes(values)))
        encoded.append(
            EncodedTensor(
                record.spec,
                record.base,
                record.init,
                kind.index_codec,
                kind.value_codec,
                tuple(units),
                digests.get(name, 0),
                mask_base if isinstance(mask_base, SeedBase) else None,
                record.parameter,
            )
        )
    form = header.coded if coded is None else coded
    pack = EncodedPack(encoded, header.aliases, header.metadata, header.partial, form)
    return b"".join(write_pack(pack))
