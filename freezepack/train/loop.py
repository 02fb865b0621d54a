"""The training loop: epochs, batches, steps; everything else is a callback."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from freezepack.errors import FreezepackError
from freezepack.nn.state import unwrap
from freezepack.train.augment import AUGMENTATIONS, draw_words
from freezepack.train.average import Average
from freezepack.train.config import RunConfig
from freezepack.train.data.dataset import Dataset, Split
from freezepack.train.evaluation import evaluate
from freezepack.train.order import Purpose, draw_order
from freezepack.train.ranks import Ranks
from freezepack.train.schedule import learning_rate

Augmentation = Callable[..., Tensor]
"""From uint8 images and their words (`drawn`) to images."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch ended with.

    Attributes
    ----------
    number : int
        1 for the first.
    loss : float
        Mean training loss over the epoch.
    validation_accuracy : float
        0 to 1, after the epoch.
    lr : float
        Learning rate of its last step.
    seconds : float
        Time of training alone; `examples` divided by it is the speed.
    examples : int
        Training examples seen.
    """

    number: int
    loss: float
    validation_accuracy: float
    lr: float
    seconds: float
    examples: int


class Callback:
    """What a run tells its observers; they must not change the model. All methods do nothing."""

    def on_start(self, epochs: int, steps: int, first: int) -> None:
        """Prepare for epochs `first` (from 1) to `epochs` of `steps` steps each."""

    def on_step(self, step: int, loss: Tensor) -> None:
        """Take note of a step; `loss` is a tensor, and reading it may wait for the device."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Take note of an epoch, validation included."""

    def on_end(self) -> None:
        """Clean up: training has ended, with or without an error."""


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Dataset,
    config: RunConfig,
    *,
    first: int = 1,
    callbacks: Sequence[Callback] = (),
    average: Average | None = None,
    ranks: Ranks | None = None,
) -> None:
    """Train a model from epoch `first` to the last.

    The order of the examples depends on seed and epoch alone and the learning rate on the step,
    so a run continued from a checkpoint takes the same steps as one that was never interrupted.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    optimizer : torch.optim.Optimizer
        Of the model's parameters.
    data : Dataset
        Needs the splits "train" and "validation".
    config : RunConfig
        Batches, schedule, clipping, seed.
    first : int
        Number of the first epoch, 1 unless resumed.
    callbacks : sequence of Callback
        Told in their order.
    average : Average, optional
        Is brought up to date after each step and evaluated in place of the values themselves,
        which it replaces when the last epoch is complete.
    ranks : Ranks, optional
        The processes that share each batch.

    Raises
    ------
    FreezepackError
        If the loss is not finite at the end of an epoch.

    Notes
    -----
    Batch normalisation. Its weights and biases are trained, never frozen. While scoring in mode
    "train" each of the `score_batches` is normalised by its own statistics, and running ones stay
    as they were. In training each part of a batch (`accumulate`) and the share of each process is
    normalised by statistics of its own, so that these two change the result, and every part
    updates the running statistics once. Evaluation normalises by them and changes nothing. A
    moving average (`ema`) is one of trained values: it is evaluated and packed with the running
    statistics of training, which are those of the values of late, not of the averages. Of several
    processes the first one's are evaluated and stored, see `Ranks.wrap`.

    `torch.compile` is not offered: compiled layers multiply whole matrices for gradients that are
    otherwise sums at trained entries (`freezepack.nn.sampled`), and on CPU (one thread, in turns,
    at a freezing rate of 0.995) a step of 100 images took longer. lenet-300-100: 2.13 ms compiled
    and 1.63 without, 1.61 and 1.57 in bfloat16. lenet5-caffe: 19.0 and 17.5, 13.6 and 12.2.
    resnet-18: 1,594 and 1,525. The first step takes from half a minute to many. A model of one's
    own may be compiled after `freezepack.torch.freeze`.
    """
    epochs, steps = int(config.epochs or 1), -(-len(data.split("train")) // config.batch_size)
    for callback in callbacks:
        callback.on_start(epochs, steps, first)
    change: Augmentation = AUGMENTATIONS.get_part(str(config.augmentation))
    ranks = ranks or Ranks()
    wrapped = ranks.wrap(model)
    parts = Parts(wrapped, optimizer, data, config, callbacks, average, change, ranks)
    try:
        for number in range(first, epochs + 1):
            epoch = _run_epoch(parts, number, steps)
            if number == epochs and average is not None:
                average.apply()
            for callback in callbacks:
                callback.on_epoch(epoch)
    finally:
        for callback in callbacks:
            callback.on_end()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the steps of a run share."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    data: Dataset
    config: RunConfig
    callbacks: Sequence[Callback]
    average: Average | None
    change: Augmentation
    ranks: Ranks


def _run_epoch(parts: Parts, number: int, steps: int) -> Epoch:
    config, count = parts.config, len(parts.data.split("train"))
    began = perf_counter()
    loss = float(parts.ranks.add(_train_epoch(parts, number, steps))) / count
    seconds = perf_counter() - began
    if not math.isfinite(loss):
        remedy = f"try a lower --lr than {config.lr}"
        raise FreezepackError(f"the loss is {loss} in epoch {number}: {remedy}")
    with nullcontext() if parts.average is None else parts.average.applied():
        accuracy = evaluate(unwrap(parts.model), parts.data, "validation")
    lr = learning_rate(config, number * steps - 1, steps)
    return Epoch(number, loss, accuracy, lr, seconds, count)


def _train_epoch(parts: Parts, number: int, steps: int) -> Tensor:
    """Take the steps of one epoch and return the sum of the losses of its examples."""
    model, optimizer, config = parts.model, parts.optimizer, parts.config
    model.train()
    split = parts.data.split("train")
    order = draw_order(len(split), Purpose.shuffling, seed=config.seed, epoch=number)
    total = torch.zeros((), dtype=torch.float64, device=split.labels.device)
    drawn = draw_words(len(split), seed=config.seed, epoch=number).to(total.device)
    for step, where in enumerate(torch.split(order.to(total.device), config.batch_size)):
        rate = learning_rate(config, (number - 1) * steps + step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        mine, factor = parts.ranks.take(where)
        loss = _accumulate_gradients(parts, split, mine, drawn, factor)
        if config.clip is not None:
            values = [p for group in optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(values, config.clip)
        optimizer.step()
        if parts.average is not None:
            parts.average.update()
        total += loss * (len(where) / parts.ranks.size)
        for callback in parts.callbacks:
            callback.on_step(step, loss)
    return total


def _accumulate_gradients(
    parts: Parts, split: Split, where: Tensor, drawn: Tensor, factor: float
) -> Tensor:
    """Add up the gradients of a batch, part by part, and return its mean loss times `factor`."""
    config, mean = parts.config, torch.zeros((), device=where.device)
    mixed = config.precision != "float32"
    for some in torch.split(where, -(-len(where) // config.accumulate)):
        change = partial(parts.change, drawn=drawn[some])
        inputs, labels = parts.data.batch(split, some, change)
        if config.channels_last and inputs.dim() == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(where.device.type, torch.bfloat16, enabled=mixed):
            outputs = parts.model(inputs)
        smoothed = F.cross_entropy(outputs.float(), labels, label_smoothing=config.label_smoothing)
        loss = smoothed * (factor * len(some) / len(where))
        loss.backward()  # type: ignore[no-untyped-call]
        mean += loss.detach()
    return mean
