"""Nodes and initializers with short names, as few bytes as the format allows."""

from collections.abc import Iterable, Iterator
from itertools import count, product
from string import ascii_letters, digits
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from freezepack.types import DType

Array = NDArray[Any]
ELEMENT = {
    DType.float32: TensorProto.FLOAT,
    DType.float16: TensorProto.FLOAT16,
    DType.bfloat16: TensorProto.BFLOAT16,
    DType.float64: TensorProto.DOUBLE,
}
"""Float types of packs as ONNX numbers them."""
ZERO = helper.make_tensor("", TensorProto.INT64, [1], [0])
"""What ConstantOfShape fills int64 tensors with."""
ZERO.ClearField("name")
_NUMPY = {
    np.dtype(np.int8): TensorProto.INT8,
    np.dtype(np.uint8): TensorProto.UINT8,
    np.dtype(np.int16): TensorProto.INT16,
    np.dtype(np.int32): TensorProto.INT32,
    np.dtype(np.uint32): TensorProto.UINT32,
    np.dtype(np.int64): TensorProto.INT64,
    np.dtype(np.uint64): TensorProto.UINT64,
    np.dtype(np.float32): TensorProto.FLOAT,
}


def short_names(taken: Iterable[str] = ()) -> Iterator[str]:
    """Yield a, b, ..., Z, aa, ab, ... without those that are taken.

    Examples
    --------
    >>> names = short_names({"b"})
    >>> next(names), next(names)
    ('a', 'c')
    """
    used = set(taken)
    for length in count(1):
        for rest in product(ascii_letters + digits, repeat=length - 1):
            names = (first + "".join(rest) for first in ascii_letters)
            yield from (name for name in names if name not in used)


class GraphBuilder:
    """Collects nodes and initializers; equal ones are stored once.

    Parameters
    ----------
    taken : iterable of str
        Names that the rest of the graph uses.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self._names = short_names(taken)
        self._made: dict[tuple[str, tuple[str, ...], str], str] = {}
        self._final: dict[str, str] = {}
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def op(self, kind: str, *inputs: str, domain: str = "", **attrs: Any) -> str:
        """Add a node with one output, unless there is an equal one; return the output's name."""
        key = (kind, inputs, repr(sorted(attrs.items())))
        if key not in self._made:
            self._made[key] = self.ops(kind, *inputs, outputs=[""], domain=domain, **attrs)[0]
        made = self._made[key]
        return self._final.get(made, made)

    def ops(
        self, kind: str, *inputs: str, outputs: list[str], domain: str = "", **attrs: Any
    ) -> list[str]:
        """Add a node; outputs without a name get one. Return the names of the outputs."""
        outputs = [name or next(self._names) for name in outputs]
        node = helper.make_node(kind, list(inputs), outputs, **attrs)
        if domain:
            node.domain = domain
        self.nodes.append(node)
        return outputs

    def finish(self, vector: str, name: str, shape: tuple[int, ...]) -> None:
        """Give the output of a node its last shape and name; a vector that is free is renamed."""
        vector = self._final.get(vector, vector)
        used = vector in self._final.values() or any(vector in node.input for node in self.nodes)
        if used or len(shape) != 1:
            self.ops("Reshape", vector, self.integers(shape), outputs=[name])
            return
        self._final[vector] = name
        maker = next(node for node in self.nodes if vector in node.output)
        maker.output[list(maker.output).index(vector)] = name

    def split(self, source: str, sizes: list[int]) -> list[str]:
        """Cut along the first axis; a single part is the source itself."""
        if len(sizes) == 1:
            return [source]
        return self.ops("Split", source, self.integers(sizes), outputs=[""] * len(sizes))

    def integers(self, values: Any) -> str:
        """Return an int64 constant."""
        return self.constant(np.asarray(values, np.int64))

    def constant(self, array: Array) -> str:
        """Return the name of an initializer with this content."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            name = next(self._names)
            self.initializers.append(make_tensor(name, array))
            self._known[key] = name
        return self._known[key]

    def raw(self, bits: Array, dtype: DType, name: str = "") -> str:
        """Return an initializer of a float type, given its bits."""
        name = name or next(self._names)
        tensor = TensorProto(name=name, data_type=ELEMENT[dtype], dims=bits.shape)
        tensor.raw_data = bits.tobytes()
        self.initializers.append(tensor)
        return name


def make_tensor(name: str, array: Array) -> TensorProto:
    """Return a tensor; int64 as varints where these are shorter than 8 bytes each.

    Examples
    --------
    >>> len(make_tensor("g", np.array([1, 300])).int64_data)
    2
    """
    tensor = TensorProto(name=name, data_type=_NUMPY[array.dtype], dims=array.shape)
    tensor.raw_data = array.tobytes()
    if array.dtype == np.int64:
        packed = TensorProto(name=name, data_type=TensorProto.INT64, dims=array.shape)
        packed.int64_data.extend(array.ravel().tolist())
        if packed.ByteSize() < tensor.ByteSize() or not array.size:
            return packed
    return tensor
