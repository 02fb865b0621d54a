"""Bytes and speed of the `gaps` index codec, beside what others make of the same masks.

Run `python benchmarks/gaps.py [--masks FILE.npz]`: a Markdown table on stdout. Peers that are not
installed (pcodec, zstandard) are left out. An .npz file adds masks of its own: boolean arrays, of
which those named `GROUP/...` are coded one by one and summed.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import MAX_UNIT, vector_unit
from freezepack.codecs.bitmap import BITMAP
from freezepack.codecs.gaps import GAPS

Mask = NDArray[np.bool_]
Coder = Callable[[Mask], int]
LENET = [(20, 25), (50, 500), (500, 800), (10, 500)]
"""Weight matrices of LeNet-5-Caffe."""


def uniform(size: int, density: float) -> Mask:
    """Return a mask without structure."""
    return np.random.default_rng(1).random(size) < density


def clustered(shapes: Iterable[tuple[int, int]], density: float) -> Mask:
    """Return a mask whose rows and tensors differ in density: log-normal, sigma 1 and 0.7."""
    rng = np.random.default_rng(2)
    rates = [
        np.repeat(np.exp(rng.normal(0, 1, rows)), cols) * np.exp(rng.normal(0, 0.7))
        for rows, cols in shapes
    ]
    rate = np.concatenate(rates)
    rank = rng.exponential(1, rate.size) / rate
    mask = np.zeros(rate.size, np.bool_)
    mask[np.argpartition(rank, round(density * rate.size))[: round(density * rate.size)]] = True
    return mask


def entropy(mask: Mask) -> int:
    """Return n * H(k / n) in bytes."""
    share = float(mask.mean())
    if share in (0.0, 1.0):
        return 0
    bits = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    return round(mask.size * float(bits) / 8)


def gaps(mask: Mask) -> int:
    """Return the section's bytes; 0 for empty and full masks."""
    return len(GAPS.encode(np.flatnonzero(mask).astype(np.uint32), vector_unit(mask.size)) or b"")


def bitmap(mask: Mask) -> int:
    """Return the bytes of one bit for each position."""
    return BITMAP.fixed_length(mask.size, 1) or 0


def distances(mask: Mask) -> NDArray[np.uint32]:
    """Return the distances from one trained position to the next."""
    return np.diff(np.flatnonzero(mask), prepend=-1).astype(np.uint32) - 1


def varints(values: NDArray[np.uint32]) -> bytes:
    """Return LEB128 numbers."""
    out = bytearray()
    for value in values.tolist():
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7  # noqa: PLW2901
        out.append(value)
    return bytes(out)


def peers() -> dict[str, Coder]:
    """Return the coders that are installed."""
    found: dict[str, Coder] = {}
    if find_spec("pcodec"):
        pcodec = import_module("pcodec")
        config = pcodec.ChunkConfig(compression_level=12)
        compress = import_module("pcodec.standalone").simple_compress
        found["pcodec, gaps"] = lambda mask: len(compress(distances(mask), config))
    if not find_spec("zstandard"):
        return found
    pack = import_module("zstandard").ZstdCompressor(level=19).compress
    found["varint + zstd"] = lambda mask: len(pack(varints(distances(mask))))
    found["bitmap + zstd"] = lambda mask: len(pack(np.packbits(mask, bitorder="little").tobytes()))
    return found


def synthetic() -> dict[str, list[Mask]]:
    """Return masks by name."""
    masks: dict[str, list[Mask]] = {}
    for density in (0.0064, 0.01, 0.05):
        masks[f"LeNet-5 even {density:.2%}"] = [uniform(430_500, density)]
        masks[f"LeNet-5 clustered {density:.2%}"] = [clustered(LENET, density)]
    for density in (0.0001, 0.01, 0.05, 0.2, 0.3, 0.5):
        masks[f"2^20 even {density:.2%}"] = [uniform(MAX_UNIT, density)]
        masks[f"2^20 clustered {density:.2%}"] = [clustered([(2048, 512)], density)]
    return masks


def speed(masks: list[Mask]) -> float:
    """Return millions of indices decoded in a second, the best of several rounds."""
    sections = []
    for mask in masks:
        unit = vector_unit(mask.size)
        section = GAPS.encode(np.flatnonzero(mask).astype(np.uint32), unit) or b""
        sections.append((memoryview(section), int(mask.sum()), unit))
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        for data, count, unit in sections:
            GAPS.decode(data, count, unit)
        times.append(time.perf_counter() - begin)
    return sum(count for _, count, _ in sections) / min(times) / 1e6


def speeds(masks: list[Mask]) -> list[str]:
    """Return the speed with the kernel and with the reference."""
    native = speed(masks)
    os.environ["FREEZEPACK_NATIVE"] = "0"
    reference = speed(masks)
    del os.environ["FREEZEPACK_NATIVE"]
    return [f"{native:.0f}", f"{reference:.1f}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masks", help="an .npz file with boolean arrays")
    path = parser.parse_args().masks
    masks = synthetic()
    if path:
        with np.load(path) as arrays:
            for name in arrays.files:
                masks.setdefault(name.partition("/")[0], []).append(arrays[name].reshape(-1))
    others = peers()
    columns = ["mask", "k", "n*H(p)", "gaps", *others, "bitmap", "decode native M/s", "NumPy M/s"]
    print("| " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * (len(columns) - 1))
    for name, group in masks.items():
        coded = [mask for mask in group if mask.any() and not mask.all()]
        coders: list[Coder] = [entropy, gaps, *others.values(), bitmap]
        sizes = [str(sum(coder(mask) for mask in coded)) for coder in coders]
        count = str(sum(int(mask.sum()) for mask in coded))
        print("| " + " | ".join([name, count, *sizes, *speeds(coded)]) + " |")


if __name__ == "__main__":
    main()
