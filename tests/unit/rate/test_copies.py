"""Augmented copies are made once, from the seed alone."""

import pytest
import torch
from torch import nn

from freezepack.errors import UnknownNameError
from freezepack.rate.copies import Copies
from freezepack.rate.distill import Lesson
from tests.unit.train.helpers import small_data


def test_epochs_take_turns() -> None:
    copies = Copies(small_data(), 3, "affine", seed=1)
    first = copies.images(1)
    assert torch.equal(copies.images(4), first)
    assert not torch.equal(copies.images(2), first)
    assert first.shape == small_data().split("train").images.shape
    assert first.dtype == torch.uint8


def test_the_seed_decides() -> None:
    one, same, other = (Copies(small_data(), 3, "affine", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.images(2), same.images(2))
    assert not torch.equal(one.images(2), other.images(2))


def test_without_augmentation_all_epochs_take_the_images() -> None:
    data = small_data()
    copies = Copies(data, 16, "none", seed=1)
    assert all(torch.equal(copies.images(e), data.split("train").images) for e in (1, 9))


def test_a_share_of_the_epochs_takes_the_images() -> None:
    data = small_data()
    copies = Copies(data, 2, "affine", plain=0.25, seed=1)
    assert [copies.number(epoch) for epoch in range(1, 9)] == [1, 2, 1, 0, 2, 1, 2, 0]
    assert torch.equal(copies.images(4), data.split("train").images)
    assert not torch.equal(copies.images(3), data.split("train").images)


def test_the_training_loops_augmentations_are_known() -> None:
    data = small_data()
    moved = Copies(data, 2, "shift", seed=1).images(1)
    assert not torch.equal(moved, data.split("train").images)
    with pytest.raises(UnknownNameError, match="Known: affine, crop-flip, none, shift"):
        Copies(data, 2, "turn", seed=1)


def test_a_teacher_is_asked_once_for_each_copy() -> None:
    class Teacher(nn.Module):
        calls = 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            type(self).calls += 1
            return images.flatten(1).mean(1, keepdim=True).expand(-1, 10)

    copies, teacher = Copies(small_data(), 2, "affine", seed=1), Teacher()
    answers = [copies.answers(epoch, teacher) for epoch in (1, 2, 3, 4)]
    assert Teacher.calls == 2
    assert torch.equal(answers[0], answers[2])
    mean = copies.normalise(copies.images(2)).flatten(1).mean(1)
    assert torch.equal(answers[1][:, 3], mean.to(torch.float16))


def test_a_lesson_weighs_labels_and_teacher() -> None:
    outputs, labels = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    answers = torch.tensor([[0.0, 0.0]])
    hard, soft = 0.126928, 0.813262  # log(1 + exp(-2)); mean of log(1 + exp(-+1))
    assert Lesson().loss(outputs, labels).item() == pytest.approx(hard, abs=1e-6)
    lesson = Lesson(labels=0.5, teacher=2.0, temperature=2.0)
    expected = 0.5 * hard + 2.0 * 4.0 * soft
    assert lesson.loss(outputs, labels, answers).item() == pytest.approx(expected, abs=1e-5)
    assert lesson.loss(outputs, labels).item() == pytest.approx(hard, abs=1e-6)
