"""One session from the two models of a large network. Needs onnxruntime and NumPy only.

This file depends on nothing else of freezepack: copy it to where the models are used.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

Model = str | PathLike[str] | bytes
_CPU = "CPUExecutionProvider"
_BFLOAT16 = 16
_TYPES = {"tensor(float)": "f4", "tensor(float16)": "f2", "tensor(double)": "f8"}


def load_session(
    generator: Model,
    skeleton: Model,
    *,
    options: Any = None,
    providers: Sequence[str] = (_CPU,),
) -> Any:
    """Run the generator once and return a session of the skeleton with its outputs.

    Parameters
    ----------
    generator, skeleton : path or bytes
        The two models that `two_file` makes.
    options : onnxruntime.SessionOptions, optional
        For the session that is returned; the weights are added to it.
    providers : sequence of str
        Where the skeleton runs. The generator always runs on the CPU.

    Returns
    -------
    onnxruntime.InferenceSession
        Runs like that of the dense model.

    Raises
    ------
    ImportError
        If onnxruntime is not installed.
    """
    import onnxruntime

    made = onnxruntime.SessionOptions()
    made.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Arena and planned memory would keep everything until the end.
    made.enable_cpu_mem_arena = False
    made.enable_mem_pattern = False
    source = onnxruntime.InferenceSession(_read(generator), made, providers=[_CPU])
    outputs = source.get_outputs()
    weights = [_allocate(output.type, output.shape) for output in outputs]
    names = [output.name for output in outputs]
    binding = source.io_binding()
    for name, weight in zip(names, weights, strict=True):
        binding.bind_ortvalue_output(name, weight)
    source.run_with_iobinding(binding)
    del binding, source
    options = options or onnxruntime.SessionOptions()
    options.add_external_initializers(names, weights)
    session = onnxruntime.InferenceSession(_read(skeleton), options, providers=list(providers))
    # The session may use the memory of the weights as it is.
    session.weights = weights
    return session


def _allocate(kind: str, shape: Sequence[int]) -> Any:
    """Return memory for one tensor, which onnxruntime wants to be the caller's."""
    import numpy as np
    from onnxruntime import OrtValue

    if kind == "tensor(bfloat16)":
        bits = np.empty(shape, np.uint16)
        return OrtValue.ortvalue_from_numpy_with_onnx_type(bits, _BFLOAT16)
    return OrtValue.ortvalue_from_numpy(np.empty(shape, _TYPES[kind]))


def _read(model: Model) -> bytes:
    return model if isinstance(model, bytes) else Path(model).read_bytes()
