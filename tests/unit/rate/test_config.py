"""Configurations are canonical and refuse what cannot be."""

import json
from typing import Any

import pytest

from freezepack.errors import CheckpointError, UnknownNameError
from freezepack.rate.config import RateConfig, rate_config_from_json


def test_a_configuration_is_read_back() -> None:
    config = RateConfig(rows={"fc1": 8}, model="lenet-300-100", target_bytes=1000, teacher="dense")
    assert rate_config_from_json(config.to_json()) == config
    assert rate_config_from_json(config.to_json()).hash == config.hash


def test_each_field_changes_the_hash() -> None:
    base = RateConfig()
    changed = (
        base.changed(rate_weight=1e-5),
        base.changed(rows={"fc1": 100}),
        base.changed(seed=2),
        base.changed(target_bytes=1000),
        base.changed(model_args={"relu": "fc"}),
    )
    assert len({base.hash, *(config.hash for config in changed)}) == 6


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"rate_weight": -1.0}, "rate_weight is -1.0, expected 0 or more"),
        ({"hold_from": 1.0}, "hold_from is 1.0, expected 0 to below 1"),
        ({"most": 0}, "most is 0, expected 1 to 60"),
        ({"epochs": 0}, "epochs is 0, expected more than 0"),
        ({"target_bytes": 0}, "target_bytes is 0, expected more than 0"),
        ({"target_bytes": 9, "rate_weight": 0}, "rate_weight is 0.0, expected more than 0"),
        ({"rate_weight": float("inf")}, "rate_weight is inf, expected a finite number"),
        ({"lr": float("nan")}, "lr is nan, expected a finite number"),
        ({"copies": "many"}, "copies is 'many', expected a whole number"),
        ({"vector_step": 0.0}, "vector_step is 0.0, expected more than 0"),
    ],
)
def test_values_out_of_range_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RateConfig(**settings)


def test_names_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="no augmentation named 'afine'"):
        RateConfig(augmentation="afine")
    with pytest.raises(UnknownNameError, match="no precision named 'half'"):
        RateConfig(precision="half")
    with pytest.raises(UnknownNameError, match="no model named"):
        RateConfig(model="lenet6")


def test_other_json_is_refused() -> None:
    with pytest.raises(CheckpointError, match="not JSON"):
        rate_config_from_json("{")
    text = json.dumps({**json.loads(RateConfig().to_json()), "colour": 1})
    with pytest.raises(CheckpointError, match="unknown fields: \\['colour'\\]"):
        rate_config_from_json(text)
