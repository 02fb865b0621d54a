"""The selection of fills: short, full, or what was named."""

import pytest

from freezepack.bench.speed.cases import (
    FILL,
    MIDDLE,
    PEER,
    REBUILD,
    FillCase,
    Wanted,
    choose_cases,
)
from freezepack.errors import UnknownNameError

PATHS = {"native avx2": False, "native portable": False, "numpy": True}


def test_what_is_named_is_measured_and_nothing_else() -> None:
    wanted = Wanted(("numpy",), ("sign", "normal"), ("float16",), (5, 3), (2,))
    assert choose_cases(wanted, PATHS, 4) == [
        FillCase("numpy", "sign", "float16", 3, 2, FILL),
        FillCase("numpy", "normal", "float16", 3, 2, FILL),
        FillCase("numpy", "normal", "float16", 3, 2, REBUILD),
        FillCase("numpy", "sign", "float16", 5, 2, FILL),
        FillCase("numpy", "normal", "float16", 5, 2, FILL),
        FillCase("numpy", "normal", "float16", 5, 2, REBUILD),
    ]


def test_one_axis_leaves_a_short_choice_for_the_others() -> None:
    found = choose_cases(Wanted(dtypes=("bfloat16",)), PATHS, 4)
    assert {case.path for case in found} == {*PATHS, PEER}
    assert {(case.dtype, case.size, case.threads) for case in found} == {("bfloat16", MIDDLE, 1)}


def test_the_short_selection_compares_paths_and_varies_one_thing_at_a_time() -> None:
    found = choose_cases(Wanted(), PATHS, 4)
    assert len(found) == len(set(found))
    plain = [c for c in found if (c.dtype, c.size, c.threads) == ("float32", MIDDLE, 1)]
    for path in PATHS:
        for work in (FILL, REBUILD):
            assert FillCase(path, "normal", "float32", MIDDLE, 1, work) in plain
    varied = [case for case in found if case not in plain]
    assert {case.path for case in varied} == {"native avx2", PEER}
    assert {case.threads for case in found} == {1, 4}
    assert {case.size for case in found} == {430_500, 11_000_000, 100_000_000}


def test_everything_is_every_combination_but_for_slow_paths() -> None:
    found = choose_cases(Wanted(full=True), PATHS, 4)
    fills = [case for case in found if case.work == FILL]
    fast = [case for case in fills if case.path == "native avx2"]
    assert len(fast) == 5 * 3 * 3 * 2
    slow = [case for case in fills if case.path == "numpy"]
    assert {case.threads for case in slow} == {1}
    assert {case.draw for case in slow if case.size > 430_500} == {"normal", "uniform"}
    assert len([case for case in fills if case.path == PEER]) == 2 * 3 * 3 * 2


def test_groups_of_a_size_and_threads_are_together() -> None:
    keys = [(case.size, case.threads) for case in choose_cases(Wanted(full=True), PATHS, 2)]
    assert keys == sorted(keys)


def test_one_core_has_no_second_number_of_threads() -> None:
    assert {case.threads for case in choose_cases(Wanted(full=True), PATHS, 1)} == {1}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(draws=("nromal",)), "no draw named 'nromal'. Did you mean 'normal'?"),
        (Wanted(paths=("native avx",)), "no path named 'native avx'. Did you mean 'native avx2'?"),
        (Wanted(dtypes=("float64",)), "no element type named 'float64'"),
    ],
)
def test_unknown_names_are_refused(wanted: Wanted, message: str) -> None:
    with pytest.raises(UnknownNameError) as refused:
        choose_cases(wanted, PATHS, 2)
    assert str(refused.value).startswith(message)
