"""What is learned before the first field, from a small network; formats/header.md, section 9."""

from functools import cache

from freezepack.format.coded.decisions import Counts
from freezepack.format.coded.model import HeaderModel
from freezepack.format.coded.numbers import Numbers
from freezepack.format.names import encode_name

KIND = (("dtype", 1), ("kind_base", 0), ("kind_flags", 0), ("index_codec", 15), ("value_codec", 4))
"""The one kind: float32 over zeros, index codec `joint`, value codec `grid`."""
NETWORK = (
    ("bn1.bias", (16,), 0x3D20),
    ("bn1.weight", (16,), 0x3E55),
    ("conv1.weight", (16, 3, 3, 3), 0x3DC0),
    ("conv2.bias", (32,), 0x3D17),
    ("conv2.weight", (32, 16, 3, 3), 0x3E80),
    ("fc1.bias", (128,), 0x3D4D),
    ("fc1.weight", (128, 2048), 0x3E60),
    ("fc2.bias", (10,), 0x3DF1),
    ("fc2.weight", (10, 128), 0x3D10),
    ("layer1.0.conv1.weight", (24, 16, 5, 5), 0x3D3F),
)
"""Names, shapes and the parameters of their grids."""


@cache
def primed_counts() -> Counts:
    """Return what is known of each context once the network above was coded."""
    numbers = Numbers()
    model = HeaderModel(numbers)
    for field, value in (("base_count", 0), ("kind_count", 1), *KIND):
        model.code(field, value)
    model.code("tensor_count", len(NETWORK))
    before = ""
    for name, shape, parameter in NETWORK:
        stored = encode_name(name, before)
        model.code("tensor_kind", 1)
        model.code("name", stored[0])
        model.code_spelling(stored[1:], len(stored))
        model.code("rank", len(shape))
        for dimension in shape:
            model.code("dimension", dimension)
        model.code_bytes("value_parameter", 2, parameter.to_bytes(2, "little"))
        before = name
    return numbers.counts
