import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.cli.conftest import Command


def test_the_accuracy_that_training_logs_is_that_of_the_pack(
    command: Command, trained: Path
) -> None:
    last = json.loads((trained / "metrics.jsonl").read_text().splitlines()[-1])
    done = command("eval", trained / "model.fpk", "--data", "digits", "--json")
    assert done.code == 0
    facts = json.loads(done.out)
    assert facts["accuracy"] == last["test_accuracy"]
    assert facts["bytes"] == (trained / "model.fpk").stat().st_size


def test_a_checkpoint_is_packed_to_the_bytes_that_training_wrote(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    facts = json.loads(command("inspect", trained / "model.fpk", "--json").out)
    accuracy = facts["metadata"]["accuracy"]
    done = command(
        "pack", trained / "model.pt", "-o", tmp_path / "b.fpk", "--metadata", f"accuracy={accuracy}"
    )
    assert done.code == 0
    assert "of 266,610 entries are stored" in done.out
    assert (tmp_path / "b.fpk").read_bytes() == (trained / "model.fpk").read_bytes()


def test_inspect_shows_trained_and_changed(command: Command, trained: Path) -> None:
    facts = json.loads(command("inspect", trained / "model.fpk", "--json").out)
    assert facts["trained"] == 2662 + 410
    assert 0 < facts["changed"] <= facts["trained"]
    assert facts["rebuilt_bytes"] == 4 * 266_610
    assert sum(facts["parts"].values()) == facts["bytes"]
    assert facts["lossy"] is False
    text = command("inspect", trained / "model.fpk").out
    assert "trained: 3,072 of 266,610, of these changed " in text
    assert "index: " in text


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_unpacked_weights_are_the_trained_ones(
    command: Command, trained: Path, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"model.{ending}"
    assert command("unpack", trained / "model.fpk", "-o", target).code == 0
    tensors = load_file(target) if ending == "safetensors" else torch.load(target)
    expected = torch.load(trained / "model.pt")["state_dict"]
    assert sorted(tensors) == sorted(expected)
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_a_program_comes_out_of_a_pack(command: Command, trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.pt2"
    assert command("unpack", trained / "model.fpk", "-o", target).code == 0
    program = torch.export.load(target).module()
    assert program(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_verify_finds_equality_and_difference(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    done = command("verify", trained / "model.fpk", "--against", trained / "model.pt")
    assert done.code == 0
    assert "bit for bit" in done.out
    tensors = torch.load(trained / "model.pt")["state_dict"]
    tensors["fc1.bias"][3] += 1
    save_file(tensors, tmp_path / "other.safetensors")
    done = command("verify", trained / "model.fpk", "--against", tmp_path / "other.safetensors")
    assert done.code == 4
    assert "'fc1.bias': 1 of 300 entries differ, the first is number 3" in done.err


def test_verify_says_in_json_what_differs(command: Command, trained: Path, tmp_path: Path) -> None:
    tensors = torch.load(trained / "model.pt")["state_dict"]
    tensors["fc2.weight"] = tensors["fc2.weight"][:50].clone()
    save_file(tensors, tmp_path / "other.safetensors")
    done = command(
        "verify", trained / "model.fpk", "--against", tmp_path / "other.safetensors", "--json"
    )
    assert done.code == 4
    facts = json.loads(done.out)
    assert facts["equal"] is False
    assert facts["differences"] == ["'fc2.weight': float32 [100, 300] against float32 [50, 300]"]


def test_a_foreign_model_is_kept_whole_and_the_cost_is_said(
    command: Command, tmp_path: Path
) -> None:
    save_file({"w": torch.randn(40, 30)}, tmp_path / "m.safetensors")
    done = command("pack", tmp_path / "m.safetensors", "-o", tmp_path / "m.fpk")
    assert done.code == 0
    assert "1,200 of 1,200 entries are stored" in done.out
    assert "say so with --base" in done.out


def test_a_model_drawn_elsewhere_from_a_seed_costs_next_to_nothing(
    command: Command, tmp_path: Path
) -> None:
    import freezepack.random
    from freezepack.random.schemes import kaiming_uniform

    weight = np.empty((64, 32), np.float32)
    draw, scale = kaiming_uniform(weight.shape)
    freezepack.random.fill(weight, seed=9, stream=0, draw=draw, scale=scale)
    weight[3, 4] = 1.5
    save_file({"w": torch.from_numpy(weight)}, tmp_path / "m.safetensors")
    base = "seed:9/kaiming_uniform"
    done = command("pack", tmp_path / "m.safetensors", "-o", tmp_path / "m.fpk", "--base", base)
    assert done.code == 0
    assert "1 of 2,048 entries are stored, 1 differ from the base" in done.out
    assert (tmp_path / "m.fpk").stat().st_size < 80


def test_a_fine_tune_needs_its_base(command: Command, tmp_path: Path) -> None:
    weight = torch.randn(50, 40)
    save_file({"w": weight}, tmp_path / "base.safetensors")
    weight[7] += 1
    save_file({"w": weight}, tmp_path / "tuned.safetensors")
    base = tmp_path / "base.safetensors"
    pack = tmp_path / "tuned.fpk"
    done = command("pack", tmp_path / "tuned.safetensors", "-o", pack, "--base", f"file:{base}")
    assert "40 of 2,000 entries are stored" in done.out
    done = command("verify", pack, "--base", base, "--against", tmp_path / "tuned.safetensors")
    assert done.code == 0
    done = command("unpack", pack, "-o", tmp_path / "x.safetensors")
    assert done.code == 1
    assert "the pack needs the base 'base.safetensors' with content digest" in done.err
    assert "--base PATH" in done.err
    done = command("verify", pack, "--base", tmp_path / "tuned.safetensors")
    assert done.code == 1
    assert not (tmp_path / "x.safetensors").exists()


def test_standard_input_and_output(command: Command, trained: Path) -> None:
    data = (trained / "model.fpk").read_bytes()
    done = command("inspect", "-", "--json", stdin=data)
    assert json.loads(done.out)["bytes"] == len(data)
    assert command("verify", "-", stdin=data).code == 0
    arguments = [sys.executable, "-m", "freezepack", "pack", "-", "-o", "-"]
    source = (trained / "model.pt").read_bytes()
    done_pack = subprocess.run(arguments, input=source, capture_output=True, check=True)
    assert done_pack.stdout[:4] == b"\x89FPK"
    assert b"entries are stored" in done_pack.stderr
    assert (
        command("verify", "-", "--against", trained / "model.pt", stdin=done_pack.stdout).code == 0
    )


def test_list_names_everything(command: Command) -> None:
    out = command("list").out
    for name in ("snip", "one-shot", "lenet5-caffe", "mnist", "xavier_normal", "gaps", "planes"):
        assert name in out
    assert "in use: " in command("list", "backends").out
    assert json.loads(command("list", "codecs", "--json").out)["index-codecs"][0]["name"] == "none"


def test_a_new_run_replaces_the_old_pack_and_only_with_force(
    command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    arguments = ["train", "--model", "lenet-300-100", "--data", "digits", "--epochs", "1"]
    assert command(*arguments, "--out", run).code == 0
    first = (run / "model.fpk").read_bytes()
    done = command(*arguments, "--seed", "2", "--out", run)
    assert done.code == 1
    assert "--force" in done.err
    assert (run / "model.fpk").read_bytes() == first
    done = command(*arguments, "--seed", "2", "--out", run, "--force", "--json")
    assert done.code == 0
    facts = json.loads(done.out)
    assert (facts["weights"], facts["trained_weights"], facts["trained_others"]) == (
        266_200,
        1331,
        410,
    )
    assert (run / "model.fpk").read_bytes() != first
    assert command("verify", run / "model.fpk", "--against", run / "model.pt").code == 0


def test_resuming_a_finished_run_leaves_its_files_and_tells_its_result(
    command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    arguments = ["train", "--model", "lenet-300-100", "--data", "digits", "--epochs", "1"]
    first = command(*arguments, "--out", run, "--json")
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    again = command(*arguments, "--out", run, "--json", "--resume")
    assert again.out == first.out
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_an_interrupted_new_run_leaves_the_old_one_with_its_pack(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freezepack.train import runner

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    arguments = ["train", "--model", "lenet-300-100", "--data", "digits", "--epochs", "1"]
    arguments += ["--out", str(run)]
    assert command(*arguments).code == 0
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(runner, "evaluate", stop)
        assert command(*arguments, "--seed", "2", "--force").code != 0
    assert {p.name: p.read_bytes() for p in run.iterdir() if p.is_file()} == before
    assert command(*arguments, "--seed", "2", "--resume").code == 0
    assert sorted(path.name for path in run.iterdir()) == sorted(before)
    assert command("verify", run / "model.fpk", "--against", run / "model.pt").code == 0
    assert (run / "model.fpk").read_bytes() != before["model.fpk"]


def test_a_named_pipe_is_an_input(trained: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    run = [sys.executable, "-m", "freezepack", "inspect", str(tmp_path / "pipe"), "--json"]
    with subprocess.Popen(run, stdout=subprocess.PIPE) as process:
        (tmp_path / "pipe").write_bytes((trained / "model.fpk").read_bytes())
        out, _ = process.communicate(timeout=60)
    assert json.loads(out)["bytes"] == (trained / "model.fpk").stat().st_size


def test_packing_a_pack_again_gives_the_same_bytes(
    command: Command, trained: Path, tmp_path: Path
) -> None:
    assert command("pack", trained / "model.fpk", "-o", tmp_path / "again.fpk").code == 0
    assert (tmp_path / "again.fpk").read_bytes() == (trained / "model.fpk").read_bytes()


def test_a_fine_tune_is_packed_again_with_its_base(command: Command, tmp_path: Path) -> None:
    weight = torch.linspace(-1, 1, 2000).reshape(50, 40)
    save_file({"w": weight}, tmp_path / "base.safetensors")
    weight[7] += 1
    save_file({"w": weight}, tmp_path / "tuned.safetensors")
    base = tmp_path / "base.safetensors"
    command(
        "pack", tmp_path / "tuned.safetensors", "-o", tmp_path / "a.fpk", "--base", f"file:{base}"
    )
    done = command("pack", tmp_path / "a.fpk", "-o", tmp_path / "b.fpk", "--base-of-base", base)
    assert done.code == 0
    assert (tmp_path / "a.fpk").read_bytes() == (tmp_path / "b.fpk").read_bytes()
    assert command("pack", tmp_path / "a.fpk", "-o", tmp_path / "c.fpk").code == 1


def test_a_base_may_come_through_a_pipe(tmp_path: Path) -> None:
    weight = torch.linspace(-1, 1, 2000).reshape(50, 40)
    save_file({"w": weight}, tmp_path / "base.safetensors")
    weight[7] += 1
    save_file({"w": weight}, tmp_path / "tuned.safetensors")
    run = [sys.executable, "-m", "freezepack", "pack"]
    first = [*run, "tuned.safetensors", "-o", "a.fpk", "--base", "file:base.safetensors"]
    subprocess.run(first, cwd=tmp_path, check=True)
    again = [*run, "a.fpk", "-o", "b.fpk", "--base-of-base", "-"]
    data = (tmp_path / "base.safetensors").read_bytes()
    subprocess.run(again, cwd=tmp_path, input=data, check=True)
    assert (tmp_path / "a.fpk").read_bytes() == (tmp_path / "b.fpk").read_bytes()
