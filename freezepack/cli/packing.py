"""What `train` and `demo` share: train, pack, read the pack back, evaluate it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.checkpoints.read import read_state
from freezepack.export.architecture import build_from_metadata
from freezepack.files import write_output
from freezepack.format.reader import PackReader
from freezepack.pack.packer import pack_arrays
from freezepack.torch import load_into
from freezepack.train import run
from freezepack.train.folder import PACK

__all__ = ["PACK", "pack_and_read_back", "pack_checkpoint", "train_and_pack"]

if TYPE_CHECKING:
    from torch import nn

    from freezepack.train import Finished, Result, RunConfig


def pack_and_read_back(finished: Finished) -> nn.Module:
    """Pack the checkpoint of a run and return the network read back from the pack.

    It is evaluated in place of the trained one, so the accuracy is that of the file.
    """
    path = finished.out / PACK
    model = build_from_metadata(pack_checkpoint(finished.checkpoint, path))
    load_into(model, path)
    return model


def pack_checkpoint(checkpoint: Path, path: Path, **metadata: str) -> dict[str, str]:
    """Pack a checkpoint of ours with more metadata, all of which is returned.

    An older pack is replaced.
    """
    state = read_state(checkpoint)
    known = {**state.metadata, **metadata}
    packed = pack_arrays(state.arrays, claims=state.claims, aliases=state.aliases, metadata=known)
    write_output(path, packed.pieces, force=True)
    return known


def train_and_pack(
    config: RunConfig,
    out: Path,
    *,
    data_dir: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    force: bool = False,
    progress: bool | None = None,
    tensorboard: bool = False,
) -> Result:
    """Run a configuration, pack it, and write the accuracy of the pack into its metadata.

    The pack of an earlier run stays until the new run is complete. Resuming a run that has ended
    changes nothing.
    """
    result = run(
        config,
        out=out,
        data_dir=data_dir,
        device=device,
        resume=resume,
        force=force,
        progress=progress,
        tensorboard=tensorboard,
        on_finish=pack_and_read_back,
    )
    if is_first_process() and not _has_accuracy(out / PACK):
        accuracy = f"{result.test_accuracy:.4f} {config.data}"
        pack_checkpoint(result.checkpoint, out / PACK, accuracy=accuracy)
    return result


def is_first_process() -> bool:
    """Return whether this is the process that writes and reports, of those of `torchrun`."""
    return os.environ.get("RANK", "0") == "0"


def _has_accuracy(path: Path) -> bool:
    if not path.exists():
        return False
    with PackReader(path) as reader:
        return "accuracy" in reader.header.metadata
