"""What a student learns from: labels, and what a dense teacher says of the same images."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Lesson:
    """How much the labels and the teacher count.

    Attributes
    ----------
    labels, teacher : float
        Factors of the cross-entropy with the labels, and of that with the teacher's answers,
        which are softened by the temperature and multiplied by its square.
    temperature : float

    References
    ----------
    Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv:1503.02531.
    """

    labels: float = 1.0
    teacher: float = 0.0
    temperature: float = 2.0

    def loss(self, outputs: Tensor, labels: Tensor, answers: Tensor | None = None) -> Tensor:
        """Return the mean loss of a batch.

        Parameters
        ----------
        outputs : float32 Tensor, shape (n, classes)
        labels : int64 Tensor, shape (n,)
        answers : Tensor, shape (n, classes), optional
            Logits of the teacher, without which labels count alone, with a factor of 1.

        Examples
        --------
        >>> import torch
        >>> outputs, labels = torch.zeros(1, 2), torch.tensor([0])
        >>> round(Lesson(0.0, 1.0, 2.0).loss(outputs, labels, torch.zeros(1, 2)).item(), 4)
        2.7726
        """
        hard = F.cross_entropy(outputs, labels)
        if answers is None:
            return hard
        wanted = F.softmax(answers.float() / self.temperature, 1)
        soft = F.cross_entropy(outputs / self.temperature, wanted)
        return self.labels * hard + self.teacher * self.temperature**2 * soft
