"""Index sizes: bounds, our codecs and other coders on the same masks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from freezepack.bench.bounds import entropy_bits, per_tensor_bits
from freezepack.bench.cases import CASES, Case
from freezepack.bench.coding import BASES, index_costs, smallest, total
from freezepack.bench.masks import NetworkMask, snip_masks
from freezepack.bench.peers import PEERS
from freezepack.bench.peers.base import Peer
from freezepack.errors import UnknownNameError, VerificationError

Report = Callable[[str], None]
PACKED = "packed"
"""The smallest codec of each tensor, with counts and lengths: what a file spends."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one coder made of one mask.

    Attributes
    ----------
    kind : {"bound", "codec", "file", "peer"}
        Whether it is an entropy, one of our codecs on all tensors, the choice a file makes, or
        another program.
    base : {"seed", "zeros", ""}
        What the decoder knows of the frozen weights; "" where it makes no difference.
    size : float
        Bytes; of codecs the sections only.
    header : int
        Bytes of counts and lengths beside the sections.
    """

    case: Case
    rate: str
    seed: int
    weights: int
    trained: int
    kind: str
    coder: str
    base: str
    size: float
    header: int = 0

    @property
    def bits(self) -> float:
        """Bits per trained weight, counts and lengths left out except for kind "file"."""
        return 8 * (self.size + (self.header if self.kind == "file" else 0)) / self.trained


def find_cases(labels: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases with these labels, all without any."""
    known = {case.label: case for case in CASES}
    for label in labels:
        if label not in known:
            raise UnknownNameError("case", label, known)
    return tuple(known[label] for label in labels or known)


def measure_masks(
    cases: Iterable[Case],
    rates: Sequence[str],
    seeds: Sequence[int],
    *,
    data_dir: Path | None,
    cache: Path,
    report: Report,
) -> list[Result]:
    """Make the masks, code them in every way there is, and check that each comes back."""
    results: list[Result] = []
    for case in cases:
        for seed in seeds:
            report(f"{case.label}, seed {seed}: masks")
            masks = snip_masks(case, seed, rates, data_dir, cache)
            for rate, mask in masks.items():
                report(f"{case.label}, seed {seed}, rate {rate}: {mask.count:,} trained")
                results += measure_mask(mask)
    return results


def measure_mask(mask: NetworkMask) -> list[Result]:
    """Return what every coder makes of one mask."""
    sizes = [tensor.size for tensor in mask.tensors]
    parts = [tensor.positions for tensor in mask.tensors]
    pairs = [(n, part.size) for n, part in zip(sizes, parts, strict=True)]

    def result(kind: str, coder: str, base: str, size: float, header: int = 0) -> Result:
        place = (mask.case, mask.rate, mask.seed, mask.size, mask.count)
        return Result(*place, kind, coder, base, size, header)

    results = [
        result("bound", "n H(k/n)", "", entropy_bits(mask.size, mask.count) / 8),
        result("bound", "per tensor", "", per_tensor_bits(pairs) / 8),
    ]
    for base in BASES:
        costs = index_costs(mask, base)
        best = smallest(costs)
        results.append(result("file", PACKED, base, best.sections, best.header))
        for name, of_tensors in costs.items():
            if len(of_tensors) == len(mask.tensors):
                cost = total(of_tensors)
                results.append(result("codec", name, base, cost.sections, cost.header))
    for name in installed_peers():
        peer: Peer = PEERS.get_part(name)
        data = peer.encode(parts, sizes)
        decoded = peer.decode(data, sizes)
        if [p.tobytes() for p in decoded] != [p.tobytes() for p in parts]:
            raise VerificationError(f"{name} does not return the mask of {mask.case.label}")
        results.append(result("peer", name, "", len(data)))
    return results


def installed_peers() -> list[str]:
    """Name the peers whose packages are installed."""
    return [name for name, entry in PEERS.items() if not entry.source or find_spec(entry.source)]
