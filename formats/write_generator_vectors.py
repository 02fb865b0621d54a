"""Write the vectors of generators.md: python formats/write_generator_vectors.py [--replace NAME].

The NumPy reference makes them. A file that exists and would change is left alone unless it is
named after `--replace`; no test runs this.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from freezepack.digest import content_digest, digest_tiles
from freezepack.random import fill_raw, permutation, smallest_words, words
from freezepack.random.draws import normal_integers, truncated_integers, uniform_integers
from freezepack.random.narrow import narrow
from freezepack.random.philox import make_words
from freezepack.types import Draw, DType, Init, TensorSpec

FOLDER = Path(__file__).with_name("vectors") / "generators"
TYPES = (DType.float32, DType.bfloat16, DType.float16, DType.float64)
PLACES = (  # seed, stream, start
    (0, 0, 0),
    (0x0123456789ABCDEF, 7, 2**40 + 5),
    (1, 0, 1),
    (2**64 - 1, 2**63 - 1, 2**63 - 12),
    (0xA4093822299F31D0, 0x13198A2E, 2**32 - 5),
    (0x100000000, 0x100000000, 4093),
    (42, 3, 2**32 * 32 - 7),
)
PARAMETERS = (  # draw, scale bits, tail
    (Draw.uniform, 0x33800000, 0),
    (Draw.uniform, 0x30A1B2C3, 0),
    (Draw.normal, 0x35000000, 0),
    (Draw.normal, 0x3223D70A, 0),
    (Draw.normal, 0x2A000001, 0),
    (Draw.normal, 0x00800000, 0),
    (Draw.truncated_normal, 0x35000000, 195_422_145),
    (Draw.truncated_normal, 0x3223D70A, 1),
    (Draw.truncated_normal, 0x30FEDCBA, 2**32 - 1),
    (Draw.sign, 0x3D4CCCCD, 0),
    (Draw.constant, 0xBF19999A, 0),
    (Draw.constant, 0x00000001, 0),
)
COUNTERS = (  # counter, key
    ((0, 0, 0, 0), (0, 0)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)),
)
WORDS = (0, 1, 2, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x12345678, 0x40000001, 255)
TAILS = (1, 2, 11_595_536, 195_422_145, 1_362_838_254, 2**31, 2**32 - 1)
# fmt: off
PATTERNS = (
    0x3F808000, 0x3F818000, 0x3F808001, 0x3F803000, 0x3F801000, 0x33000000, 0x33000001,
    0x32FFFFFF, 0x387FFFFF, 0x38800000, 0x387FE000, 0x33C00000, 0x477FEFFF, 0x477FF000,
    0x477FE000, 0x7F7FFFFF, 0x7F7F7FFF, 0x7F7F8000, 0x00000001, 0x007FFFFF, 0x00800000,
    0x80000000, 0xB3800000, 0xBF800000, 0xC77FFFFF, 0x38001000, 0x38003000, 0x00000000,
)
# fmt: on


def main(arguments: list[str]) -> int:
    """Write what is missing or named; return 1 if something else would have changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replace", action="append", default=[], metavar="NAME")
    replace = parser.parse_args(arguments).replace
    FOLDER.mkdir(parents=True, exist_ok=True)
    refused = False
    for name, cases in make_files():
        text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
        path = FOLDER / name
        if path.exists() and path.read_text() == text:
            sys.stdout.write(f"{name}: unchanged\n")
        elif path.exists() and name not in replace:
            sys.stdout.write(f"{name}: differs, left alone; --replace {name} writes it\n")
            refused = True
        else:
            path.write_text(text)
            sys.stdout.write(f"{name}: written\n")
    return int(refused)


def make_files() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the name and the cases of each file."""
    yield "words.json", [*make_blocks(), *make_streams()]
    yield "integers.json", list(make_integers())
    yield "draws.json", [make_draw(p, q) for p in PARAMETERS for q in PLACES]
    yield "narrowing.json", [make_narrow(pattern) for pattern in PATTERNS]
    yield "long.json", list(make_long())
    yield "orders.json", list(make_orders())
    yield "digests.json", list(make_digests())


def make_blocks() -> Iterator[dict[str, Any]]:
    """Yield single blocks, some of them beyond the last position of a stream."""
    for counter, key in COUNTERS:
        block = counter[0] + (counter[1] << 32)
        seed, stream = key[0] + (key[1] << 32), counter[2] + (counter[3] << 32)
        yield {
            "counter": [f"{word:08x}" for word in counter],
            "key": [f"{word:08x}" for word in key],
            "words": hexes(make_words(seed, stream, 4 * block, 4)),
        }


def make_streams() -> Iterator[dict[str, Any]]:
    """Yield runs of words."""
    for seed, stream, start in (*PLACES, (0, 2**64 - 1, 0), (9, 2**63 + 2**62 + 1, 2)):
        out = np.empty(11, np.uint32)
        words(out, key=seed, stream=stream, start=start, backend="numpy")
        yield {**place(seed, stream, start), "words": hexes(out)}


def make_integers() -> Iterator[dict[str, Any]]:
    """Yield k for the words where an implementation is likely to go wrong."""
    octaves = [1 << bit for bit in range(32)] + [(1 << bit) - 1 for bit in range(32)]
    drawn = np.array(sorted({*WORDS, *octaves}), np.uint32)
    for word, k in zip(drawn, uniform_integers(drawn), strict=True):
        yield {"draw": "uniform", "word": f"{word:08x}", "k": int(k)}
    for word, k in zip(drawn, normal_integers(drawn), strict=True):
        yield {"draw": "normal", "word": f"{word:08x}", "k": int(k)}
    for tail in TAILS:
        some = np.array(WORDS, np.uint32)
        for word, k in zip(some, truncated_integers(some, tail), strict=True):
            yield {"draw": "truncated_normal", "tail": tail, "word": f"{word:08x}", "k": int(k)}


def make_draw(parameters: tuple[Draw, int, int], where: tuple[int, int, int]) -> dict[str, Any]:
    """Return one case of draws.json."""
    draw, bits, tail = parameters
    seed, stream, start = where
    case = {"draw": draw.name, "scale": f"{bits:08x}", "tail": tail, **place(seed, stream, start)}
    for dtype in TYPES:
        out = np.empty(11, dtype.raw)
        init = Init(draw, bits, tail, stream)
        fill_raw(out, dtype, key=seed, init=init, start=start, backend="numpy")
        case[dtype.name] = hexes(out)
    return case


def make_narrow(pattern: int) -> dict[str, str]:
    """Return one float32 pattern in all types."""
    x = np.array([pattern], np.uint32)
    return {dtype.name: hexes(narrow(x, dtype))[0] for dtype in TYPES}


def make_long() -> Iterator[dict[str, Any]]:
    """Yield the hashes of whole tensors."""
    seed, stream = 1 | 2 << 32, 3 | 4 << 32
    for draw, bits, tail in (
        (Draw.normal, 0x35000000, 0),
        (Draw.uniform, 0x33800000, 0),
        (Draw.truncated_normal, 0x35000000, 195_422_145),
        (Draw.sign, 0x3D4CCCCD, 0),
    ):
        for dtype in TYPES:
            out = np.empty(2**20, dtype.raw)
            fill_raw(out, dtype, key=seed, init=Init(draw, bits, tail, stream), backend="numpy")
            yield {
                "draw": draw.name,
                "scale": f"{bits:08x}",
                "tail": tail,
                **place(seed, stream, 0),
                "dtype": dtype.name,
                "size": out.size,
                "sha256": hashlib.sha256(out.tobytes()).hexdigest(),
            }


def make_orders() -> Iterator[dict[str, Any]]:
    """Yield whole orders, and the smallest positions of longer ones."""
    for seed, stream, size in ((0, 2**63, 8), (1, 2**63 + 5, 33), (2**64 - 1, 2**63 + 2**62, 64)):
        order = permutation(size, seed=seed, stream=stream).tolist()
        yield {**place(seed, stream, 0), "size": size, "order": order}
    longer = ((7, 2**63 + 2, 2**20 + 3, 10_000, 12), (0, 2**63, 0, 2**20, 9))
    for seed, stream, start, size, count in longer:
        found = smallest_words(seed, stream, start, size, count).tolist()
        yield {**place(seed, stream, start), "size": size, "count": count, "smallest": found}


def make_digests() -> Iterator[dict[str, Any]]:
    """Yield digests of bytes (given as hexadecimal, repeated) and of sets of tensors."""
    counting = bytes(range(256))
    short = ((b"", 1), (b"\0", 1), (b"abc", 1))
    for data, repeat in (
        *short,
        (counting, 20),
        (counting, 16),
        (b"\xff", 9000),
        (b"\xff\0\1", 3333),
    ):
        value = digest_tiles(data * repeat, 0, "numpy")
        yield {"bytes": data.hex(), "repeat": repeat, "digest": f"{value:016x}"}
    one = TensorSpec("w", (1, 3), DType.uint8)
    several = (
        (TensorSpec("", (), DType.float64), 0),
        (TensorSpec("größe", (0, 128, 70_000), DType.bfloat16), 2**64 - 1),
        (one, 0x243C125AA37010A4),
    )
    for items in ((), ((one, 0x243C125AA37010A4),), several):
        tensors = [
            {"name": s.name, "dtype": s.dtype.value, "shape": s.shape, "digest": f"{value:016x}"}
            for s, value in items
        ]
        yield {"tensors": tensors, "digest": f"{content_digest(items):016x}"}


def place(seed: int, stream: int, start: int) -> dict[str, str]:
    """Return seed, stream and position as they stand in the files."""
    return {"seed": f"{seed:016x}", "stream": f"{stream:016x}", "start": f"{start:016x}"}


def hexes(values: Any) -> list[str]:
    """Return patterns as hexadecimal."""
    return [f"{int(value):0{2 * values.itemsize}x}" for value in values]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
