"""ResNet-18 for small colour images: a 3x3 stem and no pooling before the stages."""

import torch.nn.functional as F
from torch import Tensor, nn

_WIDTHS = (64, 128, 256, 512)


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut, which is a 1x1 convolution where shapes differ.

    Examples
    --------
    >>> import torch
    >>> Block(64, 128, stride=2)(torch.zeros(1, 64, 8, 8)).shape
    torch.Size([1, 128, 4, 4])
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != width:
            self.shortcut.add_module("conv", nn.Conv2d(channels, width, 1, stride, bias=False))
            self.shortcut.add_module("bn", nn.BatchNorm2d(width))

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of the next block."""
        hidden = F.relu(self.bn1(self.conv1(images)))
        return F.relu(self.bn2(self.conv2(hidden)) + self.shortcut(images))


class ResNet18(nn.Module):
    """Four stages of two blocks each, 64 to 512 channels wide; for 32 by 32 pixels.

    For ten classes 11,164,352 weights (three 1x1 shortcut convolutions included), 10 biases and
    9,600 parameters of batch normalisation.

    Parameters
    ----------
    num_classes : int
        Length of the output.
    in_channels : int
        Channels of the images.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", arXiv:1512.03385.

    Examples
    --------
    >>> import torch
    >>> ResNet18(num_classes=100)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 100])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.conv1 = nn.Conv2d(in_channels, _WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        self.stages = nn.ModuleList()
        channels = _WIDTHS[0]
        for i, width in enumerate(_WIDTHS):
            first = Block(channels, width, stride=1 if i == 0 else 2)
            self.stages.append(nn.Sequential(first, Block(width, width, stride=1)))
            channels = width
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = F.relu(self.bn1(self.conv1(images)))
        for stage in self.stages:
            hidden = stage(hidden)
        return self.fc(hidden.mean((2, 3)))  # type: ignore[no-any-return]
