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
        "conv2": Entry(
            "freezepack.models.convnet:conv2",
            "two 3x3 convolutions, 256-256 head, no biases; 4,300,992 weights",
            "arXiv:1803.03635; arXiv:1911.13299",
        ),
        "conv4": Entry(
            "freezepack.models.convnet:conv4",
            "four 3x3 convolutions, 256-256 head, no biases; 2,425,024 weights",
            "arXiv:1803.03635; arXiv:1911.13299",
        ),
        "conv6": Entry(
            "freezepack.models.convnet:conv6",
            "six 3x3 convolutions, 256-256 head, no biases; 2,261,184 weights",
            "arXiv:1803.03635; arXiv:1911.13299",
        ),
        "vgg16-d": Entry(
            "freezepack.models.vgg:VGG16D",
            "13 convolutions, 512-512 head, BatchNorm; 15,239,872 weights and 5,258 biases",
            "arXiv:1409.1556; arXiv:1810.02340",
        ),
        "vgg-like": Entry(
            "freezepack.models.vgg:VGGLike",
            "13 convolutions, 512 head, BatchNorm; 14,977,728 weights and 4,746 biases",
            "arXiv:1810.02340",
        ),
        "vgg11-bn": Entry(
            "freezepack.models.vgg:vgg11_bn",
            "8 convolutions, BatchNorm, one fully connected layer; 9,222,848 weights",
            "arXiv:2006.05467",
        ),
        "vgg16-bn": Entry(
            "freezepack.models.vgg:vgg16_bn",
            "13 convolutions, BatchNorm, one fully connected layer; 14,715,584 weights",
            "arXiv:2006.05467",
        ),
        "resnet-18": Entry(
            "freezepack.models.resnet:resnet18",
            "3x3 stem, four stages of two blocks, BatchNorm; 11,164,352 weights",
            "arXiv:1512.03385",
        ),
        "resnet-20": Entry(
            "freezepack.models.resnet:resnet20",
            "three stages of three blocks, BatchNorm; 270,896 weights",
            "arXiv:1512.03385",
        ),
        "resnet-32": Entry(
            "freezepack.models.resnet:resnet32",
            "three stages of five blocks, BatchNorm; 464,432 weights, 1,855,584 with width 32",
            "arXiv:1512.03385; arXiv:2002.07376",
        ),
        "wrn-16-8": Entry(
            "freezepack.models.wide_resnet:wrn_16_8",
            "wide residual network, 16 layers, factor 8, BatchNorm; 10,954,160 weights",
            "arXiv:1605.07146",
        ),
    },
)
