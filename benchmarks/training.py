"""Time, memory and optimiser state of one training step, beside dense training and masking.

python benchmarks/training.py [--models lenet-300-100 ...] [--rounds 15] [--write]

Five ways train the same network on the same random batch of 100, with Adam, channels-last:

- `dense`: every weight is trained. Adam makes one pass over all values (`fused=True`).
- `masking, plain`: the gradient of each weight is multiplied by a mask after the backward pass.
  Adam as torch makes it when nothing is asked for: a loop over tensors and operations.
- `masking`: the same with the fused Adam, which is the fastest that gradient masking can be made
  without leaving torch. Ratios are to this one, and to the plain one in a column of its own.
- `freezepack`: frozen at a rate of 0.995, by SNIP's scores of random images. Masks are the same.
- `floor`: no weight is trained, only biases and normalisation, and convolutions are kept from the
  gradients of weights that oneDNN computes along with those of biases. Forward pass and gradients
  of inputs are left, which no method can skip: its ratio is the highest that freezing can have.

The ways take turns, round by round; what other programs do to the machine hits all alike. A ratio
is the median over the rounds of masking divided by the way, within a round. Processor time of the
thread is measured, so one thread. Memory is that of a fresh process for each way: the growth of
its resident memory while network and optimiser are made and three steps taken (`peak`), and what
network, gradients, masks and optimiser hold between steps (`held`), counted in tensors.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from freezepack.bench.machine import describe_machine
from freezepack.models.build import build_model
from freezepack.nn.fill import fill_module
from freezepack.nn.frozen import find_overlays, freeze_weights
from freezepack.train.config import RunConfig
from freezepack.train.freezing import freeze
from freezepack.train.optimizer import build_optimizer

MODELS = ("lenet-300-100", "lenet5-caffe", "resnet-18")
WAYS = ("dense", "masking, plain", "masking", "freezepack", "floor")
RATE, BATCH, SEED = "0.995", 100, 1
RESULTS = Path(__file__).parent / "results"
Step = Callable[[], None]
Masks = Mapping[str, NDArray[np.bool_]]


def main() -> None:
    """Measure and print tables, or print the memory of one way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--score", default="snip")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--write", action="store_true", help="write results/training-cost.*")
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory:
        print(json.dumps(measure_memory(*map(str, options.memory), precision=options.precision)))
        return
    rows = [row for model in options.models for row in measure(model, options)]
    table = format_table(rows, options)
    print(table)
    if options.write:
        (RESULTS / "training-cost.md").write_text(table)
        with (RESULTS / "training-cost.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def measure(model: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row for each way of training a model."""
    masks = select(model, options.score)
    steps = {way: make_step(model, way, masks, options.precision)[0] for way in WAYS}
    # a step of resnet-18 takes two seconds, one of lenet-300-100 a millisecond
    repeats = {"lenet-300-100": 20, "lenet5-caffe": 3}.get(model, 1)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(options.rounds + 1):
        for way, step in steps.items():
            began = time.thread_time()
            for _ in range(repeats):
                step()
            if number:  # the first round warms up
                times[way].append((time.thread_time() - began) / repeats)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "masks.npz"
        np.savez(path, **masks)  # type: ignore[arg-type]
        for way in WAYS:
            memory = start_memory(model, way, path, options.precision)
            yield {
                "model": model,
                "precision": options.precision,
                "way": way,
                "ms": round(statistics.median(times[way]) * 1e3, 3),
                "faster_than_masking": ratio(times["masking"], times[way]),
                "faster_than_plain_masking": ratio(times["masking, plain"], times[way]),
                **memory,
            }


def ratio(one: list[float], other: list[float]) -> float:
    """Return the median of the quotients."""
    return round(statistics.median(a / b for a, b in zip(one, other, strict=True)), 3)


def make_step(
    model: str, way: str, masks: Masks, precision: str
) -> tuple[Step, Callable[[], dict[str, int]]]:
    """Build a network; return a step of its training, and what counts the bytes it holds."""
    network = build_model(model)
    fill_module(network, SEED)
    inputs, labels = make_batch(network)
    if way in ("freezepack", "floor"):
        kept = {n: m if way == "freezepack" else np.zeros_like(m) for n, m in masks.items()}
        freeze_weights(network, kept)
    if way == "floor":
        spare_convolutions(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = inputs.contiguous(memory_format=layout_of(inputs))
    masked: dict[nn.Parameter, Tensor] = {}
    if way.startswith("masking"):
        for name, mask in masks.items():
            weight = network.get_parameter(name)
            factor = torch.from_numpy(mask).float()  # bools take twice as long to multiply by
            masked[weight] = factor.contiguous(memory_format=layout_of(factor))
    trained = [p for p in network.parameters() if p.requires_grad]
    if way == "masking, plain":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(trained, 1e-3)
    else:
        config = RunConfig(model=model, data="digits", lr=1e-3)
        optimizer = build_optimizer(config, network)
    mixed = precision == "bfloat16"

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            outputs = network(inputs)
        F.cross_entropy(outputs.float(), labels).backward()  # type: ignore[no-untyped-call]
        for parameter, mask in masked.items():
            assert parameter.grad is not None
            parameter.grad.mul_(mask)
        optimizer.step()

    def held() -> dict[str, int]:
        state = [v for entry in optimizer.state.values() for v in entry.values() if v.dim()]
        grads = [p.grad for p in trained if p.grad is not None]
        others = [*network.parameters(), *network.buffers(), *masked.values(), *copies(network)]
        return {"optimizer_bytes": count(state), "held_bytes": count([*others, *grads, *state])}

    network.train()
    return step, held


def make_batch(network: Any) -> tuple[Tensor, Tensor]:
    """Return random images and labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, *network.input_shape, generator=generator)
    return images, torch.arange(BATCH) % int(network.classes)


def select(model: str, score: str) -> Masks:
    """Return which weights are trained."""
    network = build_model(model)
    inputs, labels = make_batch(network)
    return freeze(network, rate=RATE, score=score, batch=(inputs, labels), seed=SEED).masks


def spare_convolutions(network: nn.Module) -> None:
    """Let frozen convolutions compute the gradients of inputs and biases alone."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.forward = partial(convolve, module)  # type: ignore[method-assign]


def convolve(module: nn.Conv2d, images: Tensor) -> Tensor:
    """Return what the module does, without a gradient of its weight."""
    weight: Tensor = module.parametrizations.weight[0].base  # type: ignore[union-attr,index]
    options = module.stride, module.padding, module.dilation
    result: Tensor = InputGradient.apply(images, weight, module.bias, options)  # type: ignore[no-untyped-call]
    return result


class InputGradient(torch.autograd.Function):
    """A convolution whose weight is constant."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, options: tuple[Any, ...]
    ) -> Tensor:
        ctx.options = options
        ctx.save_for_backward(images, weight)
        return F.conv2d(images, weight, bias, *options)

    @staticmethod
    def backward(  # noqa: D102
        ctx: Any, *grads: Tensor
    ) -> tuple[Tensor | None, None, Tensor | None, None]:
        images, weight = ctx.saved_tensors
        wanted = [ctx.needs_input_grad[0], False, False]
        above = torch.ops.aten.convolution_backward(
            grads[0], images, weight, None, *ctx.options, False, [0, 0], 1, wanted
        )[0]
        return above, None, grads[0].sum((0, 2, 3)) if ctx.needs_input_grad[2] else None, None


def copies(network: nn.Module) -> list[Tensor]:
    """Return the dense weights that frozen layers keep between steps."""
    kept = [overlay._dense for _, _, _, overlay in find_overlays(network)]
    return [dense for dense in kept if dense is not None]


def layout_of(tensor: Tensor) -> torch.memory_format:
    """Return the memory format of a network in channels-last."""
    return torch.channels_last if tensor.dim() == 4 else torch.contiguous_format


def count(tensors: list[Tensor]) -> int:
    """Return the bytes of some tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def start_memory(model: str, way: str, masks: Path, precision: str) -> dict[str, float]:
    """Return the memory that a way takes in a process of its own."""
    own = ["--memory", model, way, str(masks), "--precision", precision]
    done = subprocess.run(
        [sys.executable, __file__, *own], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_memory(model: str, way: str, path: str, *, precision: str) -> dict[str, float]:
    """Return the growth of this process and the bytes held between steps."""
    masks = {name: np.array(mask) for name, mask in np.load(path).items()}
    make_step("lenet5-caffe", "dense", {}, precision)[0]()  # loads the libraries
    before = status("VmRSS")
    with suppress(OSError):  # the peak is then that of loading, if that is higher
        Path("/proc/self/clear_refs").write_text("5")
    step, held = make_step(model, way, masks, precision)
    for _ in range(3):
        step()
    return {"peak_mb": round((status("VmHWM") - before) / 1e6, 1), **held()}


def status(name: str) -> int:
    """Return a field of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def format_table(rows: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Return the rows as Markdown, under a head that says what was measured, and where."""
    command = "python " + " ".join(["benchmarks/training.py", *sys.argv[1:]])
    about = {
        "command": f"`{command}`",
        **describe_machine(),
        "measured": f"{options.rounds} rounds in turns, one thread, processor time, medians",
        "seeds": f"weights {SEED}, random images 0, batch {BATCH}, rate {RATE} by {options.score}",
    }
    lines = ["# What a step of training costs", ""]
    lines += [f"- {key}: {value}" for key, value in about.items()]
    lines += ["", *(__doc__ or "").split("\n\n", 2)[2].strip().splitlines(), ""]
    heads = ("network", "way", "ms a step", "x masking", "x plain masking", "peak MB", "held MB")
    lines += ["| " + " | ".join([*heads, "optimiser bytes", "of dense"]) + " |"]
    lines += ["|---|---|" + "---:|" * 7]
    dense = {row["model"]: row["optimizer_bytes"] for row in rows if row["way"] == "dense"}
    for row in rows:
        share = row["optimizer_bytes"] / dense[row["model"]]
        cells = [
            row["model"],
            row["way"],
            f"{row['ms']:.2f}",
            f"{row['faster_than_masking']:.2f}",
            f"{row['faster_than_plain_masking']:.2f}",
            f"{row['peak_mb']:.1f}",
            f"{row['held_bytes'] / 1e6:.1f}",
            f"{row['optimizer_bytes']:,}",
            f"{share:.2%}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
