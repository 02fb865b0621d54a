"""`export`, `expand` and `pack` with ONNX files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import freezepack
import freezepack.numpy
from tests.cli.conftest import Command
from tests.published import PUBLISHED

PACKS = Path(__file__).parents[2] / "benchmarks" / "results" / "packs"


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the dense ONNX file of the short run."""
    from freezepack.export.onnx_export import export_onnx

    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(None, trained / "model.fpk", None, path)
    return path


def test_a_pack_is_exported_compared_and_described(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    done = command("export", trained / "model.fpk", "-o", path, "--data", "digits", "--json")
    assert done.code == 0, done.err
    assert done.err == ""
    facts = json.loads(done.out)
    assert facts["files"] == {"m.onnx": path.stat().st_size}
    assert (facts["opset"], facts["folded"]) == (18, 0)
    random, digits = facts["comparisons"]
    assert (random["inputs"], random["examples"]) == ("random inputs", 17)
    assert digits["inputs"] == "digits test images"
    assert digits["top1_equal"] == digits["examples"] > 300
    texts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    evaluated = json.loads(command("eval", trained / "model.fpk", "--data", "digits", "--json").out)
    assert texts["freezepack.digest"] == evaluated["digest"]
    assert texts["freezepack.freezing_rate"] == "0.99"
    assert texts["freezepack.accuracy"].endswith(" digits")


def test_an_exported_file_is_packed_as_small_as_it_was(
    command: Command, trained: Path, exported: Path, tmp_path: Path
) -> None:
    done = command("pack", exported, "-o", tmp_path / "m.fpk", "--json")
    assert done.code == 0, done.err
    first = json.loads(command("inspect", trained / "model.fpk", "--json").out)
    second = json.loads(command("inspect", tmp_path / "m.fpk", "--json").out)
    assert second["bytes"] <= first["bytes"]
    done = command("verify", trained / "model.fpk", "--against", exported)
    assert done.code == 0
    assert "bit for bit" in done.out
    assert command("eval", tmp_path / "m.fpk", "--data", "digits").code == 0
    done = command("pack", exported, "-o", tmp_path / "z.fpk", "--base", "zeros", "--json")
    assert json.loads(done.out)["bytes"] > 100 * second["bytes"] // 2


def test_an_output_is_replaced_only_with_force(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    done = command("export", trained / "model.fpk", "-o", path)
    assert done.code == 1
    assert "--force" in done.err
    done = command("export", trained / "model.fpk", "-o", path, "--tolerance", "0", "--force")
    assert done.code == 4
    assert "onnxruntime and torch differ by" in done.err
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize(
    "case",
    [
        (["--opset", "11"], 1, "opset 11 is too low, expected 18 to 25"),
        (["--opset", "30"], 1, "opset 30 is too high, expected 18 to 25"),
        (["--compact", "--external-data"], 2, "leave out --external-data"),
        (["--compact", "--values", "x"], 2, "'x' is not one of keep, exact"),
        (["--data", "digits", "--no-run"], 2, "leave out --no-run"),
        (["--model-arg", "relu=fc"], 2, "--model-arg needs --architecture"),
        (["--arithmetic", "u64"], 2, "--no-guard need --compact"),
        (["--values", "exact"], 2, "--no-guard need --compact"),
        (["--no-guard"], 2, "--no-guard need --compact"),
        (["--architecture", "lenet5-caffe"], 1, "not in the pack: conv1.bias"),
        (["--architecture", "os.system"], 2, "no model named 'os.system'"),
        (["--architecture", "lenet5-caffe", "--model-arg", "relu=x"], 1, "relu is 'x'"),
        (["--max-bytes", "1000"], 3, "--max-bytes"),
    ],
)
def test_what_cannot_be_exported_says_why_and_leaves_nothing(
    command: Command,
    trained: Path,
    tmp_path: Path,
    case: tuple[list[str], int, str],
) -> None:
    arguments, code, message = case
    done = command("export", trained / "model.fpk", "-o", tmp_path / "m.onnx", *arguments)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named_with_its_extra(trained: Path, package: str) -> None:
    program = f"""
import sys
sys.modules[{package!r}] = None
sys.argv = ["freezepack", "export", {str(trained / "model.fpk")!r}, "-o", "-", "--compact"]
from freezepack.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stderr.decode().startswith(f"Error: freezepack export needs {package}, which ")
    assert done.stdout == b""


def test_a_pack_without_a_network_is_refused(command: Command, tmp_path: Path) -> None:
    data = freezepack.numpy.save({"w": np.zeros(3, np.float32)})
    (tmp_path / "m.fpk").write_bytes(data)
    done = command("export", tmp_path / "m.fpk", "-o", tmp_path / "m.onnx")
    assert done.code == 1
    assert "does not say which network" in done.err


@pytest.mark.parametrize("name", ["export", "expand"])
@pytest.mark.parametrize("content", [b"", b"\x08\x08\x12", b"GIF89a"])
def test_a_foreign_file_is_unreadable(
    command: Command, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "in").write_bytes(content)
    done = command(name, tmp_path / "in", "-o", tmp_path / "out.onnx")
    assert done.code == 3
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def made_weights() -> onnx.ModelProto:
    """Return x @ w.T with w = 0.5 * [[0, 1], [2, 3]], made in the graph by a function."""
    nodes = [
        helper.make_node("Half", ["codes"], ["w"], domain="ours"),
        helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
    ]
    body = [
        helper.make_node("Cast", ["c"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["half"], value_float=0.5),
        helper.make_node("Mul", ["f", "half"], ["h"]),
    ]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ours", 1)]
    function = helper.make_function("ours", "Half", ["c"], ["h"], body, opsets[:1])
    codes = numpy_helper.from_array(np.array([[0, 1], [2, 3]], np.int8), "codes")
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", 2]) for n in "xy"]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [codes])
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=opsets, functions=[function], ir_version=8
    )
    return model


def test_expand_writes_ordinary_weights(command: Command, tmp_path: Path) -> None:
    onnx.save(made_weights(), tmp_path / "small.onnx")
    weights = np.array([[0, 0.5], [1, 1.5]], np.float32)
    (tmp_path / "m.fpk").write_bytes(freezepack.numpy.save({"w": weights}))
    arguments = ["--against", tmp_path / "m.fpk", "--json"]
    done = command("expand", tmp_path / "small.onnx", "-o", tmp_path / "big.onnx", *arguments)
    assert done.code == 0, done.err
    assert json.loads(done.out)["equal"] == 1
    model = onnx.load(tmp_path / "big.onnx")
    assert [node.op_type for node in model.graph.node] == ["Gemm"]
    assert not model.functions
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    (tensor,) = model.graph.initializer
    assert (tensor.name, numpy_helper.to_array(tensor).tolist()) == ("w", weights.tolist())


def test_expand_notices_another_weight(command: Command, tmp_path: Path) -> None:
    onnx.save(made_weights(), tmp_path / "small.onnx")
    weights = np.array([[0, 0.5], [1, 1.75]], np.float32)
    for name, message in (("w", "'w' differs from the pack in 1 of 4"), ("v", "no initializer")):
        (tmp_path / "m.fpk").write_bytes(freezepack.numpy.save({name: weights}))
        arguments = ["-o", tmp_path / "big.onnx", "--against", tmp_path / "m.fpk"]
        done = command("expand", tmp_path / "small.onnx", *arguments)
        assert done.code == 4
        assert message in done.err
        assert not (tmp_path / "big.onnx").exists()


def test_expand_names_what_was_not_folded(command: Command, tmp_path: Path) -> None:
    model = made_weights()
    model.graph.node[1].input[1] = "noisy"
    noise = helper.make_node("RandomUniformLike", ["w"], ["noise"])
    model.graph.node.insert(1, noise)
    model.graph.node.insert(2, helper.make_node("Add", ["w", "noise"], ["noisy"]))
    onnx.save(model, tmp_path / "small.onnx")
    done = command("expand", tmp_path / "small.onnx", "-o", tmp_path / "big.onnx")
    assert done.code == 1
    assert "did not fold the operator RandomUniformLike" in done.err
    assert not (tmp_path / "big.onnx").exists()


def test_pack_sends_a_compact_file_to_expand(command: Command, tmp_path: Path) -> None:
    onnx.save(made_weights(), tmp_path / "small.onnx")
    done = command("pack", tmp_path / "small.onnx", "-o", tmp_path / "m.fpk")
    assert done.code == 1
    assert "made by functions ('Half'): write it out with freezepack expand first" in done.err


def test_a_compact_file_computes_the_same_and_expands_to_the_pack(
    command: Command, trained: Path, exported: Path, tmp_path: Path
) -> None:
    pack, small = trained / "model.fpk", tmp_path / "small.onnx"
    done = command("export", pack, "-o", small, "--compact", "--data", "digits", "--json")
    assert done.code == 0, done.err
    digits = json.loads(done.out)["comparisons"][1]
    assert digits["top1_equal"] == digits["examples"]
    assert small.stat().st_size < exported.stat().st_size / 20
    done = command("expand", small, "-o", tmp_path / "big.onnx", "--against", pack)
    assert done.code == 0, done.err
    assert "6 tensors are those of" in done.out
    done = command(
        "pack", tmp_path / "big.onnx", "-o", tmp_path / "m.fpk", "--base", f"pack:{pack}"
    )
    assert done.code == 0, done.err
    assert (tmp_path / "m.fpk").stat().st_size < 400


def test_two_files_compute_the_same(command: Command, trained: Path, tmp_path: Path) -> None:
    arguments = ["-o", tmp_path / "m.onnx", "--two-files", "--json"]
    done = command("export", trained / "model.fpk", *arguments)
    assert done.code == 0, done.err
    assert done.err.startswith("loading takes about ")
    facts = json.loads(done.out)
    assert list(facts["files"]) == ["m.generator.onnx", "m.onnx"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.generator.onnx", "m.onnx"]
    assert facts["comparisons"][0]["top1_equal"] == 17
    done = command("expand", tmp_path / "m.onnx", "-o", tmp_path / "big.onnx")
    assert done.code == 3
    assert "cannot be loaded by onnxruntime" in done.err


@pytest.mark.slow
def test_only_a_model_in_one_file_is_expanded(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    done = command("export", trained / "model.fpk", "-o", tmp_path / "m.onnx", "--external-data")
    assert done.code == 0, done.err
    done = command("expand", tmp_path / "m.onnx", "-o", tmp_path / "big.onnx")
    assert done.code == 1
    assert "m.onnx has 'fc1.bias' in a file of its own, expected a compact model" in done.err
    assert not (tmp_path / "big.onnx").exists()


def test_a_file_is_packed_from_standard_input(
    command: Command, exported: Path, tmp_path: Path
) -> None:
    done = command("pack", "-", "-o", tmp_path / "m.fpk", stdin=exported.read_bytes())
    assert done.code == 0, done.err


@pytest.mark.slow
def test_a_file_is_exported_to_standard_output(
    trained: Path, exported: Path, tmp_path: Path
) -> None:
    pack = str(trained / "model.fpk")
    command = [sys.executable, "-m", "freezepack", "export", pack, "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout == exported.read_bytes()
    assert b"largest difference from torch" in done.stderr
    done = subprocess.run([*command, "--external-data"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"cannot go to standard output" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    not (PUBLISHED / "mnist").is_dir(),
    reason="MNIST is not here: set FREEZEPACK_DATA to the parent of mnist/",
)
@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("pack", sorted(PACKS.glob("*.fpk")), ids=lambda path: path.stem)
def test_trained_packs_predict_the_same_on_all_test_images(
    command: Command, tmp_path: Path, pack: Path, compact: bool
) -> None:
    options = ["--data", "mnist", "--data-dir", PUBLISHED, "--json"]
    options += ["--compact"] if compact else []
    done = command("export", pack, "-o", tmp_path / "m.onnx", *options)
    assert done.code == 0, done.err
    mnist = json.loads(done.out)["comparisons"][1]
    assert (mnist["examples"], mnist["top1_equal"]) == (10_000, 10_000)
    if compact:
        assert (tmp_path / "m.onnx").stat().st_size <= 18_500


@pytest.mark.slow
def test_a_float16_network_is_expanded(command: Command, tmp_path: Path) -> None:
    import torch

    import freezepack.torch
    from freezepack.export.compact import compact_model
    from freezepack.export.onnx_export import ExportOptions, export_onnx

    weight = torch.zeros(30, 12, dtype=torch.float16)
    freezepack.random.fill(weight, seed=5, stream=0, draw="normal", scale=0.05)
    net = torch.nn.Linear(12, 30, bias=False, dtype=torch.float16)
    data = freezepack.torch.save({"weight": weight}, seed=5, init={"weight": ("normal", 0.05)})
    (tmp_path / "m.fpk").write_bytes(data)
    options = ExportOptions(compact=compact_model)
    inputs = torch.zeros(1, 12, dtype=torch.float16)
    export_onnx(net, data, inputs, tmp_path / "small.onnx", options=options)
    arguments = ["-o", tmp_path / "big.onnx", "--against", tmp_path / "m.fpk", "--json"]
    done = command("expand", tmp_path / "small.onnx", *arguments)
    assert done.code == 0, done.err
    assert json.loads(done.out)["equal"] == 1
