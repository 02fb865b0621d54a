"""What `train` and `demo` share: train, pack, read the pack back, evaluate it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.checkpoints.read import read_state
from freezepack.export.architecture import build_from_metadata
from freezepack.files import write_output
from freezepack.pack.packer import pack_arrays
from freezepack.torch import load_into
from freezepack.train import run

if TYPE_CHECKING:
    from torch import nn

    from freezepack.train import Finished, Result, RunConfig

PACK = "model.fpk"


@dataclass(frozen=True, slots=True)
class PackWriter:
    """Packs the checkpoint of a run, with its metadata.

    Called when training is over: what it returns, the network read back from the pack, is
    evaluated in place of the trained one.
    """

    force: bool = False

    def __call__(self, finished: Finished) -> nn.Module:
        """Write the pack and return the network in it."""
        path = finished.out / PACK
        extra = {"configuration_hash": finished.config.hash}
        write_pack(finished.checkpoint, path, extra)
        state = read_state(finished.checkpoint)
        model = build_from_metadata(state.metadata)
        load_into(model, path)
        return model


def write_pack(checkpoint: Path, path: Path, metadata: dict[str, str]) -> None:
    """Pack a checkpoint of ours with more metadata; an older pack is replaced."""
    state = read_state(checkpoint)
    packed = pack_arrays(
        state.arrays,
        claims=state.claims,
        aliases=state.aliases,
        metadata={**state.metadata, **metadata},
    )
    write_output(path, packed.pieces, force=True)


def train_and_pack(
    config: RunConfig,
    out: Path,
    *,
    data_dir: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    force: bool = False,
    progress: bool | None = None,
) -> Result:
    """Run a configuration, pack it, and write the accuracy of the pack into its metadata."""
    result = run(
        config,
        out=out,
        data_dir=data_dir,
        device=device,
        resume=resume,
        force=force,
        progress=progress,
        on_finish=PackWriter(),
    )
    accuracy = {"accuracy": f"{result.test_accuracy:.4f}", "configuration_hash": config.hash}
    write_pack(result.checkpoint, out / PACK, accuracy)
    return result
