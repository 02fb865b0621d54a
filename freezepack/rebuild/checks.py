"""What a rebuilder holds a file and its callers to: sizes, digests, memory to fill."""

from freezepack.errors import CorruptError, LimitError
from freezepack.format.tables import Header
from freezepack.types import RawArray, TensorSpec


def check_bytes(header: Header, nbytes: int, limit: int | None, name: str = "") -> None:
    """Raise LimitError if `nbytes` are to be made, of one tensor or of all, and `limit` is less."""
    if limit is not None and nbytes > limit:
        raise LimitError(
            "tensor_count",
            _table_offset(header, "kinds"),
            f"{nbytes:,} bytes when rebuilt, more than max_bytes = {limit:,}; "
            "if you trust the file, raise the limit with --max-bytes (max_bytes=)",
            name,
        )


def compare_digests(header: Header, wanted: int, found: int, name: str) -> None:
    """Raise CorruptError if a digest is not that of the header; `name` is "" for that of all."""
    if wanted != found:
        offset = _table_offset(header, "tensors")
        if header.digest is None:
            offset += 8 * list(header.tensors).index(name)
        problem = f"found {wanted:016x}, computed {found:016x}: the file is damaged"
        raise CorruptError("digest", offset, problem, name)


def check_out(out: RawArray, spec: TensorSpec) -> None:
    """Raise ValueError unless a tensor can be made in `out`."""
    if out.dtype != spec.dtype.raw or out.shape != (spec.size,):
        problem = f"out has dtype {out.dtype} and shape {out.shape} for {spec.name!r}"
        raise ValueError(f"{problem}, expected {spec.dtype.raw} and {(spec.size,)}")
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(f"out is not contiguous and writeable for {spec.name!r}: fill a copy")


def _table_offset(header: Header, part: str) -> int:
    """Return the offset in the file behind a part of the header."""
    parts = list(header.sizes)
    return sum(header.sizes[p] for p in parts[: parts.index(part) + 1])
