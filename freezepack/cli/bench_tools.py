"""What `freezepack bench accuracy` does of a run, by what other commands are made of."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.bench.accuracy.work import Tools

if TYPE_CHECKING:
    from freezepack.bench.accuracy.work import Place
    from freezepack.train import Result, RunConfig


def train_run(config: RunConfig, folder: Path, place: Place) -> Result:
    """Train and pack, or go on with it."""
    from freezepack.cli.packing import train_and_pack

    return train_and_pack(
        config,
        folder,
        data_dir=place.data_dir,
        device=place.device,
        resume=True,
        progress=False,
    )


def round_run(checkpoint: Path, values: str, path: Path, config: RunConfig, place: Place) -> None:
    """Write a lossy pack, as `freezepack pack --values VALUES --data DATA` does."""
    from freezepack.checkpoints.bases import claim_base, parse_base
    from freezepack.checkpoints.read import read_state
    from freezepack.cli.rounding import Yardstick, is_lossy, round_state
    from freezepack.files import write_output
    from freezepack.pack.packer import pack_arrays

    with ExitStack() as stack:
        state = read_state(checkpoint)
        claims, bases = claim_base(parse_base(None), state, stack)
        yardstick = Yardstick(config.data, place.data_dir) if is_lossy(values) else Yardstick()
        rounded = round_state(state, claims, bases, values, yardstick)
        packed = pack_arrays(
            rounded.arrays if rounded else state.arrays,
            claims=claims,
            aliases=state.aliases,
            metadata=state.metadata,
            bases=bases,
            values="auto" if rounded else values,
            codecs=rounded.codecs if rounded else None,
            partial=state.partial,
        )
    write_output(path, packed.pieces, force=True)


def score_pack(path: Path, config: RunConfig, place: Place) -> float:
    """Return the accuracy on the test set of the network in a pack."""
    from freezepack.checkpoints.read import read_state
    from freezepack.cli.networks import network_of
    from freezepack.train import evaluate, load_data

    network = network_of(read_state(path))
    data = load_data(config.data, place.data_dir, splits=("test",), device=place.device)
    return evaluate(network.to(place.device), data, "test")


TOOLS = Tools(train=train_run, round=round_run, score=score_pack)
