"""Element types of ONNX tensors; the numbers are those of its TensorProto."""

from freezepack.types import DType

ONNX_TYPES = {
    DType.float32: 1,
    DType.uint8: 2,
    DType.int8: 3,
    DType.uint16: 4,
    DType.int16: 5,
    DType.int32: 6,
    DType.int64: 7,
    DType.bool: 9,
    DType.float16: 10,
    DType.float64: 11,
    DType.uint32: 12,
    DType.uint64: 13,
    DType.complex64: 14,
    DType.complex128: 15,
    DType.bfloat16: 16,
    DType.float8_e4m3fn: 17,
    DType.float8_e5m2: 19,
}
PACK_TYPES = {number: dtype for dtype, number in ONNX_TYPES.items()}
