"""Small modules of every kind, with a batch for each, for tests of freezing and training."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
