"""An experiment: a TOML file that is the configuration of its runs."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

from freezepack.bench.accuracy.kinds import KINDS, check_kind
from freezepack.errors import FreezepackError, InputError, MissingExtraError, UnknownNameError
from freezepack.train.config import RunConfig

CASE, PACK, VALUES, LOSSLESS = "case", "pack", "values", "lossless"


@dataclass(frozen=True, slots=True)
class Experiment:
    """What one file asks for.

    Attributes
    ----------
    name : str
        The file's, without suffix.
    configs : tuple of RunConfig
        All combinations, in the order of the file, each once.
    values : tuple of str
        As what the trained values of each run are stored: "lossless", or what
        `freezepack pack --values` takes.
    """

    name: str
    configs: tuple[RunConfig, ...]
    values: tuple[str, ...] = (LOSSLESS,)


def load_experiment(path: Path) -> Experiment:
    """Read an experiment.

    Fields of `RunConfig` are given by their names, a list is one run for each of its entries.
    Each ``[[case]]`` holds fields that stand above the common ones. ``[pack] values`` names the
    packs that are written of each run.

    Raises
    ------
    InputError
        If the file cannot be read, or a field has another type or a value that no run can have.
    UnknownNameError
        If there is no such field.
    """
    content = _read_toml(path)
    cases, pack = content.pop(CASE, [{}]), content.pop(PACK, {})
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise InputError(f"{path}: case is {cases!r}, expected tables [[case]]")
    configs: dict[str, RunConfig] = {}
    for case in cases:
        for config in _combinations(path, {**content, **case}):
            configs.setdefault(config.hash, config)
    return Experiment(path.stem, tuple(configs.values()), _read_values(path, pack))


def _read_toml(path: Path) -> dict[str, Any]:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    try:
        toml = import_module(name)
    except ImportError:
        raise MissingExtraError(name, "bench", "freezepack bench accuracy") from None
    try:
        content: dict[str, Any] = toml.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    return content


def _read_values(path: Path, pack: object) -> tuple[str, ...]:
    if not isinstance(pack, dict) or not set(pack) <= {VALUES}:
        raise InputError(f"{path}: [pack] is {pack!r}, expected nothing but values")
    values = pack.get(VALUES, [LOSSLESS])
    if not isinstance(values, list) or not values or not all(type(v) is str for v in values):
        raise InputError(f"{path}: [pack] values is {values!r}, expected a list of texts")
    return tuple(dict.fromkeys(values))


def _combinations(path: Path, given: Mapping[str, Any]) -> Iterator[RunConfig]:
    """Return a configuration for each combination of the entries of lists."""
    choices = {}
    for name, value in given.items():
        if name not in KINDS:
            raise UnknownNameError(f"field of {path}", name, [*KINDS, CASE, PACK])
        choices[name] = _entries(name, value)
        for entry in choices[name]:
            problem = check_kind(KINDS[name], entry)
            if problem:
                raise InputError(f"{path}: {name} is {entry!r}, expected {problem}")
    for values in product(*choices.values()):
        yield _build(path, dict(zip(choices, values, strict=True)))


def _entries(name: str, value: Any) -> list[Any]:
    """Return what a field is to be in turn; `milestones` is a list by itself."""
    if isinstance(value, list) and (name != "milestones" or any(type(v) is list for v in value)):
        return value
    return [value]


def _build(path: Path, values: dict[str, Any]) -> RunConfig:
    try:
        config = RunConfig(**values)
    except (TypeError, ValueError, FreezepackError) as error:
        raise InputError(f"{path}: {error}") from None
    # with nothing frozen there is no fill to choose
    if config.freezing_rate == "0" and config.fill != "seed":
        return config.changed(fill="seed")
    return config


FIELDS = tuple(entry.name for entry in fields(RunConfig))
"""Names of the fields of a configuration."""
