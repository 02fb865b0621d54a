"""Arrays to the bytes of a pack."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from freezepack import native
from freezepack.codecs.base import ValueCodec
from freezepack.errors import CheckpointError
from freezepack.format.reader import PackReader
from freezepack.format.writer import EncodedPack, write_pack
from freezepack.pack.choose import choose, prune
from freezepack.pack.claims import Claim
from freezepack.pack.encode import Option, check_choices, is_fast, list_options
from freezepack.pack.joint import Shared, find_shared, may_share, share
from freezepack.pack.patch import TensorPatch, make_patch
from freezepack.pack.report import PackReport, report_tensor
from freezepack.pack.texts import check_metadata, check_names
from freezepack.rebuild import choose_backend
from freezepack.rebuild.base import TensorBase
from freezepack.rebuild.bases import Arrays, BaseTensors, find_base
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import (
    Draw,
    FileBase,
    Init,
    PackBase,
    RawArray,
    TensorSpec,
    ZerosBase,
)

SLOW_POSITIONS = 1 << 18
"""From here on packing takes 10 seconds and more where there is no kernel."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Packed:
    """The bytes of a pack, in pieces, and what they hold."""

    pieces: list[bytes]
    report: PackReport


def pack_arrays(
    arrays: Arrays,
    *,
    claims: Mapping[str, Claim] | None = None,
    aliases: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    bases: Sequence[BaseTensors] = (),
    index: str = "small",
    values: str = "auto",
    codecs: Mapping[str, ValueCodec] | None = None,
    partial: bool = False,
    check: bool = True,
) -> Packed:
    """Return the bytes of a pack that holds these tensors.

    Parameters
    ----------
    arrays : mapping of name to (spec, raw array)
        The tensors without aliases. Not changed.
    claims : mapping of name to Claim
        Where tensors come from. A claim with a mask is held to it. Without a mask, or without a
        claim, the smallest is taken of: the difference from the claimed base, the difference from
        zeros, and the whole tensor.
    aliases : mapping of str to str
        Tied names to the name in `arrays` that owns the bytes and comes first in UTF-8 order.
    metadata : mapping of str to str
        Text that changes no weight.
    bases : sequence of BaseTensors
        The tensors behind the `FileBase` and `PackBase` of claims.
    index : str
        "small", "fast" (no codec that decodes symbol by symbol), "auto" (small up to 2**24
        positions, fast above), or a codec's name, used where it can be. Tensors whose values lie on
        grids (`codecs`) share sections where that is smaller, or with "joint". Without the C++
        kernel all but "fast" take about 40 seconds for a million entries, which is logged.
    values : str
        "auto" for the smallest of "raw", "constant" and, for float32, float16, bfloat16 and
        float64 unless `index` is "fast", "float"; or a codec's name. Lossy ones only by name, as
        "planes", whose bytes depend on the release of zstd.
    codecs : mapping of name to ValueCodec
        Codecs of single tensors, in place of `values`, used where they can be: those of `Rounded`.
    partial : bool
        Marks a pack that holds only some tensors of a model.
    check : bool
        Read the pack again, rebuild every tensor and compare the digests.

    Returns
    -------
    Packed
        The same input gives the same bytes.

    Raises
    ------
    BaseDriftError
        If an entry outside a claimed mask differs from the base.
    BaseMismatchError
        If a claimed base outside the file is not in `bases`.
    CheckpointError
        If a claim is for no tensor, a mask has another shape than its tensor, or a name or a
        metadata text is one that no file may hold.
    TypeError
        If a name or a metadata text is none.
    UnknownNameError
        If there is no such codec.

    Examples
    --------
    >>> import numpy as np
    >>> from freezepack.types import DType
    >>> spec = TensorSpec("w", (2, 3), DType.uint8)
    >>> packed = pack_arrays({"w": (spec, np.array([0, 0, 7, 0, 0, 0], np.uint8))})
    >>> packed.report.trained, len(b"".join(packed.pieces)) < 50
    (1, True)
    """
    check_choices(index, values)
    check_names([*arrays, *(aliases or {})])
    check_metadata(metadata or {})
    claims, codecs = claims or {}, codecs or {}
    _check_forms(arrays, claims)
    _warn_of_time(arrays, index)
    names = sorted(arrays, key=str.encode)
    options: list[list[Option]] = []
    changed: list[int] = []
    shared: dict[str, Shared] = {}
    for stream, name in enumerate(names):
        spec, raw = arrays[name]
        patches = _patches(spec, raw, claims.get(name), stream, bases)
        changed.append(patches[0].changed)
        codec = codecs.get(name)
        run = find_shared(patches, codec) if may_share(spec, index) else None
        if run is not None:
            shared[name] = run
        # What will be in a run by name needs no other form but one.
        alone = "fast" if run is not None and index == "joint" else index
        found = [list_options(p, raw, alone, values, codec) for p in patches]
        options.append(prune([option for part in found for option in part]))
    chosen = choose(options)
    pack = EncodedPack([o.tensor for o in chosen], aliases or {}, metadata or {}, partial)
    try:
        pieces = write_pack(pack)
        if any(patch.patch.trained for patch in shared.values()):
            in_runs = share(chosen, shared, arrays)
            other = write_pack(replace(pack, tensors=[o.tensor for o in in_runs]))
            if index == "joint" or sum(map(len, other)) < sum(map(len, pieces)):
                chosen, pieces = in_runs, other
    except ValueError as error:
        # A name or a text that no file may hold, in all but odd cases.
        raise CheckpointError(str(error)) from error
    with PackReader(b"".join(pieces)) as reader:
        if check:
            Rebuilder(reader, bases=bases, max_bytes=None).verify()
        sizes, nbytes = reader.header.sizes, reader.header.file_size
    tensors = tuple(map(report_tensor, chosen, changed))
    dense = sum(arrays[name][0].nbytes for name in names)
    return Packed(pieces, PackReport(tensors, dense, nbytes, sizes))


def _check_forms(arrays: Arrays, claims: Mapping[str, Claim]) -> None:
    unknown = sorted(set(claims) - set(arrays))
    if unknown:
        raise CheckpointError(f"a claim is for no tensor of the model: {', '.join(unknown)}")
    for name, (spec, raw) in arrays.items():
        if (spec.name, spec.size, spec.dtype.raw) != (name, raw.size, raw.dtype):
            problem = f"{raw.size} elements of {raw.dtype} are not the tensor {spec}"
            raise ValueError(f"{name!r}: {problem}")


def _warn_of_time(arrays: Arrays, index: str) -> None:
    """Log, once, that the reference of the adaptive codecs takes long."""
    size = sum(spec.size for spec, _ in arrays.values() if not is_fast(spec.size, index))
    if size > SLOW_POSITIONS and native.library() is None:
        problem = f"packing {size:,} entries without the C++ kernel may take minutes"
        _logger.warning("%s (%s); index 'fast' is quicker", problem, native.status())


def _patches(
    spec: TensorSpec,
    raw: RawArray,
    claim: Claim | None,
    stream: int,
    bases: Sequence[BaseTensors],
) -> list[TensorPatch]:
    """Return the ways to see a tensor as base plus patch, the claimed one first."""
    claim = (claim or Claim()).simplest()
    if claim.init is None and claim.seed_of_mask is not None:
        # A mask from a seed needs a stream; the table position is the one that costs nothing.
        claim = replace(claim, init=Init(Draw.constant, 0, 0, stream))
    patches = [make_patch(raw, claim, base_of_claim(spec, claim, bases))]
    if claim.mask is None and not isinstance(claim.base, ZerosBase):
        zeros = replace(claim, base=ZerosBase(), mask_seed=claim.seed_of_mask)
        patches.append(make_patch(raw, zeros, base_of_claim(spec, zeros, bases)))
    fewest = min(patch.trained for patch in patches)
    if claim.mask is None and spec.size // 2 < fewest < spec.size:
        everything = np.broadcast_to(np.True_, (spec.size,))
        zeros = replace(claim, base=ZerosBase(), mask=everything)
        patches.append(make_patch(raw, zeros, base_of_claim(spec, zeros, bases)))
    elif claim.mask is not None and patches[0].trained == spec.size:
        zeros = replace(claim, base=ZerosBase())
        patches.append(make_patch(raw, zeros, base_of_claim(spec, zeros, bases)))
    return patches


def base_of_claim(spec: TensorSpec, claim: Claim, bases: Sequence[BaseTensors]) -> TensorBase:
    """Return the base that a claim names, ready to be made."""
    found = None
    if isinstance(claim.base, FileBase | PackBase):
        found = find_base(claim.base, bases)
    return TensorBase(spec, claim.base, claim.init, choose_backend(), found)
