"""Broken sections of the codecs that have a chapter of their own."""

from collections.abc import Callable
from functools import partial

from vector_writer.assemble import Assembly, u32
from vector_writer.codec_bases import (
    BF16,
    FLOAT,
    FP16,
    bf16,
    floats,
    floats_near,
    fp16,
    free,
    grid,
    grid_drawn,
    hazard,
    hazard_turned,
    joint,
    joint_checked,
    joint_drawn,
    probit,
)
from vector_writer.edits import Edit, Refusal, both, payload, put

_FLOAT = FLOAT.hex()
_INT32 = put("dtype", 9)
_FAR = bytes.fromhex("42de000002")


def _refusal(
    rule: str,
    kind: str,
    edit: Edit | str,
    shift: int = 0,
    *,
    field: str,
    base: Callable[[], Assembly],
) -> Refusal:
    """Return a refusal by an edit, or by another section in hexadecimal."""
    if isinstance(edit, str):
        stored = bytes.fromhex(edit)
        edit = both(payload(0, stored), put(f"{field}_length", len(stored)))
    return Refusal(rule, kind, field, edit, 0, base, at="payload", shift=shift, stage="load")


def _parameter(data: str) -> Edit:
    return put("value_parameter", bytes.fromhex(data))


_hazard = partial(_refusal, field="index", base=hazard)
_turned = partial(_refusal, field="index", base=hazard_turned)
_probit = partial(_refusal, field="index", base=probit)
_free = partial(_refusal, field="index", base=free)
_float = partial(_refusal, field="values", base=floats)
_near = partial(_refusal, field="values", base=floats_near)
_grid = partial(_refusal, field="values", base=grid)
_drawn = partial(_refusal, field="values", base=grid_drawn)
_joint = partial(_refusal, field="values", base=joint)
_bf16 = partial(_refusal, field="values", base=bf16)
_fp16 = partial(_refusal, field="values", base=fp16)

MASKS = (
    _hazard("hazard-short", "truncated", ""),
    _hazard("hazard-count", "corrupt", "92ffffffff"),
    _hazard("hazard-padded", "corrupt", "923500"),
    _hazard("hazard-long", "corrupt", "923501"),
    _turned("hazard-turned-long", "corrupt", "925801"),
    _probit("probit-short", "truncated", "d6"),
    _probit("probit-width", "corrupt", "d63133"),
    _probit("probit-count", "corrupt", "d630ffffffff"),
    _probit("probit-padded", "corrupt", "d6303300"),
    _probit("probit-long", "corrupt", "d6303301"),
    _free("free-short", "truncated", ""),
    _free("free-number-cut", "truncated", "28", 1),
    _free("free-number-padded", "corrupt", "a80036"),
    _free("free-number-long", "corrupt", "a880800036"),
    _free("free-marked", "corrupt", "2d3603"),
    _free("free-locked", "corrupt", "289d0103", 1),
    _free("free-codec-cut", "truncated", "2836", 2),
    _free("free-codec-unknown", "corrupt", "283604", 2),
    _free("free-codec-none", "corrupt", "283600", 2),
    _free("free-codec-all", "corrupt", "283601", 2),
    _free("free-none-left", "corrupt", "2c0003", 2),
    _free("free-all-left", "corrupt", "289c0103", 3),
    _free("free-inner-cut", "truncated", "283603664a", 3),
    _free("free-inner-long", "corrupt", "283603664a820000", 7),
)

VALUES = (
    _float("float-type", "corrupt", _INT32),
    _float("float-short", "truncated", ""),
    _float("float-head-cut", "truncated", "96"),
    _float("float-raw-cut", "truncated", _FLOAT[:20]),
    _float("float-raw", "corrupt", "98" + _FLOAT[2:]),
    _float("float-shift-zero", "corrupt", "bf1600" + _FLOAT[2:]),
    _float("float-shift-near", "corrupt", "ff1401" + _FLOAT[2:]),
    _float("float-equal-zero", "corrupt", "9600" + _FLOAT[4:]),
    _float("float-equal", "corrupt", "9608" + _FLOAT[4:]),
    _float("float-varint-padded", "corrupt", "968100" + _FLOAT[4:]),
    _float("float-varint-long", "corrupt", "9601ff808000" + _FLOAT[8:]),
    _float("float-padding", "corrupt", _FLOAT[:40] + "80" + _FLOAT[42:], 4),
    _float("float-long", "corrupt", _FLOAT + "00", 4),
    _near("float-same-raw", "corrupt", "9601"),
    _near("float-same-long", "corrupt", "800100", 2),
    _near("float-top", "corrupt", "168201010000e2", 3),
    _near("float-top-low", "corrupt", "406480", 2),
    _near("float-exponent", "corrupt", "16ac02010000", 3),
    _near("float-as-base", "corrupt", "3f00167f86", 4),
    _near("float-rank", "corrupt", "409f01", 3),
    _grid("grid-type", "corrupt", _INT32),
    _grid("grid-factor-small", "corrupt", _parameter("7f00")),
    _grid("grid-factor-large", "corrupt", _parameter("0173")),
    _grid("grid-factor-sign", "corrupt", _parameter("80be")),
    _drawn("grid-multiple", "corrupt", _parameter("000e")),
    _drawn("grid-shift", "corrupt", _parameter("c818")),
    _drawn("grid-factor-shift", "corrupt", both(put("scale", u32(0x73000000)), _parameter("c801"))),
    _grid("grid-sum", "corrupt", "ffffffffffffffffc2da"),
    _grid("grid-padded", "corrupt", "1100"),
    _grid("grid-long", "corrupt", "11ff"),
    _grid("grid-zeros", "corrupt", "00"),
    _joint("joint-type", "corrupt", _INT32),
    _joint("joint-factor", "corrupt", _parameter("7f00")),
    Refusal(
        "joint-sum",
        "corrupt",
        "values",
        both(),
        0,
        partial(joint_drawn, _FAR),
        at="payload",
        stage="load",
    ),
    _joint("joint-padded", "corrupt", "f8b34300"),
    _joint("joint-long", "corrupt", "f8b34301"),
    Refusal("joint-codec", "corrupt", "value_codec", put("value_codec", 0), base=joint),
    Refusal("joint-empty", "corrupt", "tensor_kind", put("dimension", 0), base=joint),
    Refusal(
        "run-checksum",
        "corrupt",
        "unit_checksum",
        payload(0, b"\1", 1),
        base=joint_checked,
        at="payload",
        stage="load",
    ),
    _bf16("bf16-type", "corrupt", _INT32),
    _bf16("bf16-infinite", "corrupt", "06ff012b0000ffffff79b5b705372bbcf8"),
    _bf16("bf16-nan", "corrupt", "06ff012b0000ffffff79b5b70536adbe7a"),
    _bf16("bf16-long", "corrupt", BF16.hex() + "00", 3),
    _fp16("fp16-type", "corrupt", _INT32),
    _fp16("fp16-infinite", "corrupt", "091f550100f80fffffc8729207"),
    _fp16("fp16-nan", "corrupt", "091f550100f80fffffc8729071"),
    _fp16("fp16-long", "corrupt", FP16.hex() + "00", 2),
)
