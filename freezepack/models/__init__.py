"""Networks by name; each entry builds a plain `torch.nn.Module` with its own arguments."""

from freezepack.registry import Entry, Registry

MODELS = Registry(
    "model",
    {
        "lenet-300-100": Entry(
            "freezepack.models.lenet:LeNet300100",
            "784-300-100-10, ReLU; 266,200 weights and 410 biases",
            "LeCun et al. 1998",
        ),
        "lenet5-caffe": Entry(
            "freezepack.models.lenet:LeNet5Caffe",
            "two 5x5 convolutions, 500-10; 430,500 weights and 580 biases",
            "Caffe's LeNet; arXiv:1810.02340",
        ),
        "vgg16-d": Entry(
            "freezepack.models.vgg:VGG16D",
            "13 convolutions, 512-512 head, BatchNorm; 15,239,872 weights and 5,258 biases",
            "arXiv:1409.1556; arXiv:1810.02340",
        ),
        "resnet-18": Entry(
            "freezepack.models.resnet:ResNet18",
            "3x3 stem, four stages of two blocks, BatchNorm; 11,164,352 weights",
            "arXiv:1512.03385",
        ),
    },
)
