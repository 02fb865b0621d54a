"""Time of `import freezepack` and of the command line, beside an empty Python."""

import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from freezepack.bench.speed.turns import Job, Pace, take_turns

EMPTY = "python -c pass"
COMMANDS = {
    EMPTY: ("-c", "pass"),
    "import freezepack": ("-c", "import freezepack"),
    "freezepack --help": ("-m", "freezepack", "--help"),
    "import numpy": ("-c", "import numpy"),
    "import freezepack.numpy": ("-c", "import freezepack.numpy"),
}
PACE = Pace(most=15, least=5, seconds=1.5)
Row = dict[str, str | float | int]


def measure_startup(pace: Pace = PACE) -> list[Row]:
    """Start Python with each of `COMMANDS` in turn, round after round."""
    jobs = {name: Job(partial(_start, arguments)) for name, arguments in COMMANDS.items()}
    found = take_turns(jobs, pace)
    empty = found[EMPTY].median
    return [
        {
            "command": name,
            "seconds": timing.median,
            "seconds_beyond_python": timing.median - empty,
            "rounds": len(timing.seconds),
        }
        for name, timing in found.items()
    ]


def _start(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
