import math

import numpy as np
import pytest

from freezepack.errors import UnknownNameError
from freezepack.random.init import check_init, find_init_problem, find_range_problem, make_init
from freezepack.types import Draw, DType, Init


@pytest.mark.parametrize(
    ("draw", "scale", "bits"),
    [
        ("normal", 1.0, 0x35000000),
        ("normal", 0.02, 0x3223D70A),
        ("uniform", 1.0, 0x33800000),
        ("sign", 0.05, 0x3D4CCCCD),
        ("constant", -0.6, 0xBF19999A),
        ("constant", 0.0, 0x00000000),
        ("constant", -0.0, 0x80000000),
        ("constant", 2.0**-149, 0x00000001),
        ("normal", 2.0**-105, 0x00800000),
        ("normal", 2.0**124, 0x73000000),
        ("uniform", 2.0**-102, 0x00800000),
        ("uniform", 2.0**127, 0x73000000),
    ],
)
def test_scale_bits_of_usual_parameters(draw: str, scale: float, bits: int) -> None:
    assert make_init(draw, scale) == Init(Draw[draw], bits)


def test_the_scale_is_rounded_once() -> None:
    # Just above the middle of two float32 numbers; a detour would land on the tie.
    scale = 1.0 + 2.0**-24 + 2.0**-50
    assert make_init("sign", scale).bits == 0x3F800001
    assert make_init("sign", np.float32(1.0)).bits == 0x3F800000


@pytest.mark.parametrize(("cut", "tail"), [(1, 1362838254), (2, 195422145), (3, 11595536)])
def test_the_tail_of_a_cut(cut: int, tail: int) -> None:
    assert make_init("truncated_normal", 1.0, cut=cut).tail == tail
    assert make_init(Draw.truncated_normal, 1.0, tail=tail, stream=8) == Init(
        Draw.truncated_normal, 0x35000000, tail, 8
    )


@pytest.mark.parametrize("draw", ["normal", "uniform", "sign"])
@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e39])
def test_scales_out_of_range_are_refused(draw: str, scale: float) -> None:
    with pytest.raises(ValueError, match=f"of {draw} (is|are) .*, expected "):
        make_init(draw, scale)


@pytest.mark.parametrize("scale", [math.nan, math.inf, 1e39])
def test_a_constant_is_finite(scale: float) -> None:
    with pytest.raises(ValueError, match=r"scale bits of constant are 0x7f.*, expected a finite"):
        make_init("constant", scale)


def test_scales_just_out_of_range_are_refused() -> None:
    below = np.nextafter(np.float32(2.0**-105), np.float32(0))
    above = np.nextafter(np.float32(2.0**124), np.float32(np.inf))
    for scale in (below, above):
        with pytest.raises(ValueError, match=r"expected 2\.465190328815662e-32 to 2\.126"):
            make_init("normal", scale)
    for bits in (0x007FFFFF, 0x73000001, 0xB5000000):
        assert "expected a number from 2**-126 to 2**103" in find_init_problem(
            Init(Draw.uniform, bits)
        )
    for bits in (0x007FFFFF, 0x7F800000, 0xBF800000, -1, 2**32):
        assert "expected a positive number" in find_init_problem(Init(Draw.sign, bits))
    for bits in (0x7F800000, 0xFFC00000, -1, 2**32):
        assert "expected a finite number" in find_init_problem(Init(Draw.constant, bits))


def test_the_cut_is_given_once() -> None:
    with pytest.raises(ValueError, match=r"truncated_normal has no cut, expected one such as"):
        make_init("truncated_normal", 1.0)
    with pytest.raises(ValueError, match="cut and tail are both given"):
        make_init("truncated_normal", 1.0, cut=2.0, tail=5)
    with pytest.raises(ValueError, match="tail of normal is 5, expected 0"):
        make_init("normal", 1.0, tail=5)


@pytest.mark.parametrize(("cut", "tail"), [(0.0, 2**32), (7.0, 0), (-1.0, 7227096338)])
def test_cuts_out_of_range_are_refused(cut: float, tail: int) -> None:
    with pytest.raises(ValueError, match=f"tail of truncated_normal is {tail}, expected 1 to 4294"):
        make_init("truncated_normal", 1.0, cut=cut)


@pytest.mark.parametrize("stream", [-1, 2**63])
def test_streams_out_of_range_are_refused(stream: int) -> None:
    with pytest.raises(ValueError, match=f"stream is {stream}, expected 0 to 9223372036854775807"):
        make_init("normal", 1.0, stream=stream)


def test_an_unknown_draw_has_a_hint() -> None:
    with pytest.raises(UnknownNameError, match=r"no draw named 'norml'\. Did you mean 'normal'\?"):
        make_init("norml", 1.0)


def test_float16_must_hold_the_largest_value() -> None:
    fits = make_init("normal", 65503.99 / 13_291_661 * 2**21)
    check_init(fits, DType.float16)
    over = make_init("normal", 65504.01 / 13_291_661 * 2**21)
    problem = find_range_problem(over, DType.float16)
    assert problem.startswith("float16 ends at 65504, but the normal draw reaches 65504.0")
    assert find_range_problem(over, DType.float32) == ""
    assert find_range_problem(make_init("constant", -65504.0), DType.float16) == ""
    assert "reaches 65505.0" in find_range_problem(make_init("sign", 65505.0), DType.float16)


def test_bfloat16_must_hold_a_constant() -> None:
    assert find_range_problem(Init(Draw.constant, 0xFF7F7FFF), DType.bfloat16) == ""
    assert "as bfloat16 is infinite" in find_range_problem(
        Init(Draw.constant, 0xFF7F8000), DType.bfloat16
    )


@pytest.mark.parametrize("dtype", [DType.int8, DType.float8_e4m3fn, DType.complex64, DType.bool])
def test_other_types_have_no_seeded_base(dtype: DType) -> None:
    with pytest.raises(ValueError, match=f"dtype is {dtype.name}, expected float32, float16"):
        check_init(make_init("normal", 1.0), dtype)
