"""All paths draw the same, a rebuild is base, patch and digest, figures follow from times."""

import numpy as np
import pytest

from freezepack import native
from freezepack.bench.speed import fills
from freezepack.bench.speed.cases import FILL, PEER, REBUILD, FillCase, Wanted, choose_cases
from freezepack.bench.speed.fills import compare_paths, draw_patch, init_of, measure_fills
from freezepack.bench.speed.paths import KEY, Patch, Path, keep_instruction_set, list_paths
from freezepack.bench.speed.threads import copy_bytes, use_threads
from freezepack.bench.speed.turns import Pace, Timing
from freezepack.digest import digest
from freezepack.errors import VerificationError
from freezepack.random import fill_raw
from freezepack.types import DType, Init, RawArray

ONCE = Pace(most=1, least=1)
PATHS = list_paths()


class Liar:
    """Draws zeros."""

    is_slow = True

    def choose(self) -> None:
        pass

    def fill(self, out: RawArray, dtype: DType, init: Init) -> None:
        out[:] = 0

    def rebuild(self, out: RawArray, dtype: DType, init: Init, patch: Patch) -> int:
        return 0


def case(path: str, work: str = FILL, dtype: str = "float32", size: int = 1000) -> FillCase:
    return FillCase(path, "normal", dtype, size, 1, work)


@pytest.mark.parametrize("dtype", [DType.float32, DType.bfloat16])
@pytest.mark.parametrize("name", list(PATHS))
def test_every_path_rebuilds_base_patch_and_digest(name: str, dtype: DType) -> None:
    init = init_of("normal")
    out = np.zeros(300_001, dtype.raw)  # two threads, and a tile that is not full
    positions, values = draw_patch(out)
    with use_threads(2), keep_instruction_set():
        PATHS[name].choose()
        found = PATHS[name].rebuild(out, dtype, init, (positions, values))
    wanted = np.zeros_like(out)
    fill_raw(wanted, dtype, key=KEY, init=init, backend="numpy")
    wanted[positions] = values
    assert out.tobytes() == wanted.tobytes()
    assert found == digest(wanted)


def test_a_patch_replaces_about_a_hundredth() -> None:
    positions, values = draw_patch(np.zeros(10_000, np.uint16))
    assert 95 <= positions.size <= 100
    assert values.dtype == np.uint16
    assert (np.diff(positions.astype(np.int64)) > 0).all()
    assert draw_patch(np.zeros(1, np.uint32))[0].tolist() == [0]


def test_a_path_that_draws_other_bits_is_not_timed() -> None:
    paths: dict[str, Path] = {"numpy": PATHS["numpy"], "liar": Liar()}
    with pytest.raises(VerificationError, match="liar draws other bits for normal float32"):
        compare_paths([case("numpy"), case("liar")], paths)


def test_figures_follow_from_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {
        case("numpy"): Timing([2e-6, 4e-6], [1e-6, 1e-6]),
        case("numpy", REBUILD): Timing([4e-6, 5e-6], [1e-6, 2e-6]),
        case(PEER): Timing([6e-6, 2e-6], [1e-6, 1e-6]),
    }
    monkeypatch.setattr(fills, "take_turns", lambda jobs, pace: {key: times[key] for key in jobs})
    first, second, third = measure_fills(list(times), PATHS, ONCE, lambda line: None)
    assert first == {
        "path": "numpy",
        "draw": "normal",
        "dtype": "float32",
        "elements": 1000,
        "threads": 1,
        "work": "fill",
        "seconds": pytest.approx(3e-6),
        "gb_per_s": pytest.approx(4000 / 3e-6 / 1e9),
        "elements_per_s": pytest.approx(1000 / 3e-6),
        "memcpy_gb_per_s": pytest.approx(4.0),
        "memcpy_ratio": pytest.approx(0.375),  # median of 1/2 and 1/4
        "torch_ratio": pytest.approx(1.75),  # median of 6/2 and 2/4
        "fill_ratio": None,
        "rounds": 2,
    }
    assert second["fill_ratio"] == pytest.approx(0.65)  # median of 2/4 and 4/5
    assert second["torch_ratio"] == pytest.approx(0.95)  # median of 6/4 and 2/5
    assert third["torch_ratio"] == 1.0


def test_narrow_types_count_their_own_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fills, "take_turns", lambda jobs, pace: {key: Timing([1e-6], [1e-6]) for key in jobs}
    )
    rows = measure_fills([case("numpy", dtype="float16")], PATHS, ONCE, lambda line: None)
    assert rows[0]["gb_per_s"] == pytest.approx(2.0)
    assert rows[0]["torch_ratio"] is None


def test_a_real_measurement_has_every_row_in_order() -> None:
    wanted = Wanted(sizes=(3000,), threads=(1, 2))
    slow = {name: path.is_slow for name, path in PATHS.items()}
    cases = choose_cases(wanted, slow, 2)
    lines: list[str] = []
    rows = measure_fills(cases, PATHS, ONCE, lines.append)
    assert [(r["path"], r["draw"], r["threads"], r["work"]) for r in rows] == [
        (c.path, c.draw, c.threads, c.work) for c in cases
    ]
    assert all(row["gb_per_s"] > 0 and row["memcpy_ratio"] > 0 for row in rows)
    assert lines[1] == f"{len(cases) // 2} fills of 3,000 elements, threads: 2"


@pytest.mark.skipif(native.library() is None, reason="the kernel is not built")
def test_every_instruction_set_is_a_path_and_the_choice_is_undone() -> None:
    sets = native.instruction_sets()
    assert list(PATHS)[: len(sets)] == [f"native {name}" for name in reversed(sets)]
    before = native.get_instruction_set()
    with keep_instruction_set():
        for name in sets:
            PATHS[f"native {name}"].choose()
            assert native.get_instruction_set() == name
    assert native.get_instruction_set() == before


def test_threads_are_as_before_afterwards() -> None:
    before = native.get_num_threads()
    with use_threads(before + 3):
        assert native.get_num_threads() == before + 3
    assert native.get_num_threads() == before


def test_memcpy_copies_everything_with_every_number_of_threads() -> None:
    source = np.arange(5_000_000, dtype=np.uint64).view(np.uint8)
    for threads in (1, 3):
        out = np.zeros_like(source)
        with use_threads(threads):
            copy_bytes(out, source)
        assert out.tobytes() == source.tobytes()
