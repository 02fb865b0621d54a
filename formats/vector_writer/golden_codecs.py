"""One golden file for each index codec and each value codec."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.random import permutation
from freezepack.types import Draw, DType, Init, TensorSpec, ZerosBase
from vector_writer.parts import NONE, ONE, SCALE, SEED, File, drawn, pick, rng, seeded_mask, words
from vector_writer.tensors import Golden

_MASKS = (
    ("a", (40, 30), pick(rng(), 1200, 30)),
    ("b", (10, 3, 5, 5), pick(rng(), 750, 700)),
    ("c", (9,), pick(rng(), 9, 1)),
    ("d", (2,), pick(rng(), 2, 1)),
)


def codec_files() -> Iterator[File]:
    """Yield a file for every codec in the tables."""
    for name in INDEX_CODECS:
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
