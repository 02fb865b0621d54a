"""The curve of error against bytes: networks trained for their file, several seeds each.

python benchmarks/rate.py [--plan benchmarks/rate.toml] [--only NAME ...] [--seeds 1 2 3]

Each run is `freezepack.rate.run_rate` of one point of the plan. What it came to is one row of
`results/rate.csv`, written as the run ends, and its file is kept in `results/packs/rate`. Rows are
keyed by the hash of the configuration: a run whose row is there is not repeated, one that was
interrupted goes on. Validation images choose; the test set is scored once, by the written file.
`results/rate.md` has mean and spread of each point.
"""

import argparse
import csv
import shutil
import statistics
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from freezepack.files import write_output
from freezepack.rate import RateConfig, RateResult, run_rate
from freezepack.train.folder import METRICS
from freezepack.train.logs import read_metrics

HERE = Path(__file__).parent
TABLE, TEXT = HERE / "results" / "rate.csv", HERE / "results" / "rate.md"
PACKS = HERE / "results" / "packs" / "rate"
FIELDS = (
    "point",
    "config",
    "seed",
    "model",
    "target_bytes",
    "rate_weight",
    "file_bytes",
    "estimated_bytes",
    "trained_weights",
    "validation_error",
    "test_error",
    "epochs",
    "augmentation",
    "plain",
    "teacher",
    "trimmed",
    "seconds",
    "torch",
    "finished",
)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plan", type=Path, default=HERE / "rate.toml")
    parser.add_argument("--only", nargs="*", help="Points of the plan.")
    parser.add_argument("--seeds", nargs="*", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs") / "rate")
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    plan = toml.loads(given.plan.read_text(encoding="utf-8"))
    for name, config in _runs(plan, given.seeds):
        if given.only and name not in given.only:
            continue
        if any(row["config"] == config.hash for row in _read()):
            continue
        folder = given.out / config.hash
        result = run_rate(config, out=folder, data_dir=given.data_dir, resume=True)
        _keep(name, config, result, folder)


def _runs(plan: Mapping[str, Any], seeds: list[int] | None) -> Iterator[tuple[str, RateConfig]]:
    """Yield seed by seed, so that every point has one run early."""
    for seed in seeds or plan["seeds"]:
        for name, fields in plan["points"].items():
            yield name, RateConfig(**{**plan["common"], **fields, "seed": seed})


def _keep(name: str, config: RateConfig, result: RateResult, folder: Path) -> None:
    PACKS.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(result.pack, PACKS / f"{name}-s{config.seed}.fpk")
    epochs = [line for line in read_metrics(folder / METRICS) if line["event"] == "epoch"]
    row = {
        "point": name,
        "config": config.hash,
        "seed": config.seed,
        "model": config.model,
        "target_bytes": config.target_bytes or "",
        "rate_weight": f"{result.rate_weight:.3e}",
        "file_bytes": result.file_bytes,
        "estimated_bytes": epochs[-1]["estimated_bytes"],
        "trained_weights": result.trained_weights,
        "validation_error": f"{100 * (1 - result.validation_accuracy):.2f}",
        "test_error": f"{100 * (1 - result.test_accuracy):.2f}",
        "epochs": config.epochs,
        "augmentation": config.augmentation,
        "plain": config.plain,
        "teacher": config.teacher,
        "trimmed": result.trimmed,
        "seconds": f"{result.seconds:.0f}",
        "torch": torch.__version__,
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    rows = [*_read(), {key: str(value) for key, value in row.items()}]
    with TABLE.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_output(TEXT, [_describe(rows).encode()], force=True)


def _read() -> list[dict[str, str]]:
    if not TABLE.exists():
        return []
    with TABLE.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _describe(rows: list[dict[str, str]]) -> str:
    """Return a table with a line for each point: mean, and lowest to highest."""
    lines = [
        "| point | runs | bytes | validation error % | test error % |",
        "|---|---|---|---|---|",
    ]
    for point in dict.fromkeys(row["point"] for row in rows):
        own = [row for row in rows if row["point"] == point]
        cells = [
            _spread([float(row[key]) for row in own], digits)
            for key, digits in (("file_bytes", 0), ("validation_error", 2), ("test_error", 2))
        ]
        lines.append(f"| {point} | {len(own)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _spread(numbers: list[float], digits: int) -> str:
    mean = f"{statistics.fmean(numbers):.{digits}f}"
    if len(numbers) == 1:
        return mean
    return f"{mean} ({min(numbers):.{digits}f} to {max(numbers):.{digits}f})"


if __name__ == "__main__":
    main()
