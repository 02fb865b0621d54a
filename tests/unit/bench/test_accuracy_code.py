"""Code that decides a result has a hash; words about it do not change it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import freezepack
from freezepack.bench.accuracy.code import PARTS, code_hash, forget_code
from freezepack.train.config import RunConfig

CONFIG = RunConfig(data="digits")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a copy of the code that is looked at in place of the true one."""
    source = Path(freezepack.__file__).parent
    for part in PARTS:
        shutil.copytree(source / part, tmp_path / part, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(freezepack, "__file__", str(tmp_path / "__init__.py"))
    forget_code()
    yield tmp_path
    forget_code()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    forget_code()


def test_the_hash_is_kept_until_it_is_forgotten(copy: Path) -> None:
    before = code_hash(CONFIG)
    (copy / "scores/snip.py").write_text("x = 1\n")
    assert code_hash(CONFIG) == before
    forget_code()
    assert code_hash(CONFIG) != before


def test_comments_docstrings_and_layout_change_nothing(copy: Path) -> None:
    before = code_hash(CONFIG)
    edit(copy / "train/loop.py", '"""', '"""Another beginning. ')
    edit(copy / "train/loop.py", "\nimport ", "\n\n# a comment\nimport ")
    edit(copy / "train/loop.py", "\ndef ", '\n"""A text by itself."""\n\n\ndef ')
    assert code_hash(CONFIG) == before


@pytest.mark.parametrize(
    "path",
    [
        "train/loop.py",
        "train/optimizer.py",
        "train/data/digits.py",
        "models/lenet.py",
        "nn/frozen.py",
        "scores/snip.py",
        "scores/gradient.py",
        "selection/topk.py",
        "random/philox.py",
    ],
)
def test_what_a_run_is_made_of_counts(copy: Path, path: str) -> None:
    before = code_hash(CONFIG)
    with (copy / path).open("a", encoding="utf-8") as stream:
        stream.write("\nADDED = 1\n")
    forget_code()
    assert code_hash(CONFIG) != before


@pytest.mark.parametrize(
    "path",
    [
        "train/progress.py",
        "train/tensorboard.py",
        "train/data/mnist.py",
        "models/resnet.py",
        "scores/grasp.py",
        "selection/cops.py",
        "train/curvature.py",
    ],
)
def test_what_a_run_does_without_does_not_count(copy: Path, path: str) -> None:
    before = code_hash(CONFIG)
    with (copy / path).open("a", encoding="utf-8") as stream:
        stream.write("\nADDED = 1\n")
    forget_code()
    assert code_hash(CONFIG) == before


def test_a_new_score_leaves_results_valid(copy: Path) -> None:
    before = code_hash(CONFIG)
    (copy / "scores/lucky.py").write_text("def lucky(model, task):\n    return {}\n")
    edit(
        copy / "scores/__init__.py",
        "{\n",
        '{\n        "lucky": Entry("freezepack.scores.lucky:lucky", ""),\n',
    )
    assert code_hash(CONFIG) == before


def test_a_changed_number_counts(copy: Path) -> None:
    before = code_hash(CONFIG)
    edit(copy / "random/schemes.py", "2", "3")
    edit(copy / "train/config.py", '"adam": (1e-3, 1e-2)', '"adam": (1e-3, 2e-2)')
    assert code_hash(CONFIG) != before


def test_the_control_score_of_a_strategy_counts(copy: Path) -> None:
    config = RunConfig(data="digits", strategy="cops", strategy_args={"control": "grasp"})
    before = code_hash(config), code_hash(CONFIG)
    (copy / "scores/grasp.py").write_text("x = 1\n")
    forget_code()
    assert code_hash(config) != before[0]
    assert code_hash(CONFIG) == before[1]
