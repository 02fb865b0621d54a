"""Modules of every kind: frozen, trained, packed and loaded again without a bit out of place."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import freezepack.torch as fpk
from freezepack.errors import SelectionError
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen
from tests.unit.train.modules import CASES, bytes_of, equal, fresh, part_left_alone, train

# a direction that is pruned away as a whole has no length to be divided by
BOTH = [(n, b) for n in CASES for b in ("seed", "zeros") if (n, b) != ("weight norm", "zeros")]


@pytest.mark.parametrize(("name", "base"), BOTH)
def test_a_frozen_module_trains_and_comes_back_bit_for_bit(
    name: str, base: str, tmp_path: Path
) -> None:
    model, batch = fresh(name)
    record = fpk.freeze(model, rate="0.7", batch=batch, seed=3, base=base)
    before = dense_state(model)
    train(model, batch)
    check_frozen(model)
    after = dense_state(model)
    for key, mask in record.masks.items():
        moved = (after[key] != before[key]).numpy()
        assert not moved[~mask].any()
        assert moved[mask].mean() > 0.5
    if base == "zeros":
        assert not any(after[key].numpy()[~mask].any() for key, mask in record.masks.items())

    fpk.save_model(model, tmp_path / "model.fpk")
    plain, _ = fresh(name)
    assert fpk.load_into(plain, tmp_path / "model.fpk") == ([], [])
    assert equal(dense_state(plain), after)
    for module in (model, plain):
        module.eval()
    # with gradients: without, torch has other kernels for attention with Parameters
    assert torch.equal(plain(batch[0]), model(batch[0]))


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (
            "transformer",
            [
                "embed.weight",
                *(
                    f"encoder.layers.{i}.{part}weight"
                    for i in (0, 1)
                    for part in (
                        "linear1.",
                        "linear2.",
                        "self_attn.in_proj_",
                        "self_attn.out_proj.",
                    )
                ),
            ],
        ),
        (
            "attention",
            [
                "head.weight",
                *("other.k_proj_weight", "other.out_proj.weight", "other.q_proj_weight"),
                *("other.v_proj_weight", "own.in_proj_weight", "own.out_proj.weight"),
            ],
        ),
        ("twice", ["again.weight", "head.weight"]),
        ("group norm", ["0.weight", "3.weight"]),
        ("batch norm", ["0.weight", "3.weight"]),
        ("embeddings", ["2.weight"]),
        ("part left alone", ["2.weight", "4.weight"]),
    ],
)
def test_which_weights_are_drawn_and_frozen(name: str, names: list[str]) -> None:
    model, batch = fresh(name)
    record = fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    assert list(record.init) == names
    assert set(record.masks) <= set(names)
    assert sum(m.sum() for m in record.masks.values()) == round(
        0.3 * sum(m.size for m in record.masks.values())
    )


def test_a_part_that_needs_no_gradient_keeps_its_weights_and_costs_no_trained_count() -> None:
    model, batch = fresh("part left alone")
    before = copy.deepcopy(model[0])  # type: ignore[index]
    record = fpk.freeze(model, rate="0.5", batch=batch, seed=3)
    train(model, batch)
    assert torch.equal(model[0].weight, before.weight)  # type: ignore[index]
    assert sum(int(mask.sum()) for mask in record.masks.values()) == (64 + 32) // 2
    with pytest.raises(SelectionError, match=r"no gradient is required of 0\.weight"):
        fpk.freeze(part_left_alone(), rate=0.5, include=["0.*"], batch=batch, seed=3)


def test_normalisation_is_trained_and_its_statistics_are_stored_exactly(tmp_path: Path) -> None:
    model, batch = fresh("batch norm")
    fpk.freeze(model, rate="0.9", batch=batch, seed=3)
    norm: Any = model[1]  # type: ignore[index]
    assert norm.running_mean.tolist() == [0.0] * 8  # scoring leaves no trace
    train(model, batch, steps=4)
    assert isinstance(norm.weight, nn.Parameter)
    assert (norm.weight != 1).all()
    assert int(norm.num_batches_tracked) == 4
    fpk.save_model(model, tmp_path / "model.fpk")
    found = fpk.load_file(tmp_path / "model.fpk")
    for key in ("running_mean", "running_var", "num_batches_tracked"):
        assert bytes_of(found[f"1.{key}"]) == bytes_of(getattr(norm, key))
