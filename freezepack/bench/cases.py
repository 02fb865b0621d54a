"""The networks and score batches on which index sizes are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A network, the data that scores it, and how many training images do.

    Attributes
    ----------
    label : str
        What tables call it.
    network, data : str
        Names of `MODELS` and `DATASETS`.
    batch : int
        Training images that score it.
    goal : float
        Most bits per trained weight that the index should take at a freezing rate of 0.995, mean
        of three seeds.
    arguments : tuple of (str, value)
        Arguments of the network that differ from its defaults.
    """

    label: str
    network: str
    data: str
    batch: int
    goal: float
    arguments: tuple[tuple[str, bool], ...] = ()


CASES = (
    Case("lenet-300-100", "lenet-300-100", "mnist", 1000, 3.4),
    Case("lenet5-caffe", "lenet5-caffe", "mnist", 1000, 3.5),
    Case("vgg16-d", "vgg16-d", "cifar-10", 256, 2.5),
    Case("vgg16-d-plain-head", "vgg16-d", "cifar-10", 256, 2.5, (("head_norm", False),)),
    Case("resnet-18", "resnet-18", "cifar-10", 256, 2.7),
)
