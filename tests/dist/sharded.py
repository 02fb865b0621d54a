"""What each of two processes does: shard a frozen model, train it, compare with a whole one."""

import copy
import os

import torch.distributed as dist
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import freezepack.torch as fpk
from freezepack.nn.state import dense_state
from freezepack.train.freezing import check_frozen
from tests.unit.train.modules import equal, fresh, train


def main() -> None:
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (int(os.environ["WORLD_SIZE"]),))
    for name in ("transformer", "group norm"):
        model, batch = fresh(name)
        fpk.freeze(model, rate="0.7", batch=batch, seed=3)
        alone, gathered = copy.deepcopy(model), copy.deepcopy(model)
        fully_shard(model, mesh=mesh)
        sizes = [p.to_local().numel() for p in model.parameters()]  # type: ignore[attr-defined]
        if not sum(sizes) < 0.6 * sum(p.numel() for p in alone.parameters()):
            raise SystemExit(f"{name} is not sharded: {sizes}")
        train(model, batch)
        train(alone, batch)
        full = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
        gathered.load_state_dict(full)
        check_frozen(gathered)
        if not equal(dense_state(gathered), dense_state(alone)):
            raise SystemExit(f"{name} differs")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
