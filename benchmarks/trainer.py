"""Speed of the trainer beside a bare PyTorch loop, in the same run.

    python benchmarks/trainer.py [--model lenet5-caffe] [--rounds 12] [--threads 1]

Rounds of 20 steps of 100 images alternate between our trainer at a freezing rate, our trainer
dense, and bare loops over ready float32 images: forward, backward, `torch.optim.Adam`, nothing
else, in both memory layouts. What other programs do to the machine hits all alike; a ratio is the
median over the rounds of ours divided by bare of the same round. Random images: time does not
depend on them.
"""

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable
from time import perf_counter

import torch
import torch.nn.functional as F

from freezepack.models.build import build_model
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import Dataset, Split
from freezepack.train.loop import Callback, Epoch, fit
from freezepack.train.session import begin

STEPS, BATCH = 20, 100


class Clock(Callback):
    """Keep the speed of the last epoch."""

    speed = 0.0

    def on_epoch(self, epoch: Epoch) -> None:
        """Take the time of training alone."""
        self.speed = epoch.examples / epoch.seconds


def make_data() -> Dataset:
    """Return random images of the shape of MNIST's."""
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        images = torch.randint(0, 256, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
        return Split(images, torch.randint(0, 10, (count,), generator=generator))

    splits = {"train": split(STEPS * BATCH), "validation": split(BATCH)}
    return Dataset("digits", splits, torch.full((1, 1, 1), 33.0), torch.full((1, 1, 1), 79.0), 10)


def make_ours(data: Dataset, model: str, rate: str) -> Callable[[], float]:
    """Return a round of our trainer: shuffling, batches, normalisation, schedule, steps."""
    config = RunConfig(model=model, data="digits", freezing_rate=rate, epochs=1, lr=1e-3)
    session, clock = begin(config, data), Clock()

    def round_of_steps() -> float:
        fit(session.model, session.optimizer, data, config, callbacks=[clock])
        return clock.speed

    return round_of_steps


def make_bare(data: Dataset, name: str, channels_last: bool) -> Callable[[], float]:
    """Return a round of the shortest dense loop that PyTorch allows."""
    model = build_model(name)
    inputs, labels = data.batch(data.split("train"), slice(None))
    if channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def round_of_steps() -> float:
        began = perf_counter()
        for start in range(0, len(labels), BATCH):
            optimizer.zero_grad()
            loss = F.cross_entropy(
                model(inputs[start : start + BATCH]), labels[start : start + BATCH]
            )
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return len(labels) / (perf_counter() - began)

    return round_of_steps


def measure(model: str, rounds: int) -> dict[str, list[float]]:
    """Return samples per second of each contestant, round by round."""
    data = make_data()
    contestants = {
        "ours q=0.995": make_ours(data, model, "0.995"),
        "ours dense": make_ours(data, model, "0"),
        "bare dense": make_bare(data, model, channels_last=False),
        "bare dense, channels-last": make_bare(data, model, channels_last=True),
    }
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, round_of_steps in contestants.items():
            speed = round_of_steps()
            if number:  # the first round warms up
                speeds[name].append(speed)
    return speeds


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lenet5-caffe")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    speeds = measure(options.model, options.rounds)
    rows: list[tuple[str, float, dict[str, float]]] = []
    for name, found in speeds.items():
        ratios = {
            bare: statistics.median(
                ours / theirs for ours, theirs in zip(found, speeds[bare], strict=True)
            )
            for bare in speeds
            if bare.startswith("bare")
        }
        rows.append((name, statistics.median(found), ratios))
    about = {
        "model": options.model,
        "rounds": options.rounds,
        "threads": options.threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    if options.json:
        names = ("name", "samples_per_second", "over")
        table = [dict(zip(names, row, strict=True)) for row in rows]
        json.dump({**about, "rows": table}, sys.stdout, indent=2)
        return
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    bares = [name for name in speeds if name.startswith("bare")]
    print(f"{'':28}{'samples/s':>10}" + "".join(f"{'/ ' + bare:>30}" for bare in bares))
    for name, speed, ratios in rows:
        columns = "".join(f"{ratios[bare]:30.2f}" for bare in bares)
        print(f"{name:28}{speed:10.0f}{columns}")


if __name__ == "__main__":
    main()
