"""Time of loading whole packs, beside what else loads the same tensors.

python benchmarks/load.py [--rounds 15] [--threads 1 2] [--rate 0.99] [--masks runs/masks]

A pack is a network filled from a seed, of which the weights that a SNIP mask marks have moved by
random amounts; biases and normalisation have moved everywhere. Masks come from the cache of
`freezepack bench size`; where it has none, a mask of similar structure is drawn. Every round runs
all candidates one after the other, so that a busy moment hits all of them. `wall` and `processor`
are medians of milliseconds; ratios are medians of the ratios within a round. Files are in the page
cache.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from operator import truediv
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

import freezepack.numpy
import freezepack.torch
from freezepack import native
from freezepack.bench.cases import CASES, Case
from freezepack.bench.machine import describe_machine
from freezepack.bench.masks import snip_masks
from freezepack.models.build import build_model
from freezepack.nn.fill import eligible_weights, fill_module
from freezepack.nn.state import named_state
from freezepack.types import BoolArray

NETWORKS = ("resnet-18", "lenet5-caffe")
SEED = 1
Candidate = Callable[[], object]
Times = dict[str, list[tuple[float, float]]]
"""For each candidate and round, seconds of wall clock and of processor."""


def main() -> None:
    """Make the files, measure and print one table for each network and thread count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rate", default="0.99")
    parser.add_argument("--masks", type=Path, default=Path("runs/masks"))
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    options = parser.parse_args()
    for name, value in describe_machine().items():
        print(f"- {name}: {value}")
    torch.set_num_threads(1)  # its threads would keep cores busy after their work is done
    cases = {case.label: case for case in CASES}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks:
            found = make_candidates(cases[name], options.rate, options.masks, Path(folder))
            for threads in options.threads:
                native.set_num_threads(threads)
                print(f"\n{name}, freezing rate {options.rate}, threads: {threads}")
                show(measure(found, options.rounds))


def measure(candidates: Mapping[str, Candidate], rounds: int) -> Times:
    """Run every candidate in every round; the first round is left out."""
    times: Times = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, run in candidates.items():
            begin, spent = time.perf_counter(), time.process_time()
            made = run()
            done = time.perf_counter() - begin, time.process_time() - spent
            del made
            if turn:
                times[name].append(done)
    return times


def show(times: Times) -> None:
    """Print medians, and the ratio to the first candidate."""
    first = next(iter(times))
    print(f"{'':28}{'wall':>9}{'least':>9}{'processor':>11}{'/ ' + first:>20}")
    for name, found in times.items():
        wall, spent = zip(*found, strict=True)
        ratio = statistics.median(map(truediv, wall, [pair[0] for pair in times[first]]))
        shown = [statistics.median(wall), min(wall), statistics.median(spent)]
        a, b, c = (1e3 * seconds for seconds in shown)
        print(f"{name:28}{a:9.2f}{b:9.2f}{c:11.2f}{ratio:20.2f}")


def make_candidates(case: Case, rate: str, cache: Path, folder: Path) -> dict[str, Candidate]:
    """Write one network in every form and return what loads it."""
    model = build_model(case.network, dict(case.arguments))
    inits = fill_module(model, SEED)
    masks = find_masks(case, model, rate, cache)
    state = move(named_state(model).tensors, masks)
    dense, stored = folder / f"{case.label}.pt", folder / f"{case.label}.safetensors"
    torch.save(state, dense)
    safetensors.torch.save_file(state, stored)
    flat = np.concatenate([tensor.numpy().reshape(-1).view(np.uint8) for tensor in state.values()])
    touched = flat.copy()
    found: dict[str, Candidate] = {
        "memcpy": partial(np.copyto, touched, flat),
        "memcpy to fresh memory": flat.copy,
        "torch.load": partial(torch.load, dense, weights_only=True),
        "safetensors, mapped": partial(safetensors.torch.load_file, stored),
        "safetensors, copied": partial(load_copy, stored),
    }
    for index in ("small", "fast"):
        path = folder / f"{case.label}-{index}.fpk"
        freezepack.torch.save_file(state, path, seed=SEED, init=inits, masks=masks, index=index)
        check(state, path)
        found[f"pack, {index}, numpy"] = partial(freezepack.numpy.load_file, path)
        found[f"pack, {index}, torch"] = partial(freezepack.torch.load_file, path)
    return found


def find_masks(case: Case, model: nn.Module, rate: str, cache: Path) -> dict[str, BoolArray]:
    """Return the cached SNIP masks, or masks whose rows and columns differ in density."""
    weights = {name: model.get_parameter(name) for name in eligible_weights(model)}
    if any(cache.glob(f"{case.label}-q{rate}-s{SEED}-v*.npz")):
        masks = {name: np.zeros(w.shape, np.bool_) for name, w in weights.items()}
        for tensor in snip_masks(case, SEED, [rate], None, cache)[rate].tensors:
            masks[tensor.name].reshape(-1)[tensor.positions] = True
        return masks
    print(f"no SNIP mask of {case.label} in {cache}: a drawn one takes its place")
    rng = np.random.default_rng(SEED)
    scores = {}
    for name, weight in weights.items():
        sides = [rng.normal(0, 0.7, (1, length)) for length in weight.shape[:2]]
        form = (*weight.shape[:2], *[1] * (weight.dim() - 2))
        factor = np.exp(sides[0].T + sides[1]).reshape(form)
        scores[name] = np.abs(weight.detach().numpy()) * factor
    everything = np.concatenate([score.reshape(-1) for score in scores.values()])
    limit = np.quantile(everything, float(rate))
    return {name: score > limit for name, score in scores.items()}


def move(tensors: Mapping[str, Tensor], masks: Mapping[str, BoolArray]) -> dict[str, Tensor]:
    """Return a state in which marked weights, and all that have no mask, have other values."""
    rng = torch.Generator().manual_seed(SEED)
    moved = {}
    for name, tensor in tensors.items():
        moved[name] = tensor.detach().clone()
        if tensor.is_floating_point():
            size = 0.1 * float(tensor.detach().abs().max()) + 0.01
            delta = size * torch.randn(tensor.shape, generator=rng)
            if name in masks:
                delta *= torch.from_numpy(masks[name])
            moved[name] += delta
    return moved


def check(state: Mapping[str, Tensor], path: Path) -> None:
    """Raise ValueError unless the pack gives what was packed."""
    made = freezepack.torch.load_file(path)
    if made.keys() != state.keys() or not all(torch.equal(made[n], state[n]) for n in state):
        raise ValueError(f"{path} does not give what was packed")


def load_copy(path: Path) -> dict[str, Tensor]:
    """Load a safetensors file into memory of its own."""
    return {name: tensor.clone() for name, tensor in safetensors.torch.load_file(path).items()}


if __name__ == "__main__":
    main()
