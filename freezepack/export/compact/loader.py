"""One session from the two models of a large network. Needs onnxruntime only.

This file depends on nothing else of freezepack: copy it to where the models are used.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

Model = str | PathLike[str] | bytes


def load_session(
    generator: Model,
    skeleton: Model,
    *,
    options: Any = None,
    providers: Sequence[str] = ("CPUExecutionProvider",),
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

    make = onnxruntime.SessionOptions()
    make.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # An arena would keep the memory of the generator for good.
    make.enable_cpu_mem_arena = False
    source = onnxruntime.InferenceSession(
        _read(generator), make, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in source.get_outputs()]
    weights = source.run_with_ort_values(names, {})
    del source
    options = options or onnxruntime.SessionOptions()
    options.add_external_initializers(names, weights)
    return onnxruntime.InferenceSession(_read(skeleton), options, providers=list(providers))


def _read(model: Model) -> bytes:
    return model if isinstance(model, bytes) else Path(model).read_bytes()
