"""An experiment file is the configuration of its runs, and nothing in it is guessed."""

import re
from pathlib import Path

import pytest

from freezepack.bench.accuracy.experiment import Experiment, load_experiment
from freezepack.errors import InputError, UnknownNameError
from freezepack.scores import SCORES
from freezepack.selection import STRATEGIES

FOLDER = Path(__file__).parents[3] / "benchmarks/accuracy"
RUNS = {
    "lenet-300-100-mnist": 45,
    "lenet-300-100-fashion": 45,
    "lenet5-mnist": 39,
    "lenet5-fashion": 15,
    "schemes-lenet-300-100": 15,
    "schemes-lenet5": 15,
    "methods-lenet-300-100": 132,
}
"""Suites with a spread over seeds, and how many runs they have."""


def load(folder: Path, text: str) -> Experiment:
    path = folder / "tiny.toml"
    path.write_text(text)
    return load_experiment(path)


def test_lists_are_swept_and_the_last_one_varies_fastest(tmp_path: Path) -> None:
    experiment = load(tmp_path, 'data = "digits"\nfreezing_rate = ["0.9", 0.990]\nseed = [1, 2]')
    assert experiment.name == "tiny"
    assert experiment.values == ("lossless",)
    assert [(c.freezing_rate, c.seed) for c in experiment.configs] == [
        ("0.9", 1),
        ("0.9", 2),
        ("0.99", 1),
        ("0.99", 2),
    ]


def test_cases_stand_above_the_common_fields(tmp_path: Path) -> None:
    text = """
        data = "digits"
        score = "random"
        seed = [1, 2]
        [[case]]
        seed = 3
        [[case]]
        score = "snip"
        strategy = "force"
        strategy_args = { steps = 5 }
    """
    found = [(c.score, c.strategy, c.seed) for c in load(tmp_path, text).configs]
    assert found == [("random", "one-shot", 3), ("snip", "force", 1), ("snip", "force", 2)]


def test_with_nothing_frozen_the_fill_makes_no_second_run(tmp_path: Path) -> None:
    text = 'data = "digits"\nfreezing_rate = [0, "0.9"]\nfill = ["zeros", "seed"]'
    found = [(c.freezing_rate, c.fill) for c in load(tmp_path, text).configs]
    assert found == [("0", "seed"), ("0.9", "zeros"), ("0.9", "seed")]


def test_a_list_of_milestones_is_one_value_and_a_list_of_lists_two(tmp_path: Path) -> None:
    one = load(tmp_path, 'data = "digits"\nmilestones = [0.3, 0.6]')
    two = load(tmp_path, 'data = "digits"\nmilestones = [[0.3, 0.6], [0.5]]')
    assert [c.milestones for c in one.configs] == [(0.3, 0.6)]
    assert [c.milestones for c in two.configs] == [(0.3, 0.6), (0.5,)]


def test_packs_are_named_by_their_values(tmp_path: Path) -> None:
    text = 'data = "digits"\n[pack]\nvalues = ["grid:auto", "lossless", "grid:auto"]'
    assert load(tmp_path, text).values == ("grid:auto", "lossless")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('epochs = "3"', "epochs is '3', expected a whole number"),
        ("epochs = true", "epochs is True, expected a whole number"),
        ("seed = [1, 2.5]", "seed is 2.5, expected a whole number"),
        ('lr = "fast"', "lr is 'fast', expected a number"),
        ("model = 5", "model is 5, expected a text"),
        ("channels_last = 1", "channels_last is 1, expected true or false"),
        ('strategy_args = "erk"', "strategy_args is 'erk', expected a table"),
        ('milestones = ["half"]', "milestones is ['half'], expected a list of numbers"),
        ("epochs = 0", "epochs is 0, expected at least 1"),
        ('score = "sniip"', "no score named 'sniip'. Did you mean 'snip'?"),
        ('freezing_rate = "most"', "freezing rate is 'most', expected a decimal number"),
        ("strategy_args = { steps = 5 }", "no option of strategy 'one-shot' named 'steps'"),
        ("case = 5", "case is 5, expected tables [[case]]"),
        ("pack = { value = 1 }", "[pack] is {'value': 1}, expected nothing but values"),
        ('pack = { values = "lossless" }', "values is 'lossless', expected a list of texts"),
        ("epochs = ", "is not TOML: Invalid value"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)) as error:
        load(tmp_path, text)
    assert str(tmp_path / "tiny.toml") in str(error.value)


def test_an_unknown_field_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"named 'freezing_rat'.*mean 'freezing_rate'"):
        load(tmp_path, "freezing_rat = 0.9")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml: No such file"):
        load_experiment(tmp_path / "gone.toml")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_experiments_of_this_repository_can_be_read(path: Path) -> None:
    experiment = load_experiment(path)
    assert len(experiment.configs) == RUNS.get(experiment.name, len(experiment.configs)) > 0
    if experiment.name in RUNS:
        assert {config.seed for config in experiment.configs} == {1, 2, 3}


def test_no_selection_method_is_left_out() -> None:
    for path in FOLDER.glob("methods-*.toml"):
        configs = load_experiment(path).configs
        assert {config.score for config in configs} == set(SCORES)
        assert {config.strategy for config in configs} == set(STRATEGIES)
        assert {config.fill for config in configs} == {"seed", "zeros"}
