"""Conv2, Conv4 and Conv6: the small convolutional networks of the lottery ticket literature."""

import torch.nn.functional as F
from torch import Tensor, nn

_STAGES = ((64, 64), (128, 128), (256, 256))
_HEAD = 256


class ConvNet(nn.Module):
    """Stages of two 3x3 convolutions and a 2x2 max-pooling, then 256-256-classes.

    Nothing has a bias and nothing is normalised, so a supermask is all there is to learn. For
    ten classes and 32 by 32 pixels Conv2 has 4,300,992 weights, Conv4 2,425,024 and Conv6
    2,261,184.

    Parameters
    ----------
    stages : int
        1 for Conv2, 2 for Conv4, 3 for Conv6.
    num_classes, in_channels : int
        Length of the output, channels of the images.

    References
    ----------
    Ramanujan et al., "What's Hidden in a Randomly Weighted Neural Network?", arXiv:1911.13299;
    Frankle, Carbin, arXiv:1803.03635.

    Examples
    --------
    >>> import torch
    >>> ConvNet(3)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, stages: int, num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.stages = nn.ModuleList()
        channels = in_channels
        for widths in _STAGES[:stages]:
            stage = nn.Sequential()
            for i, width in enumerate(widths):
                conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
                stage.add_module(f"conv{i + 1}", conv)
                stage.add_module(f"relu{i + 1}", nn.ReLU())
                channels = width
            self.stages.append(stage)
        side = 32 >> stages
        self.fc1 = nn.Linear(channels * side * side, _HEAD, bias=False)
        self.fc2 = nn.Linear(_HEAD, _HEAD, bias=False)
        self.fc3 = nn.Linear(_HEAD, num_classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = images
        for stage in self.stages:
            hidden = F.max_pool2d(stage(hidden), 2)
        hidden = F.relu(self.fc1(hidden.flatten(1)))
        return self.fc3(F.relu(self.fc2(hidden)))  # type: ignore[no-any-return]


def conv2(num_classes: int = 10, in_channels: int = 3) -> ConvNet:
    """Build Conv2: two convolutions and three fully connected layers."""
    return ConvNet(1, num_classes, in_channels)


def conv4(num_classes: int = 10, in_channels: int = 3) -> ConvNet:
    """Build Conv4: four convolutions and three fully connected layers."""
    return ConvNet(2, num_classes, in_channels)


def conv6(num_classes: int = 10, in_channels: int = 3) -> ConvNet:
    """Build Conv6: six convolutions and three fully connected layers."""
    return ConvNet(3, num_classes, in_channels)
