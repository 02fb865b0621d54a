"""What each of two processes does: train with batch normalisation, and write its statistics."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from freezepack.nn.state import unwrap
from freezepack.train.config import RunConfig
from freezepack.train.loop import fit
from freezepack.train.optimizer import build_optimizer
from freezepack.train.ranks import join_ranks
from tests.unit.train.test_batch_norm import COUNT, Normalised, make_data


def main(out: Path) -> None:
    """Take two steps of the whole data."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    ranks, model = join_ranks("cpu"), Normalised()
    config = RunConfig(data="digits", epochs=2, batch_size=COUNT, lr=0.1, schedule="constant")
    fit(model, build_optimizer(config, model), make_data(), config, ranks=ranks)
    torch.save(unwrap(model).state_dict(), out / f"{ranks.rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
