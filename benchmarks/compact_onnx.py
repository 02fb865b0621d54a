"""What a compact ONNX model costs to load and to run, beside the dense model.

    python benchmarks/compact_onnx.py PACK [--arithmetic u64] [--threads 1]

Prints a Markdown table: bytes of the files; seconds to create a session, the lowest of several,
each in a process of its own; the most memory that process held beyond its imports; and the latency
of one image, compact and dense in turns in one process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

RUNS = 3
TURNS = 40
CHILD = ("--child",)


def peak() -> float:
    """Return the most MiB of memory that this process has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def options(threads: int) -> Any:
    """Return session options for a quiet, single-threaded session."""
    found = ort.SessionOptions()
    found.intra_op_num_threads = threads
    found.log_severity_level = 3
    return found


def create(files: list[Path], threads: int) -> Any:
    """Create a session of one file, or of generator and skeleton."""
    if len(files) == 1:
        return ort.InferenceSession(
            files[0].read_bytes(), options(threads), providers=["CPUExecutionProvider"]
        )
    from freezepack.export.compact.loader import load_session

    return load_session(*files, options=options(threads))


def child(files: list[Path], threads: int) -> None:
    """Measure one creation and print it as JSON."""
    before = peak()
    start = time.perf_counter()
    session = create(files, threads)
    seconds = time.perf_counter() - start
    out = session.run(None, {session.get_inputs()[0].name: image(session)})[0]
    print(
        json.dumps(
            {"seconds": seconds, "mib": peak() - before, "sum": out.view(np.uint32).sum().item()}
        )
    )


def image(session: Any) -> Any:
    """Return one random image."""
    shape = [size if isinstance(size, int) else 1 for size in session.get_inputs()[0].shape]
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def measure(files: list[Path], threads: int) -> tuple[float, float, int]:
    """Return seconds and MiB of creating a session, and a sum of its output's bits."""
    found = []
    for _ in range(RUNS):
        command = [sys.executable, __file__, *CHILD, "--threads", str(threads), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    sums = {each["sum"] for each in found}
    if len(sums) != 1:
        raise RuntimeError(f"{files} gave different outputs")
    return (
        min(each["seconds"] for each in found),
        statistics.median(each["mib"] for each in found),
        sums.pop(),
    )


def latency(first: Any, second: Any) -> tuple[float, float, float]:
    """Return milliseconds of two sessions and the median ratio of their turns."""
    x = image(first)
    times: tuple[list[float], list[float]] = ([], [])
    loops = 1
    for turn in range(TURNS):
        order = (0, 1) if turn % 2 else (1, 0)
        for which in order:
            session = (first, second)[which]
            feed = {session.get_inputs()[0].name: x}
            session.run(None, feed)
            start = time.perf_counter()
            for _ in range(loops):
                session.run(None, feed)
            times[which].append((time.perf_counter() - start) / loops)
        loops = max(1, int(0.02 / times[0][-1]))
    ratios = [a / b for a, b in zip(*times, strict=True)]
    return min(times[0]) * 1e3, min(times[1]) * 1e3, statistics.median(ratios[1:])


def write(pack: str, folder: Path, arithmetic: str) -> dict[str, list[Path]]:
    """Write all forms of a pack's network."""
    import freezepack
    from freezepack.export.compact import compact_model, estimate_memory, two_file
    from freezepack.export.onnx_dense import dense_model

    with freezepack.open(pack) as file:
        dense = dense_model(file, lean=True)
        compact = compact_model(dense, file, arithmetic=arithmetic)
        pair = two_file(dense, file, arithmetic=arithmetic)
        print(estimate_memory(file.header, arithmetic=arithmetic), file=sys.stderr)
    names = {"dense": [dense], "compact": [compact], "two files": list(pair)}
    written = {}
    for name, models in names.items():
        written[name] = [folder / f"{name.split()[0]}{i}.onnx" for i in range(len(models))]
        for path, model in zip(written[name], models, strict=True):
            path.write_bytes(model.SerializeToString())
    return written


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", nargs="+")
    parser.add_argument("--arithmetic", choices=("i64", "u64"), default="i64")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--child", action="store_true")
    args = parser.parse_args()
    if args.child:
        child([Path(name) for name in args.pack], args.threads)
        return
    with tempfile.TemporaryDirectory() as name:
        forms = write(args.pack[0], Path(name), args.arithmetic)
        print("| model | file B | create s | peak MiB | run ms | same output |")
        print("|---|---|---|---|---|---|")
        dense = create(forms["dense"], args.threads)
        wanted = None
        for form, files in forms.items():
            size = " + ".join(f"{path.stat().st_size:,}" for path in files)
            seconds, mib, found = measure(files, args.threads)
            wanted = found if wanted is None else wanted
            run, _, ratio = latency(create(files, args.threads), dense)
            shown = "" if form == "dense" else f" ({ratio:.3f} of dense)"
            same = "yes" if found == wanted else "NO"
            print(f"| {form} | {size} | {seconds:.3f} | {mib:.0f} | {run:.3f}{shown} | {same} |")


if __name__ == "__main__":
    main()
