"""VGG-D for small colour images, as in the pruning literature."""

import torch.nn.functional as F
from torch import Tensor, nn

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_HEAD = 512


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
        self.stages = nn.ModuleList()
        channels = in_channels
        for widths in _STAGES:
            stage = nn.Sequential()
            for i, width in enumerate(widths):
                stage.add_module(f"conv{i + 1}", nn.Conv2d(channels, width, 3, padding=1))
                stage.add_module(f"bn{i + 1}", nn.BatchNorm2d(width))
                stage.add_module(f"relu{i + 1}", nn.ReLU())
                channels = width
            self.stages.append(stage)
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
