"""Modules of every kind: frozen, trained, packed and loaded again without a bit out of place."""

import copy
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import freezepack.torch as fpk
from freezepack.errors import CheckpointError, SelectionError
from freezepack.nn.frozen import find_overlays
from freezepack.nn.record import FreezeRecord, record_of
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen

Batch = tuple[Tensor, Tensor]


class Transformer(nn.Module):
    """Tokens to tokens; the embedding is the output layer as well."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 20, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        found: Tensor = self.head(self.encoder(self.embed(tokens)))
        return found.transpose(1, 2)


class Decoder(nn.Module):
    """Self-attention and attention to another sequence with widths of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.MultiheadAttention(8, 2, batch_first=True)
        self.other = nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        own, _ = self.own(inputs, inputs, inputs)
        other, _ = self.other(own, inputs[..., :6], inputs[..., :4])
        found: Tensor = self.head(other.mean(1))
        return found


class Twice(nn.Module):
    """One layer called twice, and registered under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Linear(8, 8)
        self.again = self.middle
        self.head = nn.Linear(8, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.head(torch.tanh(self.again(torch.tanh(self.middle(inputs)))))
        return found


class Mean(nn.Module):
    """Mean over all places."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(2).mean(2)


def images(*shape: int) -> Callable[[], Batch]:
    return lambda: (torch.rand(6, *shape), torch.arange(6) % 4)


def tokens() -> Batch:
    found = torch.arange(24).reshape(2, 12) * 7 % 20
    return found, found.roll(1, 1)


def group_norm() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 4, 3), Mean()
    )


def separable() -> nn.Module:
    """Depthwise, pointwise and grouped convolutions."""
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=4),
        nn.Conv2d(8, 8, 1),
        nn.ReLU(),
        nn.Conv2d(8, 4, 3, groups=2),
        Mean(),
    )


def transposed() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(3, 8, 3, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 2, groups=2),
        Mean(),
    )


def line() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(3, 8, 3), nn.ReLU(), nn.ConvTranspose1d(8, 8, 3), nn.Conv1d(8, 4, 3), Mean()
    )


def volume() -> nn.Module:
    return nn.Sequential(nn.Conv3d(2, 6, 2), nn.ReLU(), nn.Conv3d(6, 4, 2), Mean())


def batch_norm() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3), Mean()
    )


def embeddings() -> nn.Module:
    return nn.Sequential(
        nn.Embedding(20, 8, padding_idx=0), nn.LayerNorm(8), nn.Linear(8, 20), Transposed()
    )


class Transposed(nn.Module):
    """Classes before places."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.transpose(1, 2)


def part_left_alone() -> nn.Module:
    """The first layer was trained elsewhere, and is not to change."""
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    model[0].requires_grad_(False)
    return model


def weight_norm() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)), nn.Linear(8, 4))


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], Batch]]] = {
    "transformer": (Transformer, tokens),
    "attention": (Decoder, images(5, 8)),
    "group norm": (group_norm, images(3, 7, 7)),
    "separable": (separable, images(4, 7, 7)),
    "transposed": (transposed, images(3, 5, 5)),
    "line": (line, images(3, 9)),
    "volume": (volume, images(2, 4, 4, 4)),
    "twice": (Twice, images(8)),
    "embeddings": (embeddings, tokens),
    "part left alone": (part_left_alone, images(8)),
    "batch norm": (batch_norm, images(3, 7, 7)),
    "weight norm": (weight_norm, images(8)),
}


def fresh(name: str) -> tuple[nn.Module, Batch]:
    torch.manual_seed(11)
    build, data = CASES[name]
    return build(), data()


def train(model: nn.Module, batch: Batch, steps: int = 3) -> None:
    values = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(values, 0.02, weight_decay=0.3)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def equal(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    assert list(one) == list(two)
    bits = [(bytes_of(one[name]), bytes_of(two[name])) for name in one]
    return all(first == second for first, second in bits)


def bytes_of(tensor: Tensor) -> bytes:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


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


def test_mixed_precision_with_a_scaler_moves_trained_values_only() -> None:
    model, batch = fresh("group norm")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    before, scaler = dense_state(model), torch.amp.GradScaler("cpu", init_scale=64.0)
    optimizer = torch.optim.AdamW(model.parameters(), 0.02, weight_decay=0.3)
    for _ in range(2):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model(batch[0]).float(), batch[1])
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    check_frozen(model)
    assert not equal(dense_state(model), before)


def test_gradients_of_parts_add_up_to_those_of_the_batch() -> None:
    model, (inputs, labels) = fresh("separable")
    fpk.freeze(model, rate="0.7", batch=(inputs, labels), seed=3)
    F.cross_entropy(model(inputs), labels).backward()  # type: ignore[no-untyped-call]
    whole = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    for part in (slice(0, 3), slice(3, 6)):
        (F.cross_entropy(model(inputs[part]), labels[part]) / 2).backward()  # type: ignore[no-untyped-call]
    for parameter, grad in zip(model.parameters(), whole, strict=True):
        torch.testing.assert_close(parameter.grad, grad)


@pytest.mark.parametrize("buffers", [False, True])
def test_an_averaged_model_keeps_the_base_and_can_be_packed(buffers: bool, tmp_path: Path) -> None:
    model, batch = fresh("transformer")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    ema = get_ema_multi_avg_fn(0.9)  # type: ignore[no-untyped-call]
    average = AveragedModel(model, multi_avg_fn=ema, use_buffers=buffers)
    for _ in range(3):
        train(model, batch, steps=1)
        average.update_parameters(model)
    check_frozen(average)
    assert not equal(dense_state(average), dense_state(model))
    fpk.save_model(average, tmp_path / "average.fpk")
    fpk.save_model(model, tmp_path / "model.fpk")
    assert equal(fpk.load_file(tmp_path / "average.fpk"), dense_state(average))
    sizes = [(tmp_path / f"{name}.fpk").stat().st_size for name in ("average", "model")]
    assert sizes[0] < 1.1 * sizes[1]  # base and masks are known of the average as well


@pytest.mark.parametrize("name", ["transformer", "twice", "batch norm"])
def test_copies_and_pickled_state_dicts_go_on_alike(name: str) -> None:
    model, batch = fresh(name)
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    train(model, batch)
    twin, other = copy.deepcopy(model), fresh(name)[0]
    fpk.freeze(other, rate="0.7", batch=batch, seed=3)
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    stream.seek(0)
    other.load_state_dict(torch.load(stream, weights_only=True))
    for each in (model, twin, other):
        train(each, batch)
        check_frozen(each)
    assert equal(dense_state(twin), dense_state(model))
    assert equal(dense_state(other), dense_state(model))


def compiled(name: str, backend: str) -> None:
    model, batch = fresh(name)
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    twin = copy.deepcopy(model)
    fast: Any = torch.compile(twin, backend=backend)
    for each in (model, fast):
        F.cross_entropy(each(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]
    for (key, value), same in zip(model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(same.grad, value.grad, msg=key, rtol=1e-4, atol=1e-6)
    train(fast, batch)
    check_frozen(fast)
    assert record_of(fast) is record_of(twin)
    assert not equal(dense_state(fast), dense_state(model))


def test_a_compiled_module_is_traced_in_one_piece_and_gives_the_same_numbers() -> None:
    torch.compiler.reset()
    compiled("group norm", "aot_eager")
    model, batch = fresh("twice")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    whole = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(whole(batch[0]), model(batch[0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformer", "batch norm"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_compiled_to_machine_code_gives_the_same_numbers(name: str) -> None:
    from torch._inductor.exc import InvalidCxxCompiler

    torch.compiler.reset()
    try:
        compiled(name, "inductor")
    except InvalidCxxCompiler:
        pytest.skip("no C++ compiler")


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Any]:
    from torch import distributed
    from torch.distributed.device_mesh import init_device_mesh

    store = f"file://{tmp_path / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def test_a_sharded_module_is_refused_before_anything_changes(mesh: Any, tmp_path: Path) -> None:
    from torch.distributed.fsdp import fully_shard

    model, batch = fresh("twice")
    fully_shard(model.get_submodule("head"), mesh=mesh)
    before = model.state_dict()["head.weight"].full_tensor().clone()
    with pytest.raises(SelectionError, match=r"'head' is sharded by FSDP.*freeze first"):
        fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    assert torch.equal(model.state_dict()["head.weight"].full_tensor(), before)
    assert not list(find_overlays(model))
    for refused in (fpk.save_model, fpk.load_into):
        with pytest.raises(CheckpointError, match=r"head\.(bias|weight) is a DTensor"):
            refused(model, tmp_path / "model.fpk")
    assert not (tmp_path / "model.fpk").exists()


def test_a_frozen_module_can_be_sharded_trained_and_gathered(mesh: Any, tmp_path: Path) -> None:
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
    from torch.distributed.fsdp import fully_shard

    model, batch = fresh("group norm")
    fpk.freeze(model, rate="0.7", batch=batch, seed=3)
    alone, gathered = copy.deepcopy(model), copy.deepcopy(model)
    fully_shard(model, mesh=mesh)
    train(model, batch)
    train(alone, batch)
    with pytest.raises(CheckpointError, match="full state dict"):
        fpk.save_model(model, tmp_path / "model.fpk")
    full = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    gathered.load_state_dict(full)
    check_frozen(gathered)
    assert equal(dense_state(gathered), dense_state(alone))
    fpk.save_model(gathered, tmp_path / "model.fpk")
    assert equal(fpk.load_file(tmp_path / "model.fpk"), dense_state(alone))


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (nn.LazyLinear(3), "weight has no shape yet: run the model once"),
        (nn.Linear(4, 4, device="meta"), "weight is on the device 'meta'.*to_empty"),
        (nn.LayerNorm((4, 4)), "no weight is eligible"),
        (nn.PReLU(), "no weight is eligible"),
        (nn.Sequential(), "no weight is eligible"),
    ],
)
def test_models_that_cannot_be_frozen_are_refused_by_name(model: nn.Module, problem: str) -> None:
    with pytest.raises(SelectionError, match=problem):
        fpk.freeze(model, rate=0.5, score="random", seed=1)


@pytest.mark.parametrize("score", ["snip", "grasp"])
@pytest.mark.parametrize(
    ("batch", "problem"),
    [
        (None, "needs a batch of inputs and targets, none was given"),
        ((torch.ones(2, 4), None), "targets of the batch are NoneType, expected Tensor"),
        ((torch.ones(2, 4), [0, 1]), "targets of the batch are list, expected Tensor"),
        ((torch.ones(2, 4),), "batch is 1 parts, expected a pair of inputs and targets"),
        (torch.ones(2, 4), "batch is Tensor, expected a pair of inputs and targets"),
        ((torch.ones(2, 4), torch.tensor([0])), "2 inputs and 1 targets"),
        ((torch.ones(0, 4), torch.tensor([]).long()), "0 inputs and 0 targets"),
    ],
)
def test_a_batch_without_labels_is_refused_and_the_weights_stay(
    score: str, batch: Any, problem: str
) -> None:
    model = nn.Linear(4, 4)
    before = dense_state(model)
    with pytest.raises(SelectionError, match=problem):
        fpk.freeze(model, rate=0.5, score=score, batch=batch, seed=1)
    assert equal(dense_state(model), before)
    assert record_of(model) is None


def test_a_state_dict_of_a_model_with_other_masks_is_noticed() -> None:
    model, batch = fresh("twice")
    other = copy.deepcopy(model)
    found: list[FreezeRecord] = [
        fpk.freeze(each, rate="0.7", score="random", seed=seed)
        for each, seed in ((model, 3), (other, 4))
    ]
    assert list(found[0].masks) == list(found[1].masks)
    state = other.state_dict()
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state_dict(state)
    assert batch[0].shape == (6, 8)
