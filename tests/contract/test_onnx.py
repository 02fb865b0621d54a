"""What exported models promise in every runtime: the weights of the pack, the outputs of torch.

The onnxruntime and onnx.reference of this environment are always run. Others cannot be installed
beside it, so the environment names them, and `tests/contract/onnx_runtimes.sh` installs them:

    FREEZEPACK_OLD_ORT  Python interpreters with other versions of onnxruntime, separated by ":"
    FREEZEPACK_ORT_WEB  folders whose node_modules hold onnxruntime-web; node has to be installed

By default one network of each kind and each codec and draw once; `-m slow` has all networks, and
each codec with each draw.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from freezepack.codecs import INDEX_CODECS, VALUE_CODECS
from freezepack.models import MODELS
from tests.contract.onnx_cases import DRAWS, Case, write_cases

HERE = Path(__file__).parent
FEW = ["lenet-300-100", "conv2", "resnet-20"]
LEVELS = ("basic", "extended", "all")
OLD, WEB = "FREEZEPACK_OLD_ORT", "FREEZEPACK_ORT_WEB"
BOUND = 1e-4
UNSIGNED = (1, 21)
"""The first version that multiplies uint64."""
PAIRS_IN_WEB = (1, 20)
"""The first version of onnxruntime-web that takes external data."""


def runtimes() -> list[Any]:
    """Return this interpreter and those that the environment names."""
    found: list[Any] = [pytest.param((sys.executable, "onnx_runner.py"), id="newest")]
    for name, program in ((OLD, "onnx_runner.py"), (WEB, "onnx_runner.mjs")):
        places = [place for place in os.environ.get(name, "").split(os.pathsep) if place]
        found += [
            pytest.param((place, program), id=f"{name}-{i}") for i, place in enumerate(places)
        ]
        if not places:
            why = pytest.mark.skip(reason=f"{name} is not set; see onnx_runtimes.sh")
            found.append(pytest.param(("", ""), id=name, marks=why))
    return found


@dataclass(frozen=True)
class Found:
    """What one runtime made of all cases."""

    folder: Path
    cases: dict[str, Case]
    version: tuple[int, int]
    results: dict[str, dict[str, Any]]
    is_web: bool


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.slow)])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Case]]:
    folder = tmp_path_factory.mktemp("onnx")
    full = request.param == "all"
    return folder, write_cases(folder, list(MODELS) if full else FEW, full=full)


@pytest.fixture(scope="module", params=runtimes())
def found(request: pytest.FixtureRequest, written: tuple[Path, dict[str, Case]]) -> Found:
    place, program = request.param
    folder, cases = written
    command = [place, str(HERE / program), str(folder)]
    if program.endswith(".mjs"):
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not installed")
        command = [node, command[1], place, str(folder)]
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    read = json.loads(results.read_text())
    major, minor = map(int, read["version"].split(".")[:2])
    return Found(folder, cases, (major, minor), read["cases"], program.endswith(".mjs"))


def successes(found: Found) -> dict[str, dict[str, Any]]:
    """Return results without the refusals that are expected."""
    refused = {name: each["error"] for name, each in found.results.items() if "error" in each}
    for name, error in refused.items():
        assert name.startswith("u64,"), (name, error)
        assert found.version < UNSIGNED, (name, error)
        assert "Could not find an implementation" in error
    assert set(found.results) == set(found.cases)
    return {name: each for name, each in found.results.items() if name not in refused}


def test_weights_are_those_of_the_pack(found: Found) -> None:
    for name, result in successes(found).items():
        weights = found.cases[name].weights
        wanted = {key: hashlib.sha256(data).hexdigest() for key, data in weights.items()}
        for key in ("weights.shown.disabled", "weights.shown.all"):
            assert wanted.items() <= result[key].items(), (name, key)
        generated = result.get("weights.generator.disabled", {})
        assert generated.items() <= wanted.items(), name
        assert sum(map(len, weights.values())) > 0


def test_outputs_are_those_of_the_dense_model_and_of_torch(found: Found) -> None:
    compared = 0
    for name, result in successes(found).items():
        if "dense" not in result:
            continue
        compared += 1
        for level in LEVELS:
            assert result[f"compact.{level}"] == result[f"dense.{level}"], (name, level)
        if found.is_web and found.version < PAIRS_IN_WEB:
            assert "pair.error" in result
        else:
            assert result["pair.all"] == result["dense.all"], name
        logits = found.cases[name].logits
        difference = np.abs(np.array(result["dense"], np.float32) - logits).max()
        assert difference <= BOUND * np.abs(logits).max(), name
    assert compared >= len(FEW)


@cache
def operators(path: Path) -> Counter[str]:
    """Return how often a model has each operator; all of them are in the graph itself."""
    model = onnx.load(path)
    assert not model.functions
    return Counter(f"{node.domain}::{node.op_type}" for node in model.graph.node)


def counted(found: Found, case: str, form: str, level: str) -> Counter[str]:
    """Return the operators of an optimised model; of the web those that ran."""
    if found.is_web:
        return Counter(found.results[case][f"ran.{form}.{level}"])
    return operators(found.folder / case / f"{form}.{level}.optimised")


def test_optimised_graphs_have_the_operators_of_the_dense_model(found: Found) -> None:
    for name, result in successes(found).items():
        if "dense" not in result:
            continue
        for level in LEVELS:
            compact, dense = (counted(found, name, form, level) for form in ("compact", "dense"))
            assert compact == dense, (name, level, compact - dense)
            assert dense.total() > 0
    operators.cache_clear()


def test_what_is_not_folded_would_be_seen(tmp_path: Path) -> None:
    """The operators of the generator are there where nothing is optimised."""
    write_cases(tmp_path, [], full=False)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.optimized_model_filepath = str(tmp_path / "unfolded.onnx")
    case = next(path for path in tmp_path.iterdir() if path.name.startswith("normal,"))
    cpu = ["CPUExecutionProvider"]
    onnxruntime.InferenceSession(str(case / "compact.onnx"), options, providers=cpu)
    assert operators(tmp_path / "unfolded.onnx")["::BitwiseXor"] == 40


def test_the_reference_of_onnx_gives_the_same_weights(
    written: tuple[Path, dict[str, Case]],
) -> None:
    folder, cases = written
    for name, case in cases.items():
        images = np.load(folder / name / "input.npy")
        evaluator = ReferenceEvaluator(str(folder / name / "shown.onnx"))
        (entry,) = evaluator.input_names
        outputs = dict(
            zip(evaluator.output_names, evaluator.run(None, {entry: images}), strict=True)
        )
        for key, data in case.weights.items():
            assert outputs[key].tobytes() == data, (name, key)
        (logits,) = (value for key, value in outputs.items() if key not in case.weights)
        assert np.abs(logits - case.logits).max() <= BOUND * np.abs(case.logits).max(), name


def test_every_codec_draw_and_network_has_a_case(
    written: tuple[Path, dict[str, Case]], request: pytest.FixtureRequest
) -> None:
    cases = written[1]
    used = set().union(*(case.codecs for case in cases.values()))
    assert used == {*INDEX_CODECS, *VALUE_CODECS}
    parts = {part for name in cases for part in name.split(",")}
    assert set(DRAWS) <= parts
    few = "few" in request.node.name
    assert set(FEW if few else MODELS) <= parts
