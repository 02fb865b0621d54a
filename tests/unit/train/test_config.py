"""A configuration is complete, canonical and checked."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from freezepack.errors import CheckpointError, SelectionError, UnknownNameError
from freezepack.train.config import RunConfig, config_from_json


def test_defaults_are_resolved_so_that_the_record_says_everything() -> None:
    config = RunConfig()
    assert config.model_args == {"relu": "conv"}
    assert None not in {k: v for k, v in json.loads(config.to_json()).items() if k != "clip"}
    assert (config.score_batch, config.freezing_rate, config.fill) == (1000, "0.995", "seed")


def test_options_of_the_strategy_are_resolved() -> None:
    config = RunConfig(strategy="force", strategy_args={"steps": 30})
    assert config.strategy_args == {"budget": "global", "steps": 30, "schedule": "exponential"}
    assert config_from_json(config.to_json()) == config


def test_default_rates_and_decays_are_those_of_the_optimiser() -> None:
    found = {name: RunConfig(optimizer=name) for name in ("sgd", "adam", "adamw")}
    assert {name: c.weight_decay for name, c in found.items()} == {
        "sgd": 0.0,
        "adam": 0.0,
        "adamw": 1e-2,
    }
    assert [found[name].lr for name in ("sgd", "adam")] == [0.1, 0.01]
    assert RunConfig(freezing_rate="0.0").lr == 0.001


def test_equal_configurations_have_equal_hashes() -> None:
    one = RunConfig(freezing_rate="0.50", lr=1, model_args={"relu": "conv"}, clip=2)
    other = RunConfig(freezing_rate="0.5", lr=1.0, clip=2.0)
    assert one == other
    assert one.hash == other.hash
    assert len(one.hash) == 16
    assert RunConfig(freezing_rate="0.5", lr=1.0, clip=2.0, seed=2).hash != one.hash


def test_json_is_canonical_and_comes_back() -> None:
    config = RunConfig(model_args={"relu": "fc"}, milestones=(0.3,), schedule="step", clip=1.0)
    text = config.to_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert config_from_json(text) == config
    assert config_from_json(text).to_json() == text


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"seed": -1}, r"seed is -1, expected 0 to 2\*\*64 - 1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"epochs": 0}, "epochs is 0, expected at least 1"),
        ({"score_batches": 0}, "score_batches is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"accumulate": 0}, "accumulate is 0"),
        ({"lr": 0.0}, r"lr is 0\.0, expected a positive number"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": float("inf")}, "lr is inf"),
        ({"momentum": 1.0}, r"momentum is 1\.0, expected 0 <= momentum < 1"),
        ({"weight_decay": -1.0}, r"weight_decay is -1\.0, expected 0 or more"),
        ({"warmup": -1.0}, r"warmup is -1\.0"),
        ({"gamma": 0.0}, r"gamma is 0\.0"),
        ({"clip": 0.0}, r"clip is 0\.0"),
        ({"score_batch": 0}, "score_batch is 0"),
    ],
)
def test_numbers_out_of_range_are_named(values: dict[str, float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RunConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"strategy": "force", "strategy_args": {"steps": "many"}},
            "'steps' is 'many', expected a whole",
        ),
        (
            {"strategy": "force", "strategy_args": {"steps": 2.5}},
            "'steps' is 2.5, expected a whole",
        ),
        (
            {"strategy": "force", "strategy_args": {"steps": True}},
            "'steps' is True, expected a whole",
        ),
        (
            {"strategy": "cops", "strategy_args": {"share": "half"}},
            "'share' is 'half', expected a number as",
        ),
        (
            {"strategy": "cops", "strategy_args": {"control": 3}},
            "'control' is 3, expected a text as",
        ),
        (
            {"method": "edge-popup", "method_args": {"lock": "some"}},
            "option of method 'edge-popup' 'lock'",
        ),
        (
            {"model_args": {"relu": 3}},
            "argument of model 'lenet5-caffe' 'relu' is 3, expected a text",
        ),
    ],
)
def test_options_of_another_type_are_named(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        RunConfig(**values)  # type: ignore[arg-type]


def test_a_whole_number_is_a_number() -> None:
    one, other = (RunConfig(strategy="cops", strategy_args={"share": share}) for share in (1, 1.0))
    assert one.hash == other.hash


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"method_args": {"lock": 0.1}},
            "no option of method 'freeze' named 'lock'. There is none.",
        ),
        ({"model": "lenet5"}, "no model named 'lenet5'"),
        ({"model_args": {"width": 2}}, "no argument of model 'lenet5-caffe' named 'width'"),
        ({"data": "minst"}, "no data set named 'minst'. Did you mean 'mnist'"),
        ({"score": "sniip"}, "no score named 'sniip'. Did you mean 'snip'"),
        ({"strategy_args": {"steps": 3}}, "no option of strategy 'one-shot' named 'steps'"),
        ({"strategy": "two-shot"}, "no strategy named 'two-shot'"),
        ({"scheme": "xavier"}, "no scheme named 'xavier'"),
        ({"fill": "ones"}, "no fill named 'ones'. Known: seed, zeros"),
        ({"optimizer": "adamax"}, "no optimizer named 'adamax'"),
        ({"schedule": "cosin"}, "no schedule named 'cosin'. Did you mean 'cosine'"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(
    values: dict[str, object], problem: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        RunConfig(**values)  # type: ignore[arg-type]
    assert problem in str(caught.value)


def test_impossible_rates_are_refused() -> None:
    with pytest.raises(SelectionError, match="freezing rate is 1, expected 0 <= rate < 1"):
        RunConfig(freezing_rate="1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", "is not JSON"), ("[]", "unknown fields"), ('{"lrr": 1}', r"unknown fields: \['lrr'\]")],
)
def test_text_that_is_no_configuration_is_refused(text: str, problem: str) -> None:
    with pytest.raises(CheckpointError, match=problem):
        config_from_json(text)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "ef55d5d0d9886768"),
        ({"data": "digits", "seed": 2, "epochs": 3}, "047c361e8cede5d2"),
        ({"model": "lenet-300-100", "freezing_rate": 0, "fill": "zeros"}, "be6b51abfd055bd6"),
        ({"strategy": "force", "strategy_args": {"steps": 30}}, "e4d4b676514b25bc"),
        (
            {"method": "edge-popup", "method_args": {"lock": 0.25}, "freezing_rate": "0.5"},
            "7e6fd38f0ca4b133",
        ),
        (
            {"optimizer": "sgd", "schedule": "step", "milestones": (0.3,), "ema": 0.9, "clip": 1},
            "973b5a6fa72373dc",
        ),
    ],
)
def test_hashes_are_those_of_the_rows_that_are_published(
    values: dict[str, Any], expected: str
) -> None:
    assert RunConfig(**values).hash == expected


@dataclass(frozen=True)
class Grown(RunConfig):
    """A configuration of a later version, with a field more."""

    later: float = 0.0


def test_a_new_field_changes_a_hash_only_where_it_is_used() -> None:
    assert Grown().hash == RunConfig().hash == "ef55d5d0d9886768"
    assert Grown(later=0.5).hash != RunConfig().hash


def test_what_is_stated_are_differences_and_what_none_stands_for() -> None:
    config = RunConfig(
        data="digits",
        ema=0.9,
        strategy="force",
        strategy_args={"steps": 30, "schedule": "exponential"},
    )
    assert config.stated() == {
        "augmentation": "none",
        "data": "digits",
        "ema": 0.9,
        "epochs": 40,
        "lr": 0.01,
        "scheme": "xavier_normal",
        "score_batch": config.score_batch,
        "strategy": "force",
        "strategy_args": {"steps": 30},
        "weight_decay": 0.0,
    }
