"""Run the models of a folder in the onnxruntime of this interpreter, and write down what came out.

    python onnx_runner.py FOLDER

Each folder in FOLDER is a case: models, and `input.npy` for those that have an input. The results
go to FOLDER/results.json. Needs onnxruntime and NumPy only, and nothing newer than Python 3.10.
"""

import ctypes
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

LEVELS = {
    "disabled": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
SIZES = {"float": 4, "float16": 2, "bfloat16": 2, "double": 8}
CPU = ["CPUExecutionProvider"]


def open_model(path: Path, level: str = "all", optimised: Path | None = None) -> Any:
    """Return a session of one thread, and leave the optimised model in a file if asked."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = LEVELS[level]
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
    return ort.InferenceSession(str(path), options, providers=CPU)


def bits(value: Any) -> bytes:
    """Return the bytes of a tensor, also of those types that NumPy lacks."""
    size = SIZES[value.data_type()[len("tensor(") : -1]] * int(np.prod(value.shape()))
    return ctypes.string_at(value.data_ptr(), size)


def digest(data: bytes) -> str:
    """Return what stands for some bytes in the results."""
    return hashlib.sha256(data).hexdigest()


def run(session: Any, images: Any) -> dict[str, Any]:
    """Return the outputs by name."""
    feed = {entry.name: ort.OrtValue.ortvalue_from_numpy(images) for entry in session.get_inputs()}
    names = [entry.name for entry in session.get_outputs()]
    return dict(zip(names, session.run_with_ort_values(names, feed), strict=True))


def weights(path: Path, level: str, images: Any) -> dict[str, str]:
    """Return digests of all outputs, of which weights are some."""
    found = run(open_model(path, level), images)
    return {name: digest(bits(value)) for name, value in found.items()}


def run_pair(generator: Path, skeleton: Path, images: Any, loader: Path) -> dict[str, Any]:
    """Return the outputs of a skeleton that has its weights from a generator."""
    namespace: dict[str, Any] = {}
    exec(compile(loader.read_text(), str(loader), "exec"), namespace)  # noqa: S102
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return run(namespace["load_session"](generator, skeleton, options=options), images)


def run_case(folder: Path, loader: Path) -> dict[str, Any]:
    """Return what all models of a case give."""
    path = folder / "input.npy"
    images = np.load(path) if path.exists() else None
    results: dict[str, Any] = {}
    for name in ("dense", "compact"):
        model = folder / (name + ".onnx")
        for level in ("basic", "extended", "all") if model.exists() else ():
            optimised = folder / (name + "." + level + ".optimised")
            (value,) = run(open_model(model, level, optimised), images).values()
            results[name + "." + level] = digest(bits(value))
            results[name] = value.numpy().tolist()
    for name, level in (("shown", "disabled"), ("shown", "all"), ("generator", "disabled")):
        model = folder / (name + ".onnx")
        if model.exists():
            results["weights." + name + "." + level] = weights(model, level, images)
    if (folder / "skeleton.onnx").exists():
        pair = (folder / "generator.onnx", folder / "skeleton.onnx")
        (value,) = run_pair(*pair, images, loader).values()
        results["pair.all"] = digest(bits(value))
    return results


def run_all(folder: Path) -> dict[str, Any]:
    """Run every case and write the results."""
    loader = folder / "loader.py"
    found: dict[str, Any] = {"version": ort.__version__, "cases": {}}
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            found["cases"][case.name] = run_case(case, loader)
        except Exception as error:  # what a runtime refuses is a result
            found["cases"][case.name] = {"error": str(error)}
    return found


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    (FOLDER / "results.json").write_text(json.dumps(run_all(FOLDER)))
