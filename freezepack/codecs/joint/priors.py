"""Where counters and effects start; formats/joint.md, section 9.

They were found by descent on the bytes of trained networks and rounded: means to 1/32 where they
are not multiplied, variances to 1 and 1.5 times powers of two.
"""

from typing import NamedTuple


class Start(NamedTuple):
    """Start of an effect: mean in 2**-16, variance in 2**-24."""

    mean: int
    variance: int


class Prior(NamedTuple):
    """What differs between planes, images and other matrices; counts are in 1/16."""

    row_stays: int
    row_turns: int
    channel_dies: int
    channel_lives: int
    fed: int
    bias: Start
    row: Start
    channel: Start
    column: Start
    cell: Start
    place: Start
    left: tuple[Start, ...]
    up: tuple[Start, ...]
    up_left: tuple[Start, ...]
    up_right: tuple[Start, ...]
    pattern: Start
    around: Start
    slope: Start
    blur: Start
    side: Start
    signs: tuple[Start, ...]
    alike: Start
    magnitude: Start
    strong_row: Start
    large: tuple[Start, ...]
    agree: tuple[Start, ...]


PRIORS = (
    Prior(
        row_stays=91,
        row_turns=10,
        channel_dies=2568,
        channel_lives=2592,
        fed=70,
        bias=Start(-59392, 1572864),
        row=Start(0, 524288),
        channel=Start(0, 393216),
        column=Start(0, 3145728),
        cell=Start(0, 1048576),
        place=Start(0, 786432),
        left=(
            Start(0, 196608),
            Start(43008, 196608),
            Start(38912, 196608),
        ),
        up=(
            Start(0, 196608),
            Start(32768, 196608),
            Start(28672, 196608),
        ),
        up_left=(
            Start(0, 196608),
            Start(24576, 196608),
            Start(22528, 196608),
        ),
        up_right=(
            Start(0, 196608),
            Start(26624, 196608),
            Start(24576, 196608),
        ),
        pattern=Start(0, 393216),
        around=Start(-8192, 393216),
        slope=Start(8704, 196608),
        blur=Start(16384, 786432),
        side=Start(0, 65536),
        signs=(
            Start(86016, 786432),
            Start(45056, 786432),
            Start(36864, 786432),
            Start(-16384, 786432),
            Start(-26624, 786432),
        ),
        alike=Start(0, 524288),
        magnitude=Start(-77824, 67108864),
        strong_row=Start(0, 196608),
        large=(
            Start(0, 262144),
            Start(-10240, 262144),
            Start(16384, 262144),
            Start(16384, 262144),
        ),
        agree=(
            Start(-16384, 131072),
            Start(0, 131072),
            Start(16384, 131072),
        ),
    ),
    Prior(
        row_stays=45,
        row_turns=23,
        channel_dies=16,
        channel_lives=16,
        fed=77,
        bias=Start(-20480, 1572864),
        row=Start(0, 49152),
        channel=Start(0, 786432),
        column=Start(0, 0),
        cell=Start(0, 0),
        place=Start(0, 0),
        left=(
            Start(0, 196608),
            Start(28672, 196608),
            Start(59392, 196608),
        ),
        up=(
            Start(0, 196608),
            Start(12288, 196608),
            Start(26624, 196608),
        ),
        up_left=(
            Start(0, 196608),
            Start(16384, 196608),
            Start(32768, 196608),
        ),
        up_right=(
            Start(0, 196608),
            Start(14336, 196608),
            Start(28672, 196608),
        ),
        pattern=Start(0, 1572864),
        around=Start(-3072, 1572864),
        slope=Start(6656, 196608),
        blur=Start(8192, 1572864),
        side=Start(0, 393216),
        signs=(
            Start(131072, 6291456),
            Start(122880, 6291456),
            Start(110592, 6291456),
            Start(71680, 6291456),
            Start(26624, 6291456),
        ),
        alike=Start(0, 2097152),
        magnitude=Start(-137216, 67108864),
        strong_row=Start(0, 786432),
        large=(
            Start(0, 12288),
            Start(2048, 12288),
            Start(55296, 12288),
            Start(55296, 12288),
        ),
        agree=(
            Start(-20480, 24576),
            Start(0, 24576),
            Start(20480, 24576),
        ),
    ),
    Prior(
        row_stays=64,
        row_turns=4,
        channel_dies=328,
        channel_lives=2816,
        fed=90,
        bias=Start(45056, 6291456),
        row=Start(0, 4194304),
        channel=Start(0, 1572864),
        column=Start(0, 0),
        cell=Start(0, 0),
        place=Start(0, 0),
        left=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
        up=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
        up_left=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
        up_right=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
        pattern=Start(0, 0),
        around=Start(0, 0),
        slope=Start(0, 0),
        blur=Start(0, 0),
        side=Start(0, 8388608),
        signs=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
        alike=Start(0, 1572864),
        magnitude=Start(20480, 67108864),
        strong_row=Start(0, 65536),
        large=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
        agree=(
            Start(0, 0),
            Start(0, 0),
            Start(0, 0),
        ),
    ),
)
CHANNEL = Start(32768, 16777216)
NEAR = (
    (
        Start(-26624, 8388608),
        Start(26624, 8388608),
        Start(0, 8388608),
    ),
    (
        Start(-12288, 3145728),
        Start(12288, 3145728),
        Start(0, 3145728),
    ),
    (
        Start(-26624, 8388608),
        Start(26624, 8388608),
        Start(0, 8388608),
    ),
    (
        Start(-26624, 8388608),
        Start(26624, 8388608),
        Start(0, 8388608),
    ),
    (
        Start(-12288, 3145728),
        Start(12288, 3145728),
        Start(0, 3145728),
    ),
    (
        Start(-12288, 3145728),
        Start(12288, 3145728),
        Start(0, 3145728),
    ),
)
LINE = Start(0, 786432)
DEPTH = Start(0, 524288)
FALL = Start(0, 16777216)
BASE_SIDE = Start(0, 393216)
LATER = Start(-65536, 67108864)
TRAINED = (
    Start(-77824, 67108864),
    Start(-196608, 4194304),
)
LAST_SIZE = (
    Start(-20480, 8388608),
    Start(0, 8388608),
    Start(20480, 8388608),
)
POSITIVE = Start(0, 8388608)
LAST_SIGN = Start(0, 4194304)
LAST_POWER = Start(0, 4194304)
FIRST_OF_VECTOR = Start(0, 8388608)
LATER_OF_VECTOR = Start(0, 8388608)
