"""The benchmark of GPUs runs, and its tables are whole, where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "gpu.py"


@pytest.mark.slow
@pytest.mark.skipif(not SCRIPT.exists(), reason="benchmarks are not installed")
def test_the_benchmark_of_gpus_runs_on_the_cpu(tmp_path: Path) -> None:
    sizes = ["--elements", "50000", "--bytes", "1000000", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--device", "cpu", *sizes, "--out", str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    text = (tmp_path / "gpu.md").read_text()
    assert text == done.stdout[: len(text)]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 3 + 21 + 7 + 2
    assert sum(row.startswith("| torch normal float32") for row in rows) == 3
    assert "| fast.fpk, torch |" in text
