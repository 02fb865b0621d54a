"""Data sets by name; each entry is a `Source`: how to load it, and its defaults."""

from freezepack.registry import Entry, Registry

DATASETS = Registry(
    "data set",
    {
        "digits": Entry(
            "freezepack.train.data.digits:SOURCE",
            "1,797 digits of 8x8 pixels, embedded, shown at 28x28",
            "UCI, CC BY 4.0",
        ),
        "mnist": Entry(
            "freezepack.train.data.mnist:MNIST", "70,000 digits of 28x28 pixels", "LeCun et al."
        ),
        "fashion-mnist": Entry(
            "freezepack.train.data.mnist:FASHION_MNIST",
            "70,000 articles of clothing, 28x28 pixels",
            "arXiv:1708.07747",
        ),
        "cifar-10": Entry(
            "freezepack.train.data.cifar:CIFAR_10",
            "60,000 colour images of 32x32 pixels in 10 classes",
            "Krizhevsky 2009",
        ),
        "cifar-100": Entry(
            "freezepack.train.data.cifar:CIFAR_100",
            "60,000 colour images of 32x32 pixels in 100 classes",
            "Krizhevsky 2009",
        ),
    },
)
