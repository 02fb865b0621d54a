"""The README is true: its Python runs, its commands exist, its options are known."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from freezepack.cli import COMMANDS

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""


def test_the_python_in_the_readme_runs(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freezepack.models.build import build_model

    shutil.copy(trained / "model.fpk", tmp_path / "model.fpk")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {
        "model": build_model("lenet-300-100"),
        "net": nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)),
        "inputs": torch.linspace(-1, 1, 80).reshape(10, 8),
        "labels": torch.arange(10) % 3,
        "array": np.empty((4, 5), np.float32),
        "epochs": 1,
        "loader": [(torch.zeros(10, 1, 28, 28), torch.arange(10))] * 3,
        "loss": nn.CrossEntropyLoss(),
    }
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)  # noqa: S102
    assert (tmp_path / "copy.fpk").exists()


def test_every_command_in_the_readme_exists_with_its_options() -> None:
    lines = re.findall(r"^    \$ freezepack (.*?)(?:\s+#.*)?$", TEXT, re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        name, *arguments = shlex.split(line)
        command = COMMANDS.get_part(name)
        known = {option for parameter in command.params for option in parameter.opts}
        used = {word for word in arguments if word.startswith("-")}
        assert used <= known, line


def test_every_command_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert f"`freezepack {name}" in TEXT
