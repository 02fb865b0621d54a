"""Codec `joint`: index and values of several tensors in one stream; formats/joint.md.

Values are integers on a grid, 0 where a weight is not trained. What is likely at a position comes
from its row, channel, column and plane, the positions beside it and the tensors before.

    codec       what the container calls         shapes      how the coder sees tensors
    matrix      the walk over a matrix           field       what is known of its positions
    alive       rows and channels                around      the positions beside one
    vector      biases and the like
    model       effects and decisions            priors      where they start
    reference   the Python twin                  kernel      its C++ twin
    price       what each symbol would cost, for training
    arrange     orders of hidden units that cost less
"""

from freezepack.codecs.joint.arrange import Units, arrange, find_units, reorder
from freezepack.codecs.joint.codec import MOST_LEVEL, decode_joint, encode_joint
from freezepack.codecs.joint.price import measure_joint, price_joint
from freezepack.codecs.joint.shapes import MOST_POSITIONS, MOST_TENSORS, JointSpec

__all__ = [
    "MOST_LEVEL",
    "MOST_POSITIONS",
    "MOST_TENSORS",
    "JointSpec",
    "Units",
    "arrange",
    "decode_joint",
    "encode_joint",
    "find_units",
    "measure_joint",
    "price_joint",
    "reorder",
]
