"""What frozen weights do for a network, by experiment: scale them from nothing to full size.

    python benchmarks/base_scale.py [--data-dir DIR] [--jobs 2] [-o FILE.csv]

One mask, one set of trained values to begin with, and frozen weights `factor * w0`: a factor of 0
is the pruned twin, 1 the FreezeNet. Everything else is the recipe of
`benchmarks/accuracy/lenet-300-100-mnist.toml`. The 5,000 validation images score; the test set
is not touched. Rows are written as runs end, and runs that have a row are not repeated.
"""

import argparse
import csv
import statistics
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import torch

from freezepack.nn.overlay import Overlay
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import load_data
from freezepack.train.loop import Callback, Epoch, fit
from freezepack.train.session import begin

RATES = ("0.9", "0.95", "0.98", "0.99", "0.995", "0.999")
FACTORS = (0.0, 0.25, 0.5, 1.0, 2.0)
SEEDS = (1, 2, 3)
FIELDS = ("model", "data", "freezing_rate", "factor", "seed", "loss", "validation_accuracy")
Job = tuple[str, float, int]


class Last(Callback):
    """Keep the last epoch."""

    epoch: Epoch

    def on_epoch(self, epoch: Epoch) -> None:
        """Take note of it."""
        self.epoch = epoch


def run(job: Job, data_dir: str | None) -> dict[str, object]:
    """Train one network and return its row."""
    torch.set_num_threads(1)
    rate, factor, seed = job
    config = RunConfig(
        model="lenet-300-100",
        freezing_rate=rate,
        seed=seed,
        epochs=20,
        optimizer="adamw",
        weight_decay=0.03,
        precision="bfloat16",
    )
    data, last = load_data(config.data, data_dir), Last()
    session = begin(config, data)
    for module in session.model.modules():
        if isinstance(module, Overlay):  # trained positions of a base are never read
            module.base.mul_(factor)
    fit(session.model, session.optimizer, data, config, callbacks=[last])
    loss, accuracy = round(last.epoch.loss, 5), last.epoch.validation_accuracy
    return dict(zip(FIELDS, (config.model, config.data, *job, loss, accuracy), strict=True))


def show(rows: list[dict[str, str]]) -> str:
    """Return a Markdown table of validation accuracies: mean over seeds, in percent."""
    cells = defaultdict(list)
    for row in rows:
        key = row["freezing_rate"], float(row["factor"])
        cells[key].append(100 * float(row["validation_accuracy"]))
    factors = sorted({factor for _, factor in cells})
    lines = ["| freezing rate | " + " | ".join(f"{factor:g} w0" for factor in factors) + " |"]
    lines.append("|" + " --: |" * (1 + len(factors)))
    for rate in sorted({rate for rate, _ in cells}, key=float):
        found = [cells[rate, factor] for factor in factors]
        means = [
            f"{statistics.mean(cell):.2f} (n = {len(cell)})" if cell else "-" for cell in found
        ]
        lines.append(f"| {rate} | " + " | ".join(means) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run what has no row yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("benchmarks/results/base-scale.csv")
    )
    options = parser.parse_args()
    rows = []
    if options.output.exists():
        with options.output.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    done = {(row["freezing_rate"], float(row["factor"]), int(row["seed"])) for row in rows}
    jobs = [(r, f, s) for s, r, f in product(SEEDS, RATES, FACTORS) if (r, f, s) not in done]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run, job, options.data_dir) for job in jobs]):
            rows.append({key: str(value) for key, value in future.result().items()})
            with options.output.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
            print(f"{len(rows)} rows: {rows[-1]}", flush=True)
    print(show(rows))


if __name__ == "__main__":
    main()
