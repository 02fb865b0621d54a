"""Residual networks for small colour images: a 3x3 stem and no pooling before the stages."""

import torch.nn.functional as F
from torch import Tensor, nn


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


class ResNet(nn.Module):
    """Stages of blocks, each stage but the first at half the resolution; for 32 by 32 pixels.

    Parameters
    ----------
    widths : tuple of int
        Channels of each stage; the stem has those of the first.
    blocks : int
        Blocks of each stage.
    num_classes, in_channels : int
        Length of the output, channels of the images.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", arXiv:1512.03385.
    """

    def __init__(
        self, widths: tuple[int, ...], blocks: int, num_classes: int, in_channels: int
    ) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.conv1 = nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.stages = nn.ModuleList()
        channels = widths[0]
        for i, width in enumerate(widths):
            first = Block(channels, width, stride=1 if i == 0 else 2)
            rest = [Block(width, width, stride=1) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            channels = width
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = F.relu(self.bn1(self.conv1(images)))
        for stage in self.stages:
            hidden = stage(hidden)
        return self.fc(hidden.mean((2, 3)))  # type: ignore[no-any-return]


def resnet18(num_classes: int = 10, in_channels: int = 3) -> ResNet:
    """Build ResNet-18: four stages of two blocks each, 64 to 512 channels wide.

    For ten classes 11,164,352 weights (three 1x1 shortcut convolutions included), 10 biases and
    9,600 parameters of batch normalisation.

    Examples
    --------
    >>> import torch
    >>> resnet18(num_classes=100)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 100])
    """
    return ResNet((64, 128, 256, 512), 2, num_classes, in_channels)


def resnet20(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> ResNet:
    """Build the ResNet-20 of CIFAR: three stages of three blocks.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output, channels of the images.
    width : int
        Channels of the first stage, doubled at each of the others. 16 is the original, which has
        270,896 weights for ten classes with the 1x1 convolutions of its shortcuts.

    Examples
    --------
    >>> import torch
    >>> resnet20()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    return ResNet((width, 2 * width, 4 * width), 3, num_classes, in_channels)


def resnet32(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> ResNet:
    """Build the ResNet-32 of CIFAR: three stages of five blocks.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output, channels of the images.
    width : int
        As for `resnet20`. 32 is the network of the GraSP paper: 1,855,584 weights for ten classes.

    Examples
    --------
    >>> import torch
    >>> resnet32(width=32)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    return ResNet((width, 2 * width, 4 * width), 5, num_classes, in_channels)
