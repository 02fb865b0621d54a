"""A network with its weights as a torch.export program."""

import io

import torch
from torch import Tensor, nn

from freezepack.errors import CheckpointError


def export_pt2(model: nn.Module, example: Tensor) -> bytes:
    """Return a `.pt2` file: `torch.export.load(file).module()` runs it without freezepack.

    The first dimension of the input, the batch, is free.

    Parameters
    ----------
    model : torch.nn.Module
        With its weights, on the CPU. Exported in evaluation mode; its mode is as before afterwards.
    example : Tensor, shape (n, ...)
        An input; its values do not matter.

    Raises
    ------
    CheckpointError
        If torch cannot trace the network; the message says why.
    """
    training = model.training
    # two examples: torch takes a dimension of 1 for a constant
    inputs = example.expand(2, *example.shape[1:]).contiguous()
    batch = torch.export.Dim("batch")
    file = io.BytesIO()
    try:
        model.eval()
        program = torch.export.export(model, (inputs,), dynamic_shapes=({0: batch},))
        torch.export.save(program, file)
    except (RuntimeError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"torch cannot export this network: {reason}") from error
    finally:
        model.train(training)
    return file.getvalue()
