"""Time of `import freezepack` and of `freezepack --help`, beside an empty Python.

python benchmarks/startup.py [--rounds 15]
"""

import argparse
import statistics
import subprocess
import sys
from time import perf_counter

CASES = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import freezepack": [sys.executable, "-c", "import freezepack"],
    "freezepack --help": [sys.executable, "-m", "freezepack", "--help"],
    "import freezepack.numpy": [sys.executable, "-c", "import freezepack.numpy"],
}


def main() -> None:
    """Run every case in turn, round after round, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds):
        for name, command in CASES.items():
            start = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(perf_counter() - start)
    for name, seconds in times.items():
        print(f"{name:24} {statistics.median(seconds):.3f} s")


if __name__ == "__main__":
    main()
