"""Wide residual networks: blocks that normalise before they convolve."""

import torch.nn.functional as F
from torch import Tensor, nn

_DEPTH = 16
_BLOCKS = (_DEPTH - 4) // 6


class WideBlock(nn.Module):
    """Two 3x3 convolutions, each after normalisation, around a shortcut.

    Where shapes differ the shortcut is a 1x1 convolution of the normalised input.

    Examples
    --------
    >>> import torch
    >>> WideBlock(16, 32, stride=2)(torch.zeros(1, 16, 8, 8)).shape
    torch.Size([1, 32, 4, 4])
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.shortcut: nn.Module | None = None
        if stride != 1 or channels != width:
            self.shortcut = nn.Conv2d(channels, width, 1, stride, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of the next block."""
        ready = F.relu(self.bn1(images))
        hidden: Tensor = self.conv2(F.relu(self.bn2(self.conv1(ready))))
        kept: Tensor = images if self.shortcut is None else self.shortcut(ready)
        return hidden + kept


class WideResNet16(nn.Module):
    """Sixteen layers in three stages of two blocks, 16, 32 and 64 channels times a factor.

    For ten classes and a factor of 8 the network of SNIP's Table 2: 10,954,160 weights with the
    1x1 convolutions of its shortcuts. For 32 by 32 pixels.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output, channels of the images.
    factor : int
        How much wider than the narrowest.

    References
    ----------
    Zagoruyko, Komodakis, "Wide Residual Networks", arXiv:1605.07146.

    Examples
    --------
    >>> import torch
    >>> WideResNet16(factor=1)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, factor: int = 8) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.stages = nn.ModuleList()
        channels = 16
        for i, width in enumerate((16 * factor, 32 * factor, 64 * factor)):
            stage = nn.Sequential()
            for number in range(_BLOCKS):
                stride = 2 if i > 0 and number == 0 else 1
                stage.append(WideBlock(channels, width, stride))
                channels = width
            self.stages.append(stage)
        self.bn = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = self.conv1(images)
        for stage in self.stages:
            hidden = stage(hidden)
        return self.fc(F.relu(self.bn(hidden)).mean((2, 3)))  # type: ignore[no-any-return]


def wrn_16_8(num_classes: int = 10, in_channels: int = 3, factor: int = 8) -> WideResNet16:
    """Build the wide residual network of 16 layers, by default eight times wider.

    Examples
    --------
    >>> sum(p.numel() for p in wrn_16_8(factor=1).parameters() if p.dim() >= 2)
    174128
    """
    return WideResNet16(num_classes, in_channels, factor)
