"""Files that every reader must accept, and what is in them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from freezepack.digest import content_digest, digest
from freezepack.types import Draw, DType, FileBase, Init, PackBase, TensorSpec, ZerosBase
from vector_writer.golden_codecs import codec_files
from vector_writer.parts import NONE, SCALE, SEED, TAIL, File, drawn, pick, rng, seeded_mask, words
from vector_writer.tensors import Golden, stored

LENET = {
    "conv1.bias": (20,), "conv1.weight": (20, 1, 5, 5), "conv2.bias": (50,),
    "conv2.weight": (50, 20, 5, 5), "fc1.bias": (500,), "fc1.weight": (500, 800),
    "fc2.bias": (10,), "fc2.weight": (10, 500),
}  # fmt: skip


CODED = (
    "aliases", "base-file", "base-pack", "draws", "dtypes", "empty", "index-joint",
    "lenet5-caffe", "names", "partial", "shapes", "streams", "tiny", "values-grid",
)  # fmt: skip
"""Files that are there with a coded header, too."""


def golden_files() -> Iterator[File]:
    """Yield all golden files; each is independent of the others."""
    for file in _plain_files():
        yield file
        if file.name in CODED:
            about = f"{file.name} with a coded header"
            yield replace(file, name=f"coded-{file.name}", about=about, coded=True)


def _plain_files() -> Iterator[File]:
    yield _tiny()
    yield File("empty", "no tensors at all", [])
    yield from codec_files()
    yield _dtypes()
    yield _draws()
    yield from _bases()
    yield _shapes()
    yield _names()
    yield File(
        "streams", "streams that are stored, also for a mask from a seed over zeros",
        [
            drawn("a", (6, 5), Init(Draw.normal, SCALE, 0, 2**63 - 1), pick(rng(), 30, 4)),
            drawn("b", (6, 5), Init(Draw.normal, SCALE, 0, 1), pick(rng(), 30, 4)),
            drawn("c", (6, 5), Init(Draw.normal, SCALE, 0, 0), pick(rng(), 30, 4)),
            seeded_mask("d", (1000,), 100, ZerosBase(), 77),
        ],
    )  # fmt: skip
    yield File(
        "aliases", "tied weights: an alias has the stream count of the tensor before it",
        [
            drawn("decoder.weight", (4, 3), Init(Draw.uniform, SCALE), pick(rng(), 12, 2)),
            drawn("other", (2, 2), Init(Draw.uniform, SCALE, 0, 1), pick(rng(), 4, 1)),
        ],
        aliases={"encoder.weight": "decoder.weight", "zz": "other", "é": "decoder.weight"},
    )  # fmt: skip
    yield File(
        "partial", "some tensors of a model, metadata of every kind",
        [stored("head.bias", (3,), DType.float32, bytes(range(12)))],
        metadata={
            "architecture": "lenet5-caffe", "architecture_arguments": '{"relu": "fc"}',
            "freezing_rate": "0.995", "score": "snip", "seeds": "1", "configuration_hash": "00ff",
            "accuracy": "0.9864", "licence": "Apache-2.0", "a": "", "Ünïcode": "text\nlines 名",
        },
        partial=True,
    )  # fmt: skip
    yield _units()
    yield _large()
    yield _lenet()


def _tiny() -> File:
    weight = drawn("fc.weight", (2, 5), Init(Draw.normal, SCALE, 0, 1), np.array([1, 8]))
    return File(
        "tiny", "the worked example of the specification",
        [stored("fc.bias", (2,), DType.float32, bytes.fromhex("0000803f000000bf")), weight],
        metadata={"freezing_rate": "0.8"},
    )  # fmt: skip


def _dtypes() -> File:
    tensors = []
    for dtype in DType:
        bits = np.random.default_rng(dtype).integers(0, 256, 6 * dtype.itemsize, np.uint8)
        if dtype == DType.bool:
            bits &= 1
        data = bits.tobytes()
        if dtype == DType.float32:
            data = np.array([0x7FC00001, 0xFFA00000, 0x80000000, 1, 0x7F800000, 0], "<u4").tobytes()
        tensors.append(stored(dtype.name, (2, 3), dtype, data))
    return File("dtypes", "every element type, NaN payloads and -0.0 included", tensors)


def _draws() -> File:
    tensors = []
    types = (DType.float32, DType.float16, DType.bfloat16, DType.float64)
    names = sorted(f"{draw.name}.{dtype.name}" for draw in Draw for dtype in types)
    for stream, name in enumerate(names):
        draw, dtype = Draw[name.split(".")[0]], DType[name.split(".")[1]]
        bits = {Draw.constant: 0xBF19999A, Draw.sign: 0x3D4CCCCD}.get(draw, SCALE)
        init = Init(draw, bits, TAIL if draw == Draw.truncated_normal else 0, stream)
        spec = TensorSpec(name, (33,), dtype)
        tensors.append(Golden(spec, SEED, init, NONE, np.zeros(0, dtype.raw), "none"))
    return File("draws", "every draw in every floating element type", tensors)


def _bases() -> Iterator[File]:
    given = _tiny().tensors
    digests = [(tensor.spec, digest(tensor.content())) for tensor in given]
    found = content_digest(digests)
    for kind, base in (
        ("file", FileBase(found, "tiny.safetensors")),
        ("pack", PackBase(found, "tiny.fpk")),
    ):
        spec, content = given[1].spec, given[1].content()
        patched = Golden(spec, base, None, np.array([0, 9]), words(2), "bitmap", given=content)
        same = Golden(given[0].spec, base, None, NONE, words(0), "none", given=given[0].content())
        new = stored("new", (1,), DType.int64, bytes(8))
        yield File(f"base-{kind}", f"tensors of another {kind}", [same, patched, new], given="tiny")


def _shapes() -> File:
    one = bytes.fromhex("0000803f")
    scalar = TensorSpec("scalar.drawn", (), DType.float32)
    return File(
        "shapes", "scalars, empty tensors, 32 dimensions",
        [
            stored("empty.a", (0,), DType.float32, b""),
            stored("empty.b", (3, 0, 2**40), DType.complex128, b""),
            stored("ones", (1,) * 32, DType.float32, one),
            stored("scalar", (), DType.int64, bytes(range(8))),
            Golden(scalar, SEED, Init(Draw.normal, SCALE, 0, 4), NONE, words(0), "none"),
        ],
    )  # fmt: skip


def _names() -> File:
    names = [
        "layer1.0.bn1.num_batches_tracked", "layer1.0.bn1.running_mean", "layer1.0.conv1.weight",
        "layer1.0.conv2.weight", "layer2.0.downsample.0.weight", "layers.10.mlp.weight_g",
        "layers.10.self_attn.in_proj_weight", "layers.9.self_attn.out_proj.bias", "weight",
        "weightweight", "w", "é", "éa", "ê", "名前.weight", "\U0001f600", " ", "a" * 1024,
        "encoder.embeddings.LayerNorm.gamma", "__metadata__x", "\x01\x7f",
    ]  # fmt: skip
    tensors = [stored(name, (1,), DType.uint8, bytes([n])) for n, name in enumerate(names)]
    return File("names", "front coding, words, endings, characters of every length", tensors)


def _units() -> File:
    half = 2**19 + 1
    mixed = np.r_[pick(rng(), half, 9), np.arange(2 * half, 3 * half), [3 * half + 5]]
    spec = TensorSpec("gaps", (4, half), DType.bfloat16)
    ones = np.full(mixed.size, 0x3F80, np.uint16)
    huge = TensorSpec("huge", (2, 2**20), DType.uint8)
    return File(
        "units", "many units, some empty or full, with one checksum; a digest for each tensor",
        [
            Golden(spec, ZerosBase(), None, mixed, ones, "gaps", "constant"),
            Golden(
                huge, ZerosBase(), None, None, np.full(huge.size, 7, np.uint8), "all", "constant"
            ),
            Golden(
                TensorSpec("zeros", (3, 1_200_000), DType.float32), ZerosBase(), None, NONE,
                words(0), "none",
            ),
        ],
    )  # fmt: skip


def _large() -> File:
    numbers = rng()
    first, last = pick(numbers, 700_000, 9_000), pick(numbers, 700_000, 8_000)
    positions = np.r_[first, 1_400_000 + last]
    weight = drawn(
        "weight", (3, 700, 1000), Init(Draw.normal, SCALE, 0, 1), positions, index="gaps"
    )
    return File(
        "large", "more than 65,536 payload bytes: units have checksums, tensors digests",
        [stored("bias", (1000,), DType.uint8, bytes(range(250)) * 4), weight],
    )  # fmt: skip


def _lenet() -> File:
    tensors = []
    counts = {"conv1.weight": 120, "conv2.weight": 700, "fc1.weight": 1000, "fc2.weight": 332}
    for stream, (name, shape) in enumerate(LENET.items()):
        if name in counts:
            positions = pick(rng(), int(np.prod(shape)), counts[name])
            init = Init(Draw.normal, SCALE, 0, stream)
            tensors.append(drawn(name, shape, init, positions, index="gaps"))
        else:
            tensors.append(stored(name, shape, DType.float32, words(shape[0]).tobytes()))
    metadata = {
        "architecture": "lenet5-caffe", "architecture_arguments": "{}", "freezing_rate": "0.995",
        "score": "snip", "seeds": "1", "accuracy": "0.9864",
    }  # fmt: skip
    return File("lenet5-caffe", "LeNet-5-Caffe at a freezing rate of 0.995", tensors, {}, metadata)
