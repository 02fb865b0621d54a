"""Exported models beside one another: bytes, loading, memory, latency and predictions.

    python benchmarks/onnx_models.py [--web FOLDER] [--data-dir DIR] [--json] [--write] [PACK ...]

Packs: by default a LeNet-5 of benchmarks/results/packs and a ResNet-18 that is drawn from a seed
with 1 % of its weights changed. Each model is loaded in processes of its own; latencies are taken
in turns with the dense model, one thread, one image, and their ratio is the median of the turns.
FOLDER holds node_modules with onnxruntime-web. With DIR, the folder of mnist/, the classes that
each runtime finds for the 10,000 test images are compared with torch's. `--write` puts the table
into benchmarks/results/onnx.md.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import compact_onnx as native
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from torch import Tensor

import freezepack
import freezepack.torch
from freezepack.export import compact
from freezepack.export.compact import compact_model, two_file
from freezepack.export.onnx_dense import dense_model
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights, fill_module

HERE = Path(__file__).parent
LENET = HERE / "results" / "packs" / "lenet5-caffe-mnist-q0.995-s1.fpk"
RESULT = HERE / "results" / "onnx.md"
LOADER = Path(compact.__file__).parent / "loader.mjs"
SHARE = 0.01
FAILURES = ("Error", "RangeError", "RuntimeError", "TypeError", "FATAL")
RUNS = 3
"""Loads of each model in onnxruntime-web."""
Row = dict[str, Any]


def write_resnet(path: Path) -> None:
    """Write a pack of a ResNet-18 of which 1 % of the weights are no longer those drawn."""
    model = build_model("resnet-18")
    init = fill_module(model, 7)
    rng = np.random.default_rng(0)
    masks = {}
    with torch.no_grad():
        for name in eligible_weights(model):
            weight = model.get_parameter(name)
            masks[name] = rng.random(tuple(weight.shape)) < SHARE
            marked = torch.from_numpy(masks[name])
            noise = rng.normal(0, float(weight.std()), int(marked.sum()))
            weight[marked] += torch.from_numpy(noise).float()
    metadata = {"architecture": "resnet-18"}
    freezepack.torch.save_file(
        model.state_dict(), path, metadata, seed=7, init=init, masks=masks, index="fast"
    )


def write_forms(pack: Path, folder: Path, *, grid: bool) -> dict[str, list[Path]]:
    """Write all models of a pack; one of a grid only where it is asked for."""
    made = {}
    with freezepack.open(pack) as file:
        dense = dense_model(file, lean=True)
        made["dense"] = [dense]
        for arithmetic in ("i64", "u64"):
            made[f"compact {arithmetic}"] = [compact_model(dense, file, arithmetic=arithmetic)]
        for arithmetic in ("i64", "u64"):
            made[f"two files {arithmetic}"] = list(two_file(dense, file, arithmetic=arithmetic))
    if grid:
        rounded = folder / "grid.fpk"
        program = [sys.executable, "-m", "freezepack", "pack", str(pack), "-o", str(rounded)]
        subprocess.run([*program, "--values", "grid:5"], check=True, capture_output=True)
        with freezepack.open(rounded) as file:
            made["compact grid:5"] = [compact_model(dense_model(file, lean=True), file)]
    written = {}
    for name, models in made.items():
        label = name.replace(" ", "-").replace(":", "")
        written[name] = [folder / f"{label}-{i}.onnx" for i in range(len(models))]
        for path, model in zip(written[name], models, strict=True):
            path.write_bytes(model.SerializeToString())
    return written


def write_warming(path: Path) -> None:
    """Write a model of one node, with which wasm is started."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path
    )


def web(packages: Path, action: str, model: list[Path], other: str, shape: list[int]) -> Row:
    """Run the counterpart under node; what fails says why."""
    node = shutil.which("node")
    if node is None:
        raise SystemExit("--web needs node")
    names = "+".join(map(str, model))
    command = [node, str(HERE / "onnx_web.mjs"), str(packages), str(LOADER), action, names, other]
    given = {**os.environ, "SHAPE": json.dumps(shape)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=given)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith(FAILURES)]
        return {"failed": (lines or ["failed"])[0].strip()[:80]}
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def middle(rows: list[Row], key: str) -> float:
    """Return the median of a column."""
    return float(np.median([row[key] for row in rows]))


def measure_native(forms: Mapping[str, list[Path]]) -> dict[str, Row]:
    """Measure all models in onnxruntime."""
    dense = native.create(forms["dense"], 1)
    rows: dict[str, Row] = {}
    for form, files in forms.items():
        seconds, mib, output = native.measure(files, 1)
        ms, _, ratio = native.latency(native.create(files, 1), dense)
        rows[form] = {"seconds": seconds, "mib": mib, "ms": ms, "ratio": ratio, "output": output}
    outputs = {form: row.pop("output") for form, row in rows.items()}
    changed = [f for f in forms if "grid" not in f and outputs[f] != outputs["dense"]]
    if changed:
        raise SystemExit(f"outputs differ from the dense model's: {', '.join(changed)}")
    return rows


def measure_web(
    forms: Mapping[str, list[Path]], packages: Path, shape: list[int]
) -> dict[str, Row]:
    """Measure all models in onnxruntime-web."""
    rows: dict[str, Row] = {}
    warming = next(iter(forms.values()))[0].with_name("warming.onnx")
    write_warming(warming)
    for form, files in forms.items():
        found = [web(packages, "create", files, f"+{warming}", shape) for _ in range(RUNS)]
        failed = [row for row in found if "failed" in row]
        if failed:
            rows[form] = failed[0]
            continue
        rows[form] = {key: middle(found, key) for key in ("seconds", "mib")}
        rows[form] |= web(packages, "latency", files, str(forms["dense"][0]), shape)
    return rows


def mnist(folder: Path) -> Tensor:
    """Return the normalised test images."""
    from freezepack.train import load_data

    data = load_data("mnist", folder, splits=("test",))
    return data.batch(data.split("test"), slice(0, 10_000))[0]


def predictions(
    pack: Path, forms: Mapping[str, list[Path]], images: Tensor, packages: Path | None
) -> dict[str, int]:
    """Return for each model in each runtime how many classes are those that torch finds."""
    from freezepack.export.architecture import build_from_metadata

    with freezepack.open(pack) as file:
        model = build_from_metadata(file.metadata()).eval()
    freezepack.torch.load_into(model, pack)
    with torch.no_grad():
        wanted = model(images).argmax(1).numpy()
    equal = {}
    raw = forms["dense"][0].with_name("images.f32")
    images.contiguous().numpy().tofile(raw)
    shape = list(images.shape[1:])
    for form, files in forms.items():
        session = native.create(files, 1)
        (scores,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        equal[f"onnxruntime, {form}"] = int((scores.argmax(1) == wanted).sum())
        if packages is not None:
            found = web(packages, "predict", files, f"{json.dumps(shape)}+{raw}", shape)
            if "failed" not in found:
                same = np.array(found["classes"]) == wanted
                equal[f"onnxruntime-web {found['version']}, {form}"] = int(same.sum())
    return equal


def measure(pack: Path, args: argparse.Namespace, folder: Path) -> Row:
    """Measure one pack."""
    with freezepack.open(pack) as file:
        name = file.metadata()["architecture"]
    is_lenet = name == "lenet5-caffe"
    forms = write_forms(pack, folder, grid=is_lenet)
    shape = [1, 28, 28] if is_lenet else [3, 32, 32]
    found: Row = {
        "pack": pack.name,
        "network": name,
        "bytes": {form: [p.stat().st_size for p in files] for form, files in forms.items()},
        "native": measure_native(forms),
    }
    if args.web:
        found["web"] = measure_web(forms, args.web, shape)
    if args.data_dir and is_lenet:
        exact = {form: files for form, files in forms.items() if "grid" not in form}
        found["equal"] = predictions(pack, exact, mnist(args.data_dir), args.web)
    return found


def table(results: list[Row]) -> str:
    """Return Markdown."""
    lines = [
        f"onnxruntime {onnxruntime.__version__}, {platform.machine()}, 1 thread, 1 image a run.",
    ]
    for result in results:
        lines += ["", f"## {result['network']} ({result['pack']})", ""]
        lines += [
            "| model | runtime | bytes | load s | load MiB | run ms | of dense |",
            "|---" * 7 + "|",
        ]
        for runtime in ("native", "web"):
            for form, row in result.get(runtime, {}).items():
                size = " + ".join(f"{n:,}" for n in result["bytes"][form])
                if "failed" in row:
                    lines.append(f"| {form} | {runtime} | {size} | {row['failed']} | | | |")
                    continue
                numbers = f"{row['seconds']:.3f} | {row['mib']:.0f} | {row['ms']:.3f}"
                lines.append(f"| {form} | {runtime} | {size} | {numbers} | {row['ratio']:.3f} |")
        if "equal" in result:
            lines += ["", "| runtime and model | top-1 equal to torch, of 10,000 |", "|---|---|"]
            lines += [f"| {form} | {equal:,} |" for form, equal in result["equal"].items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table or the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", nargs="*", type=Path)
    parser.add_argument("--web", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        packs = list(args.pack)
        if not packs:
            packs = [LENET, Path(name, "resnet-18.fpk")]
            write_resnet(packs[1])
        results = []
        for number, pack in enumerate(packs):
            folder = Path(name, str(number))
            folder.mkdir()
            results.append(measure(pack, args, folder))
    print(json.dumps(results) if args.json else table(results))
    if args.write:
        command = "`python benchmarks/onnx_models.py --web FOLDER --data-dir DIR --write`"
        RESULT.write_text(f"# Exported models\n\n{command}\n\n{table(results)}")


if __name__ == "__main__":
    main()
