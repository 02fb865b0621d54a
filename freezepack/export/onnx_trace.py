"""A torch module as an ONNX graph whose weights are inputs, so that no pass can touch them."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from freezepack.errors import CheckpointError, MissingExtraError

if TYPE_CHECKING:
    import onnx_ir as ir

OPSETS = range(18, 26)
"""Operator sets that torch's exporter writes without guessing."""
DEFAULT_OPSET = 18
"""The oldest of them: runtimes since 2022 read it, and it is the first with the bit operators."""
_STANDARD = {"", "ai.onnx"}
_OPERATOR = re.compile(r"op='([\w.]+)', overload='(\w+)'")


def check_opset(opset: int) -> None:
    """Raise CheckpointError if an operator set cannot be written.

    Examples
    --------
    >>> check_opset(18)
    """
    if opset not in OPSETS:
        low, high = OPSETS[0], OPSETS[-1]
        which = "too low" if opset < low else "too high"
        raise CheckpointError(f"opset {opset} is {which}, expected {low} to {high}")


def require_onnx(user: str) -> None:
    """Raise MissingExtraError, naming `user`, if a package that writes ONNX is not installed."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(package)
        except ImportError as error:
            if (error.name or package).partition(".")[0] != package:
                raise
            raise MissingExtraError(package, "onnx", user) from None


def trace(
    module: nn.Module, inputs: tuple[Any, ...], weights: Collection[str], opset: int
) -> ir.Model:
    """Trace a module in evaluation mode; the first dimension of every tensor input is free.

    Parameters
    ----------
    module : torch.nn.Module
        Its weights may be on the device "meta": only shapes and element types are looked at. Its
        mode is as before afterwards.
    inputs : tuple
        Positional arguments; what is no tensor becomes part of the graph.
    weights : collection of str
        Names that become inputs of the graph instead of initializers.
    opset : int
        One of `OPSETS`.

    Raises
    ------
    CheckpointError
        If the module cannot be traced, an operator has no form in standard ONNX, or a constant
        outside `weights` has no data; the message names operator or tensor.
    """
    check_opset(opset)
    with evaluating(module), _quiet():
        model = _export(module, inputs, opset)
        _open_weights(model, weights)
        _optimize(model)
    found = model.opset_imports.get("")
    if found != opset:
        raise CheckpointError(f"torch's exporter wrote opset {found}, expected {opset}")
    for node in model.graph.all_nodes():
        if node.domain not in _STANDARD:
            name = f"{node.domain}::{node.op_type}"
            raise CheckpointError(f"operator {name} is not one of standard ONNX")
    return model


def free_batch(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return example inputs of at least two examples: a dimension of 1 counts as a constant."""
    return tuple(
        value.expand(2, *value.shape[1:]).contiguous()
        if isinstance(value, Tensor) and value.dim() and value.shape[0] == 1
        else value
        for value in inputs
    )


def _export(module: nn.Module, inputs: tuple[Any, ...], opset: int) -> ir.Model:
    batch = torch.export.Dim("batch")
    shapes = tuple({0: batch} if isinstance(x, Tensor) and x.dim() else None for x in inputs)
    try:
        program = torch.onnx.export(
            module,
            free_batch(inputs),
            dynamo=True,
            dynamic_shapes=shapes,
            opset_version=opset,
            optimize=False,
            verbose=False,
        )
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointError(f"torch cannot export this network: {_reason(error)}") from error
    if program is None:
        raise CheckpointError("torch cannot export this network: the exporter returned nothing")
    return program.model


def _reason(error: BaseException) -> str:
    """Return the innermost cause in one line, with the operator if one is missing."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error) or type(error).__name__
    operator = _OPERATOR.search(text)
    if operator and "No ONNX function" in text:
        return f"operator {operator[1]}.{operator[2]} has no form in ONNX"
    line = text.splitlines()[0].strip()
    place = re.search(r'File "[^"]*", line \d+, in (\w+)\n\s*(.+)', text)
    return f"{line} in {place[1]}: {place[2].strip()}" if place else line


def _open_weights(model: ir.Model, weights: Collection[str]) -> None:
    """Turn the initializers with these names into inputs."""
    graph = model.graph
    for name, value in list(graph.initializers.items()):
        if name in weights:
            value.const_value = None
            del graph.initializers[name]
            graph.inputs.append(value)
            continue
        raw = getattr(value.const_value, "raw", None)
        if isinstance(raw, Tensor) and raw.device.type == "meta":
            problem = f"the constant {name!r} has no data (device meta) and is not in the pack"
            raise CheckpointError(problem)


def _optimize(model: ir.Model) -> None:
    from onnx_ir.passes import PassError
    from onnxscript import optimizer

    try:
        optimizer.optimize(model)
    except PassError as error:
        reason = _reason(error)
        raise CheckpointError(f"the ONNX graph cannot be simplified: {reason}") from error


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode for a while."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter and its libraries say from the user; errors come as exceptions."""
    level = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)
