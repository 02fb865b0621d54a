"""VGG networks for small colour images, as in the pruning literature."""

import torch.nn.functional as F
from torch import Tensor, nn

_STAGES_11 = ((64,), (128,), (256, 256), (512, 512), (512, 512))
_STAGES_16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_HEAD = 512


def _make_stages(stages: tuple[tuple[int, ...], ...], channels: int) -> nn.ModuleList:
    """Return stages of 3x3 convolutions with bias, each normalised; pooling is left to forward."""
    made = nn.ModuleList()
    for widths in stages:
        stage = nn.Sequential()
        for i, width in enumerate(widths):
            stage.add_module(f"conv{i + 1}", nn.Conv2d(channels, width, 3, padding=1))
            stage.add_module(f"bn{i + 1}", nn.BatchNorm2d(width))
            stage.add_module(f"relu{i + 1}", nn.ReLU())
            channels = width
        made.append(stage)
    return made


class VGG16D(nn.Module):
    """Thirteen 3x3 convolutions in five stages, then 512-512-512-classes; for 32 by 32 pixels.

    For ten classes 15,239,872 weights and 5,258 biases, the counts published with SNIP: every
    convolution and every fully connected layer has a bias although batch normalisation follows
    it (as in SNIP's code, all but the last layer are normalised), and normalisation itself
    (10,496 parameters more) is not counted there. Each stage ends in a 2x2 max-pooling.

    Parameters
    ----------
    num_classes : int
        Length of the output.
    in_channels : int
        Channels of the images.
    head_norm : bool
        False normalises the convolutions only. It changes which weights SNIP selects: with it
        the first convolutions keep next to nothing.

    References
    ----------
    Lee, Ajanthan, Torr, arXiv:1810.02340 ("VGG-D"); Simonyan, Zisserman, arXiv:1409.1556.

    Examples
    --------
    >>> import torch
    >>> VGG16D()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, head_norm: bool = True) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.stages = _make_stages(_STAGES_16, in_channels)
        channels = _STAGES_16[-1][-1]
        self.fc1 = nn.Linear(channels, _HEAD)
        self.bn1 = nn.BatchNorm1d(_HEAD) if head_norm else nn.Identity()
        self.fc2 = nn.Linear(_HEAD, _HEAD)
        self.bn2 = nn.BatchNorm1d(_HEAD) if head_norm else nn.Identity()
        self.fc3 = nn.Linear(_HEAD, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = images
        for stage in self.stages:
            hidden = F.max_pool2d(stage(hidden), 2)
        hidden = F.relu(self.bn1(self.fc1(hidden.flatten(1))))
        hidden = F.relu(self.bn2(self.fc2(hidden)))
        return self.fc3(hidden)  # type: ignore[no-any-return]


class VGGLike(nn.Module):
    """VGG-D with one hidden layer less in its head: the "VGG-like" network of the SNIP paper.

    For ten classes 14,977,728 weights and 4,746 biases; 3 % of both are the 449 thousand that
    the paper states. All layers but the last are normalised.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output, channels of the images.

    References
    ----------
    Lee, Ajanthan, Torr, arXiv:1810.02340, Table 2.

    Examples
    --------
    >>> import torch
    >>> VGGLike()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.stages = _make_stages(_STAGES_16, in_channels)
        self.fc1 = nn.Linear(_STAGES_16[-1][-1], _HEAD)
        self.bn1 = nn.BatchNorm1d(_HEAD)
        self.fc2 = nn.Linear(_HEAD, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = images
        for stage in self.stages:
            hidden = F.max_pool2d(stage(hidden), 2)
        return self.fc2(F.relu(self.bn1(self.fc1(hidden.flatten(1)))))  # type: ignore[no-any-return]


class VGGBN(nn.Module):
    """VGG with batch normalisation and a single fully connected layer, as released with SynFlow.

    Four max-poolings and one average-pooling bring 32 by 32 pixels down to one. For ten classes
    9,222,848 weights with 11 layers of convolution widths, 14,715,584 with 16.

    Parameters
    ----------
    stages : tuple of tuples of int
        Widths of the convolutions.
    num_classes, in_channels : int
        Length of the output, channels of the images.

    References
    ----------
    Tanaka, Kunin, Yamins, Ganguli, arXiv:2006.05467, and its published code.
    """

    def __init__(
        self, stages: tuple[tuple[int, ...], ...], num_classes: int = 10, in_channels: int = 3
    ) -> None:
        super().__init__()
        self.input_shape = (in_channels, 32, 32)
        self.classes = num_classes
        self.stages = _make_stages(stages, in_channels)
        self.fc = nn.Linear(stages[-1][-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (batch, classes) for images of shape (batch, channels, 32, 32)."""
        hidden = images
        for stage in self.stages[:-1]:
            hidden = F.max_pool2d(stage(hidden), 2)
        hidden = F.avg_pool2d(self.stages[-1](hidden), 2)
        return self.fc(hidden.flatten(1))  # type: ignore[no-any-return]


def vgg11_bn(num_classes: int = 10, in_channels: int = 3) -> VGGBN:
    """Build VGG-11 with batch normalisation.

    Examples
    --------
    >>> import torch
    >>> vgg11_bn(100)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 100])
    """
    return VGGBN(_STAGES_11, num_classes, in_channels)


def vgg16_bn(num_classes: int = 10, in_channels: int = 3) -> VGGBN:
    """Build VGG-16 with batch normalisation.

    Examples
    --------
    >>> import torch
    >>> vgg16_bn()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    return VGGBN(_STAGES_16, num_classes, in_channels)
