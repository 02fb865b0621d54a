from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from freezepack.codecs import VALUE_CODECS
from freezepack.codecs.grid.codec import Grid
from freezepack.codecs.grid.step import Step
from freezepack.errors import FreezepackError, UnknownNameError
from freezepack.format.reader import PackReader
from freezepack.pack.claims import Claim
from freezepack.pack.lossy import Rounded, round_values
from freezepack.pack.lossy_accept import keeps_accuracy, keeps_predictions, keeps_values
from freezepack.pack.lossy_round import round_to_grid
from freezepack.pack.lossy_search import find_grid
from freezepack.pack.packer import pack_arrays
from freezepack.random import fill_raw, make_init
from freezepack.rebuild.rebuilder import Rebuilder
from freezepack.types import DType, RawArray, SeedBase, TensorSpec

Arrays = dict[str, tuple[TensorSpec, RawArray]]
SIZE = 2000


def numbers(arrays: Arrays, name: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] = arrays[name][1].view(np.float32)
    return found


@pytest.fixture(scope="module")
def model() -> tuple[Arrays, dict[str, Claim]]:
    """A weight of which 400 entries are trained, a bias, and what must not be rounded."""
    rng = np.random.default_rng(3)
    init = make_init("normal", 0.1)
    raw = np.empty(SIZE, np.uint32)
    fill_raw(raw, DType.float32, key=1, init=init)
    mask = np.zeros(SIZE, np.bool_)
    mask[rng.permutation(SIZE)[:400]] = True
    weight = raw.view(np.float32).copy()
    weight[mask] += rng.normal(scale=0.1, size=400).astype(np.float32)
    bias = rng.normal(scale=0.02, size=50).astype(np.float32)
    arrays = {
        "bias": bias,
        "bn.running_var": np.abs(bias),
        "steps": np.array([7], np.int64),
        "weight": weight,
    }
    specs = {
        "weight": TensorSpec("weight", (20, 100), DType.float32),
        "steps": TensorSpec("steps", (1,), DType.int64),
    }
    packed = {
        name: (
            specs.get(name, TensorSpec(name, array.shape, DType.float32)),
            array.view(f"<u{array.itemsize}"),
        )
        for name, array in arrays.items()
    }
    return packed, {"weight": Claim(SeedBase(1), init, mask)}


def pack(rounded: Rounded, claims: dict[str, Claim]) -> tuple[int, dict[str, str]]:
    """Pack, read back, compare every bit; return the bytes and the value codecs."""
    packed = pack_arrays(rounded.arrays, claims=claims, codecs=rounded.codecs)
    with PackReader(b"".join(packed.pieces)) as reader:
        rebuilder = Rebuilder(reader)
        for name, (_, raw) in rounded.arrays.items():
            assert rebuilder.tensor(name).tobytes() == raw.tobytes()
    return packed.report.nbytes, {t.name: t.values for t in packed.report.tensors}


def test_grid_4_has_steps_of_a_quarter_of_the_standard_deviation(
    model: tuple[Arrays, dict[str, Claim]],
) -> None:
    arrays, claims = model
    rounded = round_values(arrays, claims, "grid:4", rate=0.0)
    codec = rounded.codecs["weight"]
    assert isinstance(codec, Grid)
    # 4 * 2**21 / 2**4 = 2**19 = 128 * 2**12.
    assert codec.step == Step(128, 12, claims["weight"].init.bits)  # type: ignore[union-attr]
    loss = rounded.losses["weight"]
    assert (loss.codec, loss.values, loss.step) == ("grid", 400, 0.25)
    assert 0.12 < loss.max_error <= 0.1251
    assert 0.065 < loss.rms_error < 0.08
    assert 0.248 < rounded.losses["bias"].step <= 0.25
    nbytes, codecs = pack(rounded, claims)
    assert codecs == {"bias": "grid", "bn.running_var": "float", "steps": "raw", "weight": "grid"}
    assert nbytes < 800


def test_only_trained_values_of_parameters_are_rounded(
    model: tuple[Arrays, dict[str, Claim]],
) -> None:
    arrays, claims = model
    rounded = round_values(arrays, claims, "grid:3")
    assert list(rounded.losses) == ["bias", "weight"]
    assert rounded.arrays["bn.running_var"] is arrays["bn.running_var"]
    mask = claims["weight"].mask
    assert mask is not None
    frozen = ~mask
    before, after = arrays["weight"][1], rounded.arrays["weight"][1]
    assert np.array_equal(before[frozen], after[frozen])
    assert not np.array_equal(before[mask], after[mask])


@pytest.mark.parametrize("choice", ["bf16", "fp16"])
def test_sixteen_bits_are_packed_as_such(
    model: tuple[Arrays, dict[str, Claim]], choice: str
) -> None:
    arrays, claims = model
    rounded = round_values(arrays, claims, choice)
    assert 0 < rounded.losses["weight"].max_error < 0.02
    assert rounded.losses["weight"].step == 0.0
    _, codecs = pack(rounded, claims)
    assert codecs["weight"] == codecs["bias"] == choice
    # Asked for by name, packing rounds by itself, to the same bits.
    packed = pack_arrays(arrays, claims=claims, values=choice)
    assert packed.report.lossy
    again = pack_arrays(rounded.arrays, claims=claims, values=choice)
    assert b"".join(packed.pieces) == b"".join(again.pieces)


def test_fewer_bits_are_fewer_bytes_and_more_error(
    model: tuple[Arrays, dict[str, Claim]],
) -> None:
    arrays, claims = model
    steps = [round_values(arrays, claims, f"grid:{bits}") for bits in (6, 4.5, 3, 1.5)]
    sizes = [pack(rounded, claims)[0] for rounded in steps]
    assert sizes == sorted(sizes, reverse=True)
    errors = [rounded.losses["weight"].rms_error for rounded in steps]
    assert errors == sorted(errors)


def test_the_same_input_gives_the_same_bytes(model: tuple[Arrays, dict[str, Claim]]) -> None:
    arrays, claims = model
    first, second = (round_values(arrays, claims, "grid:1") for _ in range(2))
    for name in arrays:
        assert first.arrays[name][1].tobytes() == second.arrays[name][1].tobytes()


@pytest.mark.parametrize("choice", ["grid:", "grid:auto", "grid:nan", "grid", "bf17"])
def test_unknown_choices_are_named(model: tuple[Arrays, dict[str, Claim]], choice: str) -> None:
    with pytest.raises(UnknownNameError, match="no lossy value coding named"):
        round_values(*model, choice)


def test_what_cannot_be_rounded_stays() -> None:
    arrays: Arrays = {
        "nan": (TensorSpec("nan", (2,), DType.float32), np.array([1, 0x7FC00001], "<u4")),
        "same": (TensorSpec("same", (2,), DType.float32), np.array([9, 9], "<u4")),
        "zeros": (TensorSpec("zeros", (2,), DType.float32), np.zeros(2, "<u4")),
        "empty": (TensorSpec("empty", (0,), DType.float32), np.zeros(0, "<u4")),
    }
    rounded = round_values(arrays, {}, "grid:4")
    assert not rounded.losses
    assert rounded.arrays == arrays


def test_narrow_types_and_far_values_find_a_grid() -> None:
    values = np.array([1.0, -2.0, 0.5, 100.0], np.float16)
    spec = TensorSpec("w", (4,), DType.float16)
    rounded = round_values({"w": (spec, values.view(np.uint16))}, {}, "grid:6")
    assert rounded.losses["w"].max_error <= rounded.losses["w"].step
    # A value of 1e6 standard deviations needs a coarser shift than the step asks for.
    init = make_init("normal", 1e-4)
    raw = np.empty(100, np.uint32)
    fill_raw(raw, DType.float32, key=1, init=init)
    raw.view(np.float32)[7] = 100.0
    claim = Claim(SeedBase(1), init, np.arange(100) == 7)
    arrays: Arrays = {"w": (TensorSpec("w", (100,), DType.float32), raw)}
    assert not round_values(arrays, {"w": claim}, "grid:4").losses
    mask = np.arange(100) < 10
    rounded = round_values(arrays, {"w": Claim(SeedBase(1), init, mask)}, "grid:4")
    codec = rounded.codecs["w"]
    assert isinstance(codec, Grid)
    assert codec.step is not None
    assert codec.step.multiple << codec.step.shift <= 2**19
    assert numbers(rounded.arrays, "w")[7] == pytest.approx(100.0, abs=1e-4)


def test_rounding_looks_at_the_rate_where_most_integers_are_zero() -> None:
    place = np.concatenate([np.zeros(90), np.full(10, 0.55)])
    assert round_to_grid(place, rate=0.0).sum() == 10
    assert round_to_grid(place, rate=0.1).sum() == 0
    important = np.concatenate([np.full(99, 0.1), [100.0]])
    assert round_to_grid(place, important, rate=0.1).tolist() == [0] * 99 + [1]
    # Where values are many steps away from 0, the nearest is taken.
    far = np.linspace(-20.4, 20.4, 100)
    assert round_to_grid(far, rate=0.1).tolist() == np.rint(far).tolist()


def test_steps_follow_the_sensitivity(model: tuple[Arrays, dict[str, Claim]]) -> None:
    arrays, claims = model
    flat = {"weight": np.full(SIZE, 4.0), "bias": np.full(50, 0.04)}
    even = round_values(arrays, claims, "grid:4", rate=0.0)
    rounded = round_values(arrays, claims, "grid:4", rate=0.0, sensitivity=flat)
    wide = {name: loss.step * loss.std for name, loss in rounded.losses.items()}
    assert 9.8 < wide["bias"] / wide["weight"] < 10.2

    def damage(found: Rounded) -> float:
        errors = {name: numbers(found.arrays, name) - numbers(arrays, name) for name in flat}
        return sum(float((flat[name] * error**2).sum()) for name, error in errors.items())

    assert damage(rounded) < damage(even)


def counting(accept: Callable[[Rounded], bool]) -> tuple[Callable[[Rounded], bool], list[float]]:
    seen: list[float] = []

    def counted(rounded: Rounded) -> bool:
        seen.append(rounded.losses["weight"].step)
        return accept(rounded)

    return counted, seen


def test_the_search_finds_the_coarsest_grid(model: tuple[Arrays, dict[str, Claim]]) -> None:
    arrays, claims = model
    accept, seen = counting(keeps_values(0.1))
    found = find_grid(arrays, claims, accept)
    assert 0.085 < max(loss.rms_error for loss in found.losses.values()) <= 0.1
    assert len(seen) <= 20
    # A sixteenth of an octave coarser would be too much.
    level = np.log2(4 / found.losses["weight"].step)
    assert level * 16 == pytest.approx(round(level * 16), abs=0.2)
    coarser = round_values(arrays, claims, f"grid:{level - 0.075}")
    assert max(loss.rms_error for loss in coarser.losses.values()) > 0.1


def test_the_search_goes_finer_and_gives_up(model: tuple[Arrays, dict[str, Claim]]) -> None:
    arrays, claims = model
    fine = find_grid(arrays, claims, keeps_values(0.001))
    assert fine.losses["weight"].rms_error <= 0.001
    with pytest.raises(
        FreezepackError, match="no grid was accepted, up to grid:16: allow a larger"
    ):
        find_grid(arrays, claims, lambda rounded: False)


def test_the_search_keeps_to_its_evaluations(model: tuple[Arrays, dict[str, Claim]]) -> None:
    arrays, claims = model
    accept, seen = counting(lambda rounded: True)
    found = find_grid(arrays, claims, accept, evaluations=3)
    assert len(seen) == 3
    assert found.losses["weight"].step == seen[-1] == 0.5


def test_a_second_test_asks_for_finer_grids(model: tuple[Arrays, dict[str, Claim]]) -> None:
    arrays, claims = model
    first = find_grid(arrays, claims, keeps_values(0.1))
    check, seen = counting(lambda rounded: len(seen) == 10)
    found = find_grid(arrays, claims, keeps_values(0.1), check=check)
    assert seen[0] == first.losses["weight"].step
    # Eight times a sixteenth of an octave finer, then two of them.
    assert seen[0] / seen[1] == pytest.approx(2 ** (1 / 16), rel=0.01)
    assert seen[0] / seen[8] == pytest.approx(2 ** (8 / 16), rel=0.01)
    assert seen[0] / seen[9] == pytest.approx(2 ** (10 / 16), rel=0.01)
    assert found.losses["weight"].step == seen[9]
    with pytest.raises(FreezepackError, match="no grid was accepted, up to grid:16"):
        find_grid(arrays, claims, keeps_values(0.1), check=lambda rounded: False)


def with_tensors(count: int) -> Rounded:
    spec = TensorSpec("w", (1,), DType.float32)
    return Rounded({str(i): (spec, np.zeros(1, "<u4")) for i in range(count)}, {}, {})


def test_a_twentieth_of_a_point_may_be_lost_and_no_more() -> None:
    # Of 10,000 answers five more may be wrong.
    right = {0: 9800, 1: 9795, 2: 9794, 3: 9900}
    accept = keeps_accuracy(lambda arrays: right[len(arrays)] / 10_000, {})
    assert [accept(with_tensors(count)) for count in range(4)] == [True, True, False, True]


def test_a_nat_and_a_half_is_worth_the_whole_accuracy() -> None:
    nats = {0: 0.0, 1: 0.00075, 2: 0.000751}
    accept = keeps_predictions(lambda arrays: nats[len(arrays)])
    assert [accept(with_tensors(count)) for count in range(3)] == [True, True, False]
    accept = keeps_predictions(lambda arrays: nats[len(arrays)], tolerance=0.001)
    assert accept(with_tensors(2))


def test_the_registered_codec_codes_nothing_without_a_grid() -> None:
    bits = np.array([0.5], np.float32).view(np.uint32)
    assert VALUE_CODECS.get_part("grid").encode(bits, DType.float32, None) is None
