"""One golden file for each index codec and each value codec."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.random import permutation
from freezepack.types import Draw, DType, Init, TensorSpec, ZerosBase
from vector_writer.parts import NONE, ONE, SCALE, SEED, File, drawn, pick, rng, seeded_mask, words
from vector_writer.runs import joined
from vector_writer.tensors import Golden, stored

_MASKS = (
    ("a", (40, 30), pick(rng(), 1200, 30)),
    ("b", (10, 3, 5, 5), pick(rng(), 750, 700)),
    ("c", (9,), pick(rng(), 9, 1)),
    ("d", (2,), pick(rng(), 2, 1)),
)


def codec_files() -> Iterator[File]:
    """Yield a file for every codec in the tables."""
    for name in INDEX_CODECS:
        if name == "joint":
            yield _run_file()
            yield _runs_file()
            yield _checked_run_file()
            continue
        yield File(f"index-{name}", f"index codec {name}", list(_index_tensors(name)))
    for name in VALUE_CODECS:
        yield File(f"values-{name}", f"value codec {name}", list(_value_tensors(name)))


def _index_tensors(name: str) -> Iterator[Golden]:
    spec, init = TensorSpec("w", (8, 5), DType.float32), Init(Draw.normal, SCALE)
    if name == "none":
        yield Golden(spec, SEED, init, NONE, words(0), name)
    elif name == "all":
        yield Golden(spec, SEED, init, None, words(40), name)
    elif name == "seeded":
        yield seeded_mask("a", (40, 30), 50, ZerosBase(), 0)
        yield seeded_mask("b", (10, 3, 5, 5), 700, SEED, 1)
    elif name == "base-top":
        tensor = drawn("w", (40, 30), init, NONE, index=name)
        order = np.argsort(-(tensor.patterns() & 0x7FFFFFFF).astype(np.int64), kind="stable")
        mask = np.sort(order[:100])
        yield replace(tensor, positions=mask, values=words(100))
    elif name == "free":
        yield _half_free("a", 400, 300, 0)
        yield _half_free("b", 0, 900, 1)
    else:
        # There is nothing to turn in a vector.
        masks = [mask for mask in _MASKS if name != "hazard-turned" or len(mask[1]) > 1]
        for stream, (tensor_name, shape, mask) in enumerate(masks):
            init = Init(Draw.normal, SCALE, 0, stream)
            yield drawn(tensor_name, shape, init, mask, index=name)


def _levels(shape: tuple[int, ...], share: float) -> NDArray[np.int64]:
    """Return small integers, most of them 0, some rows all of them."""
    numbers = rng()
    levels = np.rint(numbers.normal(size=shape) * 1.2).astype(np.int64)
    levels[numbers.random(shape) > share] = 0
    levels[shape[0] // 2 :: 3] = 0
    return levels


def _run_file() -> File:
    """Return one run of tensors over seeds and zeros with others between them."""
    first, second = Init(Draw.normal, SCALE, 0, 1), Init(Draw.sign, 0x3D4CCCCD, 0, 7)
    kernels, rows = _levels((6, 3, 5, 5), 0.3), _levels((8, 96), 0.2)
    large = np.zeros(5, np.int64)
    large[2:] = 8_388_610, -8_388_610, 1000
    return File(
        "index-joint", "a run of tensors, others between them; index codec joint",
        [
            joined("a.bias", _levels((6,), 1.0), Step(1, 0, 0x3D800000)),
            joined("a.weight", kernels, Step(200, 14, SCALE), base=SEED, init=first),
            stored("b.count", (), DType.int64, bytes(range(8))),
            joined("b.weight", rows, Step(1, 0, 0x3C900000), dtype=DType.bfloat16),
            joined("c.empty", np.zeros((4, 4), np.int64), Step(1, 0, 0x3F800000)),
            joined("c.sign", _levels((5, 8), 0.5), Step(1, 0, 0x3D000000), base=SEED, init=second),
            joined("d", large, Step(1, 0, 0x33800000), dtype=DType.float64),
            joined("scalar", np.array(-1, np.int64), Step(1, 0, 0x3F800000), dtype=DType.float16),
        ],
        {"e.alias": "b.weight"},
    )  # fmt: skip


def _runs_file() -> File:
    """Return runs as long as they may be, and a tensor that is two."""
    half = np.zeros((2**9, 2**10), np.int64)
    half[3, 7:90:5] = 1
    large = np.zeros((3, 7, 100, 1000), np.int64)
    large[1, 2, 3, 4:900:100] = -1
    step = Step(1, 0, 0x3F800000)
    return File(
        "runs", "runs of 2^20 positions, of 255 tensors, of one unit of a larger tensor",
        [
            joined("a", half, step),
            joined("b", half, step),
            joined("c", large, step),
            *(joined(f"d{n:03}", np.array([n % 3 - 1]), step) for n in range(256)),
        ],
    )  # fmt: skip


def _checked_run_file() -> File:
    """Return runs in a file whose units have checksums."""
    return File(
        "runs-checked", "runs in a file with more than 65,536 payload bytes",
        [
            stored("a", (70_000,), DType.uint8, bytes(range(250)) * 280),
            joined("b", _levels((30, 40), 0.4), Step(1, 0, 0x3D000000)),
            joined("c", _levels((40,), 1.0), Step(1, 0, 0x3D000000)),
            joined("d", np.zeros((2, 2**19 + 2**10), np.int64), Step(1, 0, 0x3D000000)),
        ],
    )  # fmt: skip


def _half_free(name: str, marked: int, locked: int, stream: int) -> Golden:
    """Return a mask of which a seed knows the first positions: some trained, then some not."""
    order = permutation(1200, seed=ONE.seed, stream=stream + 2**63)
    rest = np.sort(order[marked + locked :])
    mask = np.sort(np.r_[order[:marked], rest[pick(rng(), rest.size, 40)]])
    tensor = drawn(name, (40, 30), Init(Draw.normal, SCALE, 0, stream), mask, index="free")
    return replace(tensor, mask_seed=ONE)


def _value_tensors(name: str) -> Iterator[Golden]:
    mask = pick(rng(), 1200, 300)
    tensor = drawn("w", (40, 30), Init(Draw.normal, SCALE), mask, coding=name)
    if name == "constant":
        yield replace(tensor, values=np.full(300, 0x80000000, np.uint32))
    elif name == "bf16":
        yield replace(tensor, values=tensor.values & np.uint32(0xFFFF0000))
    elif name == "fp16":
        rounded = tensor.values.view(np.float32).astype(np.float16).astype(np.float32)
        yield replace(tensor, values=rounded.view(np.uint32))
    elif name == "grid":
        q = np.round(rng().normal(size=300) * 6).astype(np.int64)
        drawn_step, bare_step = Step(200, 14, SCALE), Step(1, 0, 0x3C800000)
        values = drawn_step.bits_of(q, tensor.integers()[mask], DType.float32)
        yield replace(tensor, values=values, coder=Grid(drawn_step))
        zeros = Golden(TensorSpec("z", (40, 30), DType.bfloat16), ZerosBase(), None, mask, NONE, "")
        values = bare_step.bits_of(q, None, DType.bfloat16)
        yield replace(zeros, values=values, index="gaps", coding=name, coder=Grid(bare_step))
    else:
        yield tensor
