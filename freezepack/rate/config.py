"""What decides the result of a training for the file, as canonical JSON with a hash."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from freezepack.errors import CheckpointError, UnknownNameError
from freezepack.models.build import Argument, resolve_arguments
from freezepack.rate.copies import AFFINE
from freezepack.registry import Registry, check_type
from freezepack.train.augment import AUGMENTATIONS
from freezepack.train.data import DATASETS

PRECISIONS = ("float32", "bfloat16")
TEACHERS = ("none", "dense")
_POSITIVE = (
    "lr",
    "coarseness",
    "vector_step",
    "scale_lr",
    "temperature",
    "epochs",
    "batch_size",
    "copies",
    "teacher_epochs",
)
_NOT_NEGATIVE = ("rate_weight", "exchanges", "strength", "label_part", "teacher_part")
_SHARES = ("ramp", "hold_from", "plain")


@dataclass(frozen=True, slots=True)
class RateConfig:
    """Everything that decides the result of a run, apart from the versions of the software.

    Attributes
    ----------
    model, model_args, data, seed
        As in `RunConfig`. The seed draws first weights, orders and augmentation; the file does
        not need it.
    rate_weight : float
        Loss that a bit of the file is worth. With `target_bytes`, about where it may end: the
        search begins at half of it.
    target_bytes : int or None
        Largest file. The rate weight is then adapted while training.
    rows : mapping of name to int
        Layers of which only the first rows are trained; all others are 0. See `narrow`.
    epochs, batch_size, lr
        Adam on the integers' latent values; `lr` is in steps of the grid and falls to 0 as half
        a cosine.
    most, coarseness, vector_step, scale_lr, ramp, hold_from
        See `GridOptions`.
    augmentation, copies, plain, strength
        See `Copies`.
    teacher : {"none", "dense"} or path
        "dense" trains the same network without a grid first, for `teacher_epochs`; a path is a
        checkpoint of `freezepack train` for the same data.
    label_part, teacher_part, temperature
        See `Lesson`; without a teacher labels count alone.
    exchanges : int
        Orders of hidden units that are tried in the end, see `Rated.arrange`.
    precision : {"float32", "bfloat16"}
        "bfloat16" computes forward passes in mixed precision.
    channels_last : bool
        Memory layout of convolutions. Networks of a few channels are faster without.
    """

    model: str = "lenet5-caffe"
    model_args: Mapping[str, Argument] = field(default_factory=dict)
    data: str = "mnist"
    seed: int = 1
    rate_weight: float = 3e-5
    target_bytes: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    epochs: int = 40
    batch_size: int = 100
    lr: float = 0.06
    most: int = 2
    coarseness: float = 2.5
    vector_step: float = 0.125
    scale_lr: float = 0.1
    ramp: float = 0.15
    hold_from: float = 0.75
    augmentation: str = AFFINE
    copies: int = 16
    plain: float = 0.3
    strength: float = 1.0
    teacher: str = "none"
    teacher_epochs: int = 12
    label_part: float = 0.0
    teacher_part: float = 1.0
    temperature: float = 2.0
    exchanges: int = 1000
    precision: str = "float32"
    channels_last: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "model_args", resolve_arguments(self.model, self.model_args))
        object.__setattr__(self, "rows", {name: int(n) for name, n in self.rows.items()})
        self._check_types()
        _check_name(DATASETS, self.data)
        if self.augmentation != AFFINE:
            _check_name(AUGMENTATIONS, self.augmentation)
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, PRECISIONS)
        self._check_ranges()

    def _check_types(self) -> None:
        for entry in fields(self):
            if isinstance(entry.default, str | int | float):
                value = check_type(entry.name, getattr(self, entry.name), entry.default)
                finite = not isinstance(value, float) or math.isfinite(value)
                _check(entry.name, value, finite, "a finite number")
                object.__setattr__(self, entry.name, value)

    def _check_ranges(self) -> None:
        for name in _POSITIVE:
            _check(name, getattr(self, name), getattr(self, name) > 0, "more than 0")
        for name in _SHARES:
            _check(name, getattr(self, name), 0 <= getattr(self, name) < 1, "0 to below 1")
        for name in _NOT_NEGATIVE:
            _check(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        _check("seed", self.seed, 0 <= self.seed < 2**64, "0 to 2**64 - 1")
        _check("most", self.most, 1 <= self.most <= 60, "1 to 60")
        if self.target_bytes is not None:
            _check("target_bytes", self.target_bytes, self.target_bytes > 0, "more than 0")
            _check("rate_weight", self.rate_weight, self.rate_weight > 0, "more than 0")

    def to_json(self) -> str:
        """Return canonical JSON: sorted keys, no spaces, one line.

        Examples
        --------
        >>> RateConfig(data="digits").to_json()[:36]
        '{"augmentation":"affine","batch_size'
        """
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def changed(self, **values: Any) -> "RateConfig":
        """Return the same configuration with some fields changed."""
        return replace(self, **values)


def rate_config_from_json(text: str) -> RateConfig:
    """Read a configuration back.

    Raises
    ------
    CheckpointError
        If the text is not the JSON of a configuration.

    Examples
    --------
    >>> rate_config_from_json(RateConfig(seed=5).to_json()).seed
    5
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"the configuration is not JSON: {error}") from None
    known = {entry.name for entry in fields(RateConfig)}
    if not isinstance(content, dict) or not set(content) <= known:
        extra = sorted(set(content) - known) if isinstance(content, dict) else type(content)
        raise CheckpointError(f"the configuration has unknown fields: {extra}")
    return RateConfig(**content)


def _check_name(table: Registry, name: str) -> None:
    table[name]


def _check(name: str, value: object, fits: bool, expected: str) -> None:
    if not fits:
        raise ValueError(f"{name} is {value}, expected {expected}")
