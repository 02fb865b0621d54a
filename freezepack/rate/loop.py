"""The training loop: epochs, batches, steps, with a teacher's answers and the bytes so far."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, isfinite, pi
from time import perf_counter

import torch
from torch import Tensor, nn

from freezepack.errors import FreezepackError
from freezepack.rate.copies import Copies
from freezepack.rate.distill import Lesson
from freezepack.train.data.dataset import Dataset
from freezepack.train.evaluation import evaluate
from freezepack.train.loop import Callback, Epoch
from freezepack.train.order import Purpose, draw_order

_RISE = 50
"""The learning rate rises over the first fiftieth of the steps."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained: what `fit` and `losses` share."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    data: Dataset
    copies: Copies
    epochs: int
    batch_size: int
    lr: float
    seed: int
    lesson: Lesson
    teacher: nn.Module | None = None
    mixed: bool = False
    channels_last: bool = False

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-len(self.data.split("train")) // self.batch_size)


def fit(
    plan: Plan,
    *,
    first: int = 1,
    callbacks: Sequence[Callback] = (),
    after_step: Callable[[int], None] | None = None,
    describe: Callable[[Epoch], Epoch] | None = None,
) -> None:
    """Train a model from epoch `first` to the last.

    Orders and images depend on the seed and the epoch alone and the learning rate on the step,
    so a run continued from a checkpoint takes the same steps as one that was never interrupted.

    Parameters
    ----------
    after_step : callable, optional
        Called after each step with its number in the run, from 1.
    describe : callable, optional
        Makes of an epoch what callbacks are told, which may say more.

    Raises
    ------
    FreezepackError
        If the loss is not finite at the end of an epoch.
    """
    for callback in callbacks:
        callback.on_start(plan.epochs, plan.steps, first)
    try:
        for number in range(first, plan.epochs + 1):
            epoch = _run_epoch(plan, number, callbacks, after_step)
            told = describe(epoch) if describe is not None else epoch
            for callback in callbacks:
                callback.on_epoch(told)
    finally:
        for callback in callbacks:
            callback.on_end()


def learning_rate(lr: float, step: int, steps: int) -> float:
    """Return the learning rate of a step, from 0: a short rise, then half a cosine down to 0.

    Examples
    --------
    >>> learning_rate(1.0, 500, 1000), round(learning_rate(1.0, 4, 1000), 4)
    (0.5, 0.25)
    """
    return lr * min(1.0, (step + 1) * _RISE / steps) * (1 + cos(pi * step / steps)) / 2


def losses(plan: Plan) -> Iterator[Tensor]:
    """Yield the losses of the batches of the last epoch, in evaluation mode."""
    plan.model.eval()
    answers = _ask(plan, plan.epochs)
    order = draw_order(
        len(plan.data.split("train")), Purpose.shuffling, seed=plan.seed, epoch=plan.epochs
    )
    for where in torch.split(order, plan.batch_size):
        yield _loss(plan, plan.epochs, where, answers)


def _ask(plan: Plan, number: int) -> Tensor | None:
    if plan.teacher is None:
        return None
    with torch.no_grad():
        return plan.copies.answers(number, plan.teacher)


def _run_epoch(
    plan: Plan,
    number: int,
    callbacks: Sequence[Callback],
    after_step: Callable[[int], None] | None,
) -> Epoch:
    began, count = perf_counter(), len(plan.data.split("train"))
    answers = _ask(plan, number)
    plan.model.train()
    order = draw_order(count, Purpose.shuffling, seed=plan.seed, epoch=number)
    total = torch.zeros((), dtype=torch.float64)
    done = (number - 1) * plan.steps
    rate = plan.lr
    for step, where in enumerate(torch.split(order, plan.batch_size)):
        rate = learning_rate(plan.lr, done + step, plan.epochs * plan.steps)
        for group in plan.optimizer.param_groups:
            group["lr"] = rate
        plan.optimizer.zero_grad(set_to_none=True)
        loss = _loss(plan, number, where, answers)
        loss.backward()  # type: ignore[no-untyped-call]
        plan.optimizer.step()
        total += loss.detach().cpu() * len(where)
        if after_step is not None:
            after_step(done + step + 1)
        for callback in callbacks:
            callback.on_step(step, loss.detach())
    mean = float(total) / count
    if not isfinite(mean):
        problem = f"the loss is {mean} in epoch {number}"
        raise FreezepackError(f"{problem}: try a lower --lr than {plan.lr}")
    seconds = perf_counter() - began
    accuracy = evaluate(plan.model, plan.data, "validation")
    return Epoch(number, mean, accuracy, rate, seconds, count)


def _loss(plan: Plan, number: int, where: Tensor, answers: Tensor | None) -> Tensor:
    split = plan.data.split("train")
    where = where.to(split.labels.device)
    inputs = plan.copies.normalise(plan.copies.images(number)[where])
    if plan.channels_last and inputs.dim() == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=plan.mixed):
        outputs = plan.model(inputs)
    said = None if answers is None else answers[where]
    return plan.lesson.loss(outputs.float(), split.labels[where], said)
