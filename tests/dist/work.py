"""What each process of a test of several processes does; started by `torchrun`."""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from freezepack.nn.state import unwrap
from freezepack.train import RunConfig
from freezepack.train.data.dataset import load_data
from freezepack.train.ranks import join_ranks
from freezepack.train.session import begin


def main(out: Path) -> None:
    """Take a step and write what was selected and what was sent."""
    torch.set_num_threads(1)
    ranks = join_ranks("cpu")
    data = load_data("digits")
    config = RunConfig(model="lenet5-caffe", data="digits", freezing_rate="0.99", score_batch=101)
    session = begin(config, data, ranks=ranks)
    model = ranks.wrap(session.model)
    assert isinstance(model, DistributedDataParallel)
    sent = 0

    def count(state, bucket):  # type: ignore[no-untyped-def]  # torch checks the annotations
        nonlocal sent
        sent += bucket.buffer().numel() * bucket.buffer().element_size()
        done = dist.all_reduce(bucket.buffer(), async_op=True).get_future()
        return done.then(lambda f: f.value()[0] / ranks.size)

    model.register_comm_hook(None, count)
    where, factor = ranks.take(torch.arange(15))
    inputs, labels = data.batch(data.split("train"), where)
    (nn.functional.cross_entropy(model(inputs), labels) * factor).backward()  # type: ignore[no-untyped-call]
    gradients = {n: p.grad for n, p in unwrap(model).named_parameters() if p.grad is not None}
    torch.save(
        {
            "masks": {k: torch.from_numpy(m) for k, m in session.record.masks.items()},
            "gradients": gradients,
        },
        out / f"{ranks.rank}.pt",
    )
    (out / f"{ranks.rank}.json").write_text(json.dumps({"sent": sent}))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
