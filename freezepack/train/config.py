"""The configuration of a run: what decides its result, as canonical JSON with a hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from freezepack.errors import CheckpointError, UnknownNameError
from freezepack.models.build import Argument, resolve_arguments
from freezepack.random.schemes import SCHEMES
from freezepack.registry import Registry
from freezepack.scores import SCORES
from freezepack.selection import resolve_options
from freezepack.selection.rate import canonical_rate
from freezepack.train.augment import AUGMENTATIONS
from freezepack.train.data import DATASETS
from freezepack.train.methods import resolve_method
from freezepack.train.ranges import check_ranges

FILLS = ("seed", "zeros")
_SCHEMES = {"edge-popup": "signed_constant"}
PRECISIONS = ("float32", "bfloat16")
SCHEDULES = ("constant", "cosine", "step")
_RATES = {"adam": (1e-3, 1e-2), "adamw": (1e-3, 1e-2), "sgd": (0.1, 0.1)}
"""Learning rates, dense and frozen: a few trained values take, and need, larger steps."""
_FLOATS = (
    "lr",
    "momentum",
    "weight_decay",
    "warmup",
    "gamma",
    "clip",
    "label_smoothing",
    "ema",
)
_DECAYS = {"adam": 0.0, "adamw": 1e-2, "sgd": 0.0}
OPTIMIZERS = tuple(_RATES)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides the result of a run, apart from the versions of the software.

    Equal configurations have equal hashes. `None` means the default of the model, data set or
    optimiser and is resolved on construction, so that a record of a run says everything.

    Attributes
    ----------
    model, model_args
        A name of `MODELS`, and the arguments that differ from its defaults.
    data : str
        A name of `DATASETS`.
    freezing_rate : str
        Share of the weights that keep their initial value, as a decimal number; 0 trains all.
    score, strategy : str
        How the trained weights are chosen.
    strategy_args : mapping
        The strategy's options that differ from its defaults, as in ``{"steps": 30}``.
    fill : {"seed", "zeros"}
        What frozen weights are: their seeded value (FreezeNet) or 0 (the pruned twin, with the
        same masks and the same initial values).
    scheme : str or None
        Initialization of the weights. Default: "xavier_normal", and "signed_constant" for
        edge-popup.
    seed : int
        Key of the generator, 0 to 2**64 - 1: weights, shuffling and score batch come from it.
    epochs : int or None
        Default: that of the data set.
    batch_size : int
        Examples per optimiser step.
    accumulate : int
        Parts into which each batch is divided to save memory; gradients are summed.
    optimizer : {"adam", "adamw", "sgd"}
        `momentum` is that of SGD. `lr` defaults to 0.1 for sgd; for adam and adamw to 1e-2, and
        to 1e-3 where nothing is frozen. `weight_decay` defaults to 1e-2 for adamw, else to 0.
    schedule : {"cosine", "step", "constant"}
        After a linear rise over `warmup` epochs. "step" multiplies by `gamma` at each of
        `milestones`, which are shares of the whole run.
    clip : float or None
        Largest norm of the gradient of all trained values; None does not clip.
    score_batch : int or None
        Training images for the score. Default: that of the data set.
    score_batches : int
        Parts of the score batch whose gradients are averaged, each normalised on its own.
    score_balanced : bool
        Take as many images of each class for the score; `score_batch` is rounded down.
    label_smoothing : float
        Share of the target that is spread over all classes.
    ema : float or None
        Decay of the moving average of the trained values, which is then what is evaluated and
        packed. None takes the values themselves.
    augmentation : str or None
        A name of `AUGMENTATIONS`. Default: that of the data set.
    precision : {"float32", "bfloat16"}
        "bfloat16" computes forward passes in mixed precision; values stay float32.
    channels_last : bool
        Memory layout of convolutions; about twice as fast on CPUs.
    """

    model: str = "lenet5-caffe"
    model_args: Mapping[str, Argument] = field(default_factory=dict)
    data: str = "mnist"
    method: str = "freeze"
    method_args: Mapping[str, Argument] = field(default_factory=dict)
    freezing_rate: str = "0.995"
    score: str = "snip"
    strategy: str = "one-shot"
    strategy_args: Mapping[str, Argument] = field(default_factory=dict)
    fill: str = "seed"
    scheme: str | None = None
    seed: int = 1
    epochs: int | None = None
    batch_size: int = 100
    accumulate: int = 1
    optimizer: str = "adam"
    lr: float | None = None
    momentum: float = 0.9
    weight_decay: float | None = None
    schedule: str = "cosine"
    warmup: float = 1.0
    milestones: tuple[float, ...] = (0.5, 0.75)
    gamma: float = 0.1
    clip: float | None = None
    score_batch: int | None = None
    score_batches: int = 1
    score_balanced: bool = False
    label_smoothing: float = 0.0
    ema: float | None = None
    augmentation: str | None = None
    precision: str = "float32"
    channels_last: bool = True

    def __post_init__(self) -> None:
        resolved = resolve_arguments(self.model, self.model_args)
        source = DATASETS.get_part(self.data)
        _check_name(SCORES, self.score)
        options = resolve_options(self.strategy, self.strategy_args)
        self._set("method_args", resolve_method(self.method, self.method_args))
        self._default("scheme", _SCHEMES.get(self.method, "xavier_normal"))
        _check_name(SCHEMES, str(self.scheme))
        _check_choice("fill", self.fill, FILLS)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        self._set("model_args", resolved)
        self._set("strategy_args", options)
        self._set("freezing_rate", canonical_rate(self.freezing_rate))
        self._set("milestones", tuple(map(float, self.milestones)))
        self._default("epochs", source.epochs)
        self._default("score_batch", source.score_batch)
        self._default("augmentation", source.augmentation)
        _check_name(AUGMENTATIONS, str(self.augmentation))
        self._default("lr", _RATES[self.optimizer][self.freezing_rate != "0"])
        self._default("weight_decay", _DECAYS[self.optimizer])
        for name in _FLOATS:  # 1 and 1.0 are the same configuration
            if getattr(self, name) is not None:
                self._set(name, float(getattr(self, name)))
        check_ranges(self)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _default(self, name: str, value: object) -> None:
        if getattr(self, name) is None:
            self._set(name, value)

    def to_json(self) -> str:
        """Return canonical JSON: sorted keys, no spaces, one line.

        Examples
        --------
        >>> RunConfig(data="digits").to_json()[:40]
        '{"accumulate":1,"augmentation":"none","b'
        """
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def stated(self) -> dict[str, Any]:
        """Return the fields that differ from the class defaults, and only such options.

        What `None` stands for is resolved, so those fields are always among them.

        Examples
        --------
        >>> RunConfig(strategy_args={"budget": "erk"}).stated()["strategy_args"]
        {'budget': 'erk'}
        """
        options = {
            "model_args": resolve_arguments(self.model, {}),
            "method_args": resolve_method(self.method, {}),
            "strategy_args": resolve_options(self.strategy, {}),
        }
        found, values = {}, asdict(self)
        for entry in fields(self):
            value, default = values[entry.name], entry.default
            if entry.name in options:
                known, default = options[entry.name], {}
                value = {key: value[key] for key in value if value[key] != known[key]}
            if value != default:
                found[entry.name] = value
        return found

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON of `stated`.

        A new field whose default changes nothing leaves all hashes as they are.
        """
        text = json.dumps(self.stated(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def changed(self, **values: Any) -> "RunConfig":
        """Return the same configuration with some fields changed."""
        return replace(self, **values)


def config_from_json(text: str) -> RunConfig:
    """Read a configuration back.

    Raises
    ------
    CheckpointError
        If the text is not the JSON of a configuration.

    Examples
    --------
    >>> config_from_json(RunConfig(seed=5).to_json()).seed
    5
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"the configuration is not JSON: {error}") from None
    known = {entry.name for entry in fields(RunConfig)}
    if not isinstance(content, dict) or not set(content) <= known:
        extra = sorted(set(content) - known) if isinstance(content, dict) else type(content)
        raise CheckpointError(f"the configuration has unknown fields: {extra}")
    return RunConfig(**content)


def _check_name(table: Registry, name: str) -> None:
    table[name]


def _check_choice(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known)
