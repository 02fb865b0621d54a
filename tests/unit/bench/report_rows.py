"""Rows of accuracy.csv that nobody has measured, for tests of the report."""

import csv
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COLUMNS = [
    *("experiment", "values", "config", "code", "commit", "model", "data", "method", "score"),
    *("strategy", "fill", "scheme", "freezing_rate", "seed", "options", "epochs", "weights"),
    *("trained_weights", "trained_other", "file_bytes", "rebuilt_bytes", "header_bytes"),
    *("index_bytes", "value_bytes", "validation_accuracy", "test_accuracy", "train_seconds"),
    *("wall_seconds", "threads", "device", "machine", "versions", "finished", "layers"),
]
LAYERS = {"conv1.weight": 500, "conv2.weight": 25_000, "fc1.weight": 400_000, "fc2.weight": 5_000}
SHARES = {"conv1.weight": 40, "conv2.weight": 5, "fc1.weight": 0.7, "fc2.weight": 6}


def make_row(**values: Any) -> dict[str, str]:
    """Return a row of lenet5-caffe on MNIST; bytes and layers follow from the freezing rate."""
    row: dict[str, Any] = {
        "experiment": "lenet5-mnist",
        "values": "lossless",
        "code": "c0de" * 4,
        "commit": "abcdef123456",
        "model": "lenet5-caffe",
        "data": "mnist",
        "method": "freeze",
        "score": "snip",
        "strategy": "one-shot",
        "fill": "seed",
        "scheme": "xavier_normal",
        "freezing_rate": "0.99",
        "seed": 1,
        "options": "{}",
        "epochs": 12,
        "weights": 430_500,
        "trained_other": 580,
        "rebuilt_bytes": 1_724_320,
        "validation_accuracy": 0.98,
        "test_accuracy": 0.985,
        "train_seconds": 90.0,
        "wall_seconds": 95.0,
        "threads": 1,
        "device": "cpu",
        "machine": "Some CPU",
        "versions": "python 3.11, torch 2.13",
        "finished": "2026-11-21T03:00:00Z",
        **values,
    }
    rate = float(row["freezing_rate"])
    trained = round((1 - rate) * row["weights"])
    row.setdefault("trained_weights", trained)
    bits = 32 if row["values"] == "lossless" else 5
    row.setdefault("header_bytes", 150)
    row.setdefault("index_bytes", round(trained * 0.45) if rate else 0)
    row.setdefault("value_bytes", round((trained + row["trained_other"]) * bits / 8))
    parts = ("header_bytes", "index_bytes", "value_bytes")
    row.setdefault("file_bytes", sum(int(row[part]) for part in parts))
    row.setdefault("layers", json.dumps(_layers(rate)))
    row.setdefault("config", _hash(row))
    return {name: str(row[name]) for name in COLUMNS}


def make_rows() -> list[dict[str, str]]:
    """Return a report's worth: sweeps, methods, schemes and grids, with some cells missing."""
    rows = [make_row(freezing_rate="0", seed=s, **_errors(0.6, s)) for s in (1, 2, 3)]
    for number, rate in enumerate(("0.9", "0.95", "0.98", "0.99", "0.995", "0.998", "0.999")):
        for seed in (1, 2, 3):
            for fill, worse in (("seed", 1.0), ("zeros", 1.15 + 0.2 * number)):
                error = 0.7 * 1.35**number * worse
                some = {"freezing_rate": rate, "seed": seed, "fill": fill}
                if (rate, fill) != ("0.998", "zeros") and (rate, seed) != ("0.95", 3):
                    rows.append(make_row(**some, **_errors(error, seed)))
                if rate > "0.97" and fill == "seed":
                    for grid, lost in (("grid:auto", 1.02), ("grid:2", 1.3)):
                        rows.append(make_row(**some, values=grid, **_errors(error * lost, seed)))
    for score, strategy in (("random", "one-shot"), ("synflow", "iterative"), ("snip", "force")):
        for seed in (1, 2, 3):
            for fill, error in (("seed", 1.9), ("zeros", 2.6)):
                what = {"score": score, "strategy": strategy, "fill": fill}
                options = '{"strategy_args":{"steps":100}}' if strategy != "one-shot" else "{}"
                some = {"freezing_rate": "0.99", "seed": seed, "options": options, **what}
                rows.append(make_row(experiment="methods-lenet5", **some, **_errors(error, seed)))
    for scheme in ("kaiming_normal", "signed_constant"):
        for seed in (1, 2):
            some = {"freezing_rate": "0.995", "seed": seed, "scheme": scheme}
            rows.append(make_row(experiment="schemes-lenet5", **some, **_errors(2.2, seed)))
    return rows


def write_rows(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _errors(percent: float, seed: int) -> dict[str, float]:
    """Return accuracies around an error."""
    test = percent * (1 + 0.04 * (seed - 2))
    return {
        "test_accuracy": round(1 - test / 100, 6),
        "validation_accuracy": round(1 - 1.1 * test / 100, 6),
    }


def _layers(rate: float) -> dict[str, list[int]]:
    return {
        name: [min(round(size * (1 - rate) * SHARES[name]), size), size]
        for name, size in LAYERS.items()
    }


def _hash(row: dict[str, Any]) -> str:
    """Return what stands for the hash of a configuration: of all that decides a result."""
    names = ["model", "data", "method", "score", "strategy", "fill", "scheme", "freezing_rate"]
    text = "|".join(str(row[name]) for name in [*names, "seed", "options", "epochs"])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
