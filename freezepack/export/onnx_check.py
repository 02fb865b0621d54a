"""Whether a model in onnxruntime computes what torch computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils import _pytree as pytree

from freezepack.errors import CheckpointError, VerificationError
from freezepack.export.onnx_valid import runtime_error

if TYPE_CHECKING:
    import onnxruntime

BOUNDS = {"float64": 1e-9, "float32": 1e-4}
"""Largest difference that is taken for rounding, as a share of the largest output."""
NARROW_BOUND = 2e-2
"""The same for float16 and bfloat16."""
BATCHES = (1, 16)
"""Random inputs come in batches of these lengths."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the outputs of two runtimes compare on some inputs.

    Attributes
    ----------
    name : str
        Which inputs.
    examples : int
        How many.
    difference : float
        Largest absolute difference of any output.
    largest : float
        Largest magnitude of torch's outputs.
    equal : int or None
        Examples of which the largest output is the same; None where outputs are no scores.
    """

    name: str
    examples: int
    difference: float
    largest: float
    equal: int | None

    @property
    def relative(self) -> float:
        """The difference as a share of the largest output."""
        if not self.difference:
            return 0.0
        return self.difference / self.largest if self.largest else float("inf")


def random_inputs(examples: Sequence[Any], seed: int = 1) -> Iterator[tuple[Any, ...]]:
    """Yield inputs in batches of 1 and more; what is not floating repeats the example."""
    generator = torch.Generator().manual_seed(seed)
    for length in BATCHES:
        yield tuple(
            _random(x, length, generator) if isinstance(x, Tensor) and x.dim() else x
            for x in examples
        )


def _random(value: Tensor, length: int, generator: torch.Generator) -> Tensor:
    shape = (length, *value.shape[1:])
    if value.is_floating_point():
        return torch.randn(shape, generator=generator).to(value.dtype)
    if value.device.type == "meta":
        return torch.zeros(shape, dtype=value.dtype)
    repeats = -(-length // value.shape[0])
    return torch.cat([value.cpu()] * repeats)[:length].contiguous()


@dataclass(frozen=True, slots=True)
class Reference:
    """A network in torch, in evaluation mode, and its weights; the network's own are not used."""

    module: nn.Module
    tensors: Mapping[str, Tensor]

    def run(self, inputs: tuple[Any, ...], name: str) -> list[Tensor]:
        """Return the outputs, one after the other; `name` says in errors which inputs they are of.

        Raises
        ------
        CheckpointError
            If the inputs do not fit the network.
        """
        try:
            with torch.no_grad():
                found = functional_call(self.module, dict(self.tensors), inputs)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(f"torch cannot run the network on {name}: {reason}") from error
        return [value for value in pytree.tree_leaves(found) if isinstance(value, Tensor)]


def compare(
    session: onnxruntime.InferenceSession,
    reference: Reference,
    batches: Iterable[tuple[Any, ...]],
    name: str,
    bound: float | None = None,
) -> Comparison:
    """Run inputs through a model and through torch.

    Parameters
    ----------
    batches : iterable of tuples
        Positional arguments of the network.
    name : str
        What the inputs are called in errors.
    bound : float, optional
        Largest difference as a share of the largest output; default: by the outputs' type.

    Raises
    ------
    VerificationError
        If the outputs differ by more, in shape, or in where they are no numbers.
    CheckpointError
        If onnxruntime cannot run the model.
    """
    totals = _Totals(name)
    limit = 0.0
    for inputs in batches:
        wanted = reference.run(inputs, name)
        found = _run(session, inputs)
        limit = _bound(wanted) if bound is None else bound
        totals.add([_widen(_numbers(value)) for value in wanted], list(map(_widen, found)))
    result = totals.result()
    if result.difference > limit * result.largest:
        raise VerificationError(
            f"{name}: onnxruntime and torch differ by {result.difference:.3g}, "
            f"{result.relative:.3g} of the largest output; {limit:g} is allowed"
        )
    return result


class _Totals:
    """What has been compared so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.examples = self.equal = 0
        self.difference = self.largest = 0.0
        self.has_scores = True

    def add(self, wanted: Sequence[NDArray[Any]], found: Sequence[NDArray[Any]]) -> None:
        if [a.shape for a in wanted] != [b.shape for b in found]:
            shapes = f"{[b.shape for b in found]}, expected {[a.shape for a in wanted]}"
            raise VerificationError(f"{self.name}: outputs of shape {shapes}")
        for a, b in zip(wanted, found, strict=True):
            self._add_distance(a, b)
        first = wanted[0] if wanted else np.zeros(())
        self.examples += first.shape[0] if first.ndim else 1
        self.has_scores &= first.ndim == 2 and first.shape[1] > 1
        if self.has_scores:
            self.equal += int((first.argmax(1) == found[0].argmax(1)).sum())

    def _add_distance(self, a: NDArray[Any], b: NDArray[Any]) -> None:
        finite = np.isfinite(a)
        same = np.array_equal(a[~finite], b[~finite], equal_nan=True)
        if not (same and np.isfinite(b[finite]).all()):
            raise VerificationError(f"{self.name}: outputs differ in NaN or infinity")
        if finite.any():
            self.difference = max(self.difference, float(np.abs(a[finite] - b[finite]).max()))
            self.largest = max(self.largest, float(np.abs(a)[finite].max()))

    def result(self) -> Comparison:
        equal = self.equal if self.has_scores else None
        return Comparison(self.name, self.examples, self.difference, self.largest, equal)


def _run(session: onnxruntime.InferenceSession, inputs: tuple[Any, ...]) -> Sequence[NDArray[Any]]:
    given = [value for value in inputs if isinstance(value, Tensor)]
    names = [value.name for value in session.get_inputs()]
    if len(names) > len(given):
        raise CheckpointError(f"the model has inputs {names}, and {len(given)} tensors are given")
    try:
        feeds = {name: value.numpy() for name, value in zip(names, given, strict=False)}
        outputs: Sequence[NDArray[Any]] = session.run(None, feeds)
    except Exception as error:
        raise runtime_error(error, "run") from error
    return outputs


def _numbers(value: Tensor) -> NDArray[Any]:
    numbers: NDArray[Any] = (value.double() if value.is_floating_point() else value).numpy()
    return numbers


def _widen(value: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(value).astype(np.complex128 if np.iscomplexobj(value) else np.float64)


def _bound(outputs: Sequence[Tensor]) -> float:
    names = {str(value.dtype).removeprefix("torch.") for value in outputs}
    return max((BOUNDS.get(name, NARROW_BOUND) for name in names), default=NARROW_BOUND)
