"""The two LeNets of the pruning literature, for images of 28 by 28 pixels in ten classes."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn


class LeNet300100(nn.Module):
    """Three fully connected layers: 784-300-100-10 with ReLU between them.

    266,200 weights and 410 biases.

    Examples
    --------
    >>> import torch
    >>> LeNet300100()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    input_shape: ClassVar[tuple[int, ...]] = (1, 28, 28)
    classes: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, 10) for images of shape (batch, 1, 28, 28)."""
        hidden = F.relu(self.fc1(images.flatten(1)))
        hidden = F.relu(self.fc2(hidden))
        return self.fc3(hidden)  # type: ignore[no-any-return]


class LeNet5Caffe(nn.Module):
    """Two 5x5 convolutions (20 and 50 channels) with 2x2 max-pooling, then 800-500-10.

    430,500 weights and 580 biases.

    Parameters
    ----------
    relu : {"conv", "fc"}
        "conv": ReLU after each pooling and after `fc1`. "fc": after `fc1` only, as in Caffe's and
        SNIP's definition; about 0.4 points less accurate at a freezing rate of 0.995.

    Raises
    ------
    ValueError
        If `relu` is neither.

    Examples
    --------
    >>> import torch
    >>> LeNet5Caffe()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    input_shape: ClassVar[tuple[int, ...]] = (1, 28, 28)
    classes: ClassVar[int] = 10

    def __init__(self, relu: str = "conv") -> None:
        super().__init__()
        if relu not in ("conv", "fc"):
            raise ValueError(f"relu is {relu!r}, expected 'conv' or 'fc'")
        self.relu = relu
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(800, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, 10) for images of shape (batch, 1, 28, 28)."""
        hidden = self._activate(F.max_pool2d(self.conv1(images), 2))
        hidden = self._activate(F.max_pool2d(self.conv2(hidden), 2))
        hidden = F.relu(self.fc1(hidden.flatten(1)))
        return self.fc2(hidden)  # type: ignore[no-any-return]

    def _activate(self, hidden: Tensor) -> Tensor:
        return F.relu(hidden) if self.relu == "conv" else hidden
