"""Any module can be frozen: bases, choices and refusals."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from freezepack.errors import SelectionError, UnknownNameError
from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.nn.record import record_of
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen, content_of, freeze


def batch(count: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(count, 1, 28, 28), torch.arange(count) % 10


def test_lenet5_at_0_995_trains_2152_weights_and_580_biases() -> None:
    model = build_model("lenet5-caffe")
    record = freeze(model, rate=0.995, batch=batch(), seed=1)
    assert sum(int(mask.sum()) for mask in record.masks.values()) == 2152
    assert sum(p.numel() for p in model.parameters()) == 2152 + 580
    assert record_of(model) is record
    check_frozen(model)


def test_with_a_seed_the_weights_are_drawn_anew_and_biases_stay() -> None:
    model = nn.Linear(20, 20)
    bias = model.bias.detach().clone()
    record = freeze(model, rate="0.9", score="magnitude", seed=3)
    expected = nn.Linear(20, 20)
    fill_module(expected, seed=3)
    assert torch.equal(model.weight, expected.weight)
    assert torch.equal(model.bias, bias)
    assert (record.fill, record.seed, list(record.init)) == ("seed", 3, ["weight"])


def test_without_a_seed_the_present_weights_are_the_base() -> None:
    model = nn.Linear(20, 20)
    before, digest = dense_state(model), content_of(model)
    record = freeze(model, rate="0.9", score="magnitude")
    assert all(torch.equal(t, before[name]) for name, t in dense_state(model).items())
    assert (record.fill, record.seed, record.init) == ("file", None, {})
    assert record.base_digest == digest
    with pytest.raises(ValueError, match="only a model frozen at a seed or at zeros"):
        check_frozen(model)


def test_the_pruned_twin_has_the_same_masks_and_the_same_trained_weights() -> None:
    data = batch()
    frozen = build_model("lenet-300-100")
    pruned = copy.deepcopy(frozen)
    one = freeze(frozen, rate="0.98", batch=data, seed=4)
    two = freeze(pruned, rate="0.98", batch=data, seed=4, base="zeros")
    assert (two.fill, two.init) == ("zeros", {})
    for name, mask in one.masks.items():
        assert (two.masks[name] == mask).all()
        full, rest = dense_state(frozen)[name].numpy(), dense_state(pruned)[name].numpy()
        assert (full[mask] == rest[mask]).all()
        assert not rest[~mask].any()
        assert not np.signbit(rest[~mask]).any()
    check_frozen(pruned)


def test_a_rate_of_zero_freezes_nothing() -> None:
    model = nn.Linear(4, 4)
    record = freeze(model, rate=0, seed=1)
    assert record.masks == {}
    assert record.freezing_rate == "0"
    assert [tuple(p.shape) for p in model.parameters()] == [(4, 4), (4,)]


def test_patterns_restrict_what_may_be_frozen() -> None:
    model = build_model("lenet-300-100")
    before = dense_state(model)
    record = freeze(model, rate="0.5", score="random", seed=1, exclude=["fc1*"])
    assert list(record.masks) == list(record.init) == ["fc2.weight", "fc3.weight"]
    assert torch.equal(dense_state(model)["fc1.weight"], before["fc1.weight"])


def test_a_small_transformer_with_tied_embeddings_is_frozen_and_trains() -> None:
    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(30, 16)
            self.block = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
            self.head = nn.Linear(16, 30, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.head(self.block(self.embed(tokens)))
            return found.transpose(1, 2)

    model = Tiny()
    tokens = torch.arange(24).reshape(2, 12)
    record = freeze(model, rate="0.95", batch=(tokens, tokens.roll(1, 1)), seed=1)
    assert "head.weight" not in record.masks
    before = dense_state(model)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(tokens), tokens.roll(1, 1))
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    check_frozen(model)
    after = dense_state(model)
    assert torch.equal(after["head.weight"], after["embed.weight"])
    mask = record.masks["embed.weight"]
    assert (after["embed.weight"] != before["embed.weight"]).sum() == mask.sum()


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"rate": 1}, SelectionError, "freezing rate is 1, expected 0 <= rate < 1"),
        ({"rate": "0.999"}, SelectionError, "leaves none of 16 weights to train"),
        ({"rate": 0.5, "base": "seed"}, SelectionError, "base 'seed' needs a seed"),
        ({"rate": 0.5, "base": "one"}, UnknownNameError, "no base named 'one'"),
        ({"rate": 0.5, "score": "snap"}, UnknownNameError, "Did you mean 'snip'"),
        ({"rate": 0.5}, SelectionError, "needs a batch of inputs and targets"),
        ({"rate": 0.5, "include": ["fc*"]}, SelectionError, "no eligible weight matches"),
    ],
)
def test_impossible_wishes_are_refused_before_anything_changes(
    options: dict[str, object], error: type[Exception], problem: str
) -> None:
    model = nn.Linear(4, 4)
    before = dense_state(model)
    for seed in {None, 1} - ({1} if options.get("base") == "seed" else set()):
        with pytest.raises(error, match=problem):
            freeze(model, seed=seed, **options)  # type: ignore[arg-type]
        assert torch.equal(model.weight, before["weight"])
        assert record_of(model) is None


def unusual(*shape: int) -> torch.Tensor:
    return torch.full(shape, float("nan"))


@pytest.mark.parametrize("base", ["seed", "zeros"])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"batch": (unusual(2, 4), torch.tensor([0, 1]))}, SelectionError),
        ({"batch": (torch.ones(2, 5), torch.tensor([0, 1]))}, RuntimeError),
        ({"score": "random", "scheme": "unknown"}, UnknownNameError),
        ({"score_mode": "test", "batch": (torch.ones(1, 4), torch.tensor([0]))}, SelectionError),
    ],
)
def test_a_failed_attempt_leaves_the_model_as_it_was(
    options: dict[str, object], error: type[Exception], base: str
) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    before = dense_state(model)
    with pytest.raises(error):
        freeze(model, rate=0.5, seed=1, base=base, **options)  # type: ignore[arg-type]
    assert all(torch.equal(t, before[name]) for name, t in dense_state(model).items())
    assert [tuple(p.shape) for p in model.parameters()] == [(4, 4), (4,), (4, 4), (4,)]
    freeze(model, rate=0.5, seed=1, score="magnitude", base=base)
    check_frozen(model)


def test_an_interrupt_while_overlays_are_made_restores_the_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("freezepack.train.freezing.freeze_weights", stop)
    model = nn.Linear(4, 4)
    before = dense_state(model)
    with pytest.raises(KeyboardInterrupt):
        freeze(model, rate=0.5, seed=1, score="magnitude", base="zeros")
    assert torch.equal(model.weight, before["weight"])


def test_recurrent_layers_are_refused_before_anything_is_drawn_or_scored() -> None:
    model = nn.Sequential(nn.LSTM(2, 3))
    before = dense_state(model)
    with pytest.raises(SelectionError, match=r"'0\.weight_hh_l0' is a recurrent layer's weight"):
        freeze(model, rate=0.5, seed=1)
    assert all(torch.equal(t, before[name]) for name, t in dense_state(model).items())


def test_an_embedding_with_a_padding_row_is_not_drawn_anew() -> None:
    model = nn.ModuleList([nn.Embedding(5, 4, padding_idx=0), nn.Linear(4, 4)])
    before = dense_state(model)
    assert list(freeze(model, rate=0.5, score="random", seed=1).masks) == ["1.weight"]
    assert torch.equal(dense_state(model)["0.weight"], before["0.weight"])
    assert not before["0.weight"][0].any()
    alone = nn.Embedding(5, 4, padding_idx=0)
    with pytest.raises(SelectionError, match="no weight is eligible"):
        freeze(alone, rate=0.5, score="random", seed=1)
    assert list(freeze(alone, rate=0.5, score="random").masks) == ["weight"]


def test_a_model_is_frozen_once() -> None:
    model = nn.Linear(4, 4)
    freeze(model, rate=0.5, score="magnitude", seed=1)
    with pytest.raises(SelectionError, match="the model is frozen already"):
        freeze(model, rate=0.5, score="magnitude", seed=1)


def test_not_a_number_in_a_score_is_refused_with_its_place() -> None:
    model = nn.Linear(4, 4)
    with torch.no_grad():
        model.weight[1, 2] = float("nan")
    with pytest.raises(SelectionError, match="score 6 of 'weight' is NaN"):
        freeze(model, rate=0.5, score="magnitude")
