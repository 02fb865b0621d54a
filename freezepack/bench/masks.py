"""SNIP masks of untrained networks, from seeded weights and a drawn score batch; cached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freezepack.bench.cases import Case
from freezepack.format.layout import layout_of
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights, fill_module
from freezepack.nn.state import named_state
from freezepack.random import fill_raw
from freezepack.scores.snip import snip
from freezepack.scores.task import ScoreTask
from freezepack.selection.topk import select
from freezepack.train.data.dataset import load_data
from freezepack.train.order import Purpose, draw_order
from freezepack.types import DType, Init, Positions

VERSION = 1
"""Changes with what a cached mask means."""


@dataclass(frozen=True, slots=True)
class TensorMask:
    """One weight's mask and what its base is drawn from."""

    name: str
    shape: tuple[int, ...]
    init: Init
    positions: Positions
    """Trained positions in the tensor, in C order."""

    @property
    def size(self) -> int:
        """Entries of the weight."""
        return layout_of(self.shape).size

    def patterns(self, seed: int, start: int, size: int) -> NDArray[np.uint32]:
        """Return the float32 patterns of a run of the seeded base."""
        out = np.empty(size, np.uint32)
        fill_raw(out, DType.float32, key=seed, init=self.init, start=start)
        return out


@dataclass(frozen=True, slots=True)
class NetworkMask:
    """The mask of a network: tensors in file order."""

    case: Case
    seed: int
    rate: str
    tensors: tuple[TensorMask, ...]

    @property
    def size(self) -> int:
        """Eligible weights."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def count(self) -> int:
        """Trained weights."""
        return sum(tensor.positions.size for tensor in self.tensors)


def snip_masks(
    case: Case, seed: int, rates: Sequence[str], data_dir: Path | None, cache: Path
) -> dict[str, NetworkMask]:
    """Return the SNIP masks of a network at several freezing rates, computed or from the cache.

    Parameters
    ----------
    case : Case
        Network, data and batch.
    seed : int
        Key of weights and score batch.
    rates : sequence of str
        Freezing rates; one pass over the batch serves all.
    data_dir : Path or None
        Parent of the data set's folder.
    cache : Path
        Folder for masks, one file for each; made if it is missing.

    Returns
    -------
    dict of rate to NetworkMask
    """
    model = build_model(case.network, dict(case.arguments))
    inits = fill_module(model, seed)
    names = eligible_weights(model)
    shapes = {name: tuple(model.get_parameter(name).shape) for name in names}
    paths = {rate: cache / f"{case.label}-q{rate}-s{seed}-v{VERSION}.npz" for rate in rates}
    missing = [rate for rate, path in paths.items() if not path.is_file()]
    if missing:
        data = load_data(case.data, data_dir, ("train",))
        train = data.split("train")
        order = draw_order(len(train), Purpose.score_batch, seed=seed)[: case.batch]
        inputs, targets = data.batch(train, order)
        task = ScoreTask(names, named_state(model).streams, seed, inputs, targets)
        scores = {name: score.numpy() for name, score in snip(model, task).items()}
        cache.mkdir(parents=True, exist_ok=True)
        for rate in missing:
            masks = select(scores, rate)
            arrays: dict[str, Any] = {k: np.flatnonzero(mask) for k, mask in masks.items()}
            np.savez_compressed(paths[rate], **arrays)
    found: dict[str, NetworkMask] = {}
    for rate, path in paths.items():
        with np.load(path, allow_pickle=False) as stored:
            tensors = (_tensor(name, shapes, inits, stored[name]) for name in names)
            found[rate] = NetworkMask(case, seed, rate, tuple(tensors))
    return found


def _tensor(
    name: str,
    shapes: Mapping[str, tuple[int, ...]],
    inits: Mapping[str, Init],
    positions: NDArray[np.int64],
) -> TensorMask:
    return TensorMask(name, shapes[name], inits[name], positions.astype(np.uint32))
