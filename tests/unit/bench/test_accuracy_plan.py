"""What is done is what is missing, and nothing twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from freezepack.bench.accuracy.again import renew, repack_jobs, rerun_job
from freezepack.bench.accuracy.code import code_hash
from freezepack.bench.accuracy.experiment import Experiment
from freezepack.bench.accuracy.plan import Only, Plan, estimate, make_plan, parse_only
from freezepack.bench.accuracy.rows import COLUMNS, Row, describe_config
from freezepack.errors import UnknownNameError
from freezepack.train.config import RunConfig

RUNS = Path("runs")
CONFIGS = tuple(
    RunConfig(data="digits", freezing_rate=rate, seed=seed)
    for rate in ("0.9", "0.99")
    for seed in (1, 2, 3)
)
ONE = Experiment("one", CONFIGS)
TWO = Experiment("two", CONFIGS[:2], ("lossless", "grid:3"))


def row_of(config: RunConfig, experiment: str = "one", **changes: str) -> Row:
    row = dict.fromkeys(COLUMNS, "") | describe_config(config)
    return (
        row | {"experiment": experiment, "values": "lossless", "code": code_hash(config)} | changes
    )


def seeds(plan: Plan) -> list[tuple[str, int]]:
    return [(job.config.freezing_rate, job.config.seed) for job in plan.jobs]


def counts(plan: Plan) -> list[tuple[str, int, int, int]]:
    return [(s.experiment, s.finished, s.stale, s.missing) for s in plan.statuses]


def test_everything_is_missing_at_first() -> None:
    plan = make_plan([ONE], [], RUNS)
    assert counts(plan) == [("one", 0, 0, 6)]
    assert [job.config for job in plan.jobs] == list(CONFIGS)
    job = plan.jobs[0]
    assert job.wanted == (("lossless", ("one",)),)
    assert job.folder == RUNS / f"{CONFIGS[0].hash}-{job.code[:8]}"
    assert job.code == code_hash(CONFIGS[0])


def test_what_is_finished_is_not_done_again() -> None:
    plan = make_plan([ONE], [row_of(config) for config in CONFIGS[:4]], RUNS)
    assert counts(plan) == [("one", 4, 0, 2)]
    assert seeds(plan) == [("0.99", 2), ("0.99", 3)]


def test_rows_of_other_code_are_stale_and_done_again_unless_kept() -> None:
    rows = [row_of(CONFIGS[0], code="0" * 16), row_of(CONFIGS[1])]
    plan = make_plan([ONE], rows, RUNS, only=parse_only(["freezing_rate=0.9"]))
    assert counts(plan) == [("one", 1, 1, 1)]
    assert seeds(plan) == [("0.9", 1), ("0.9", 3)]
    kept = make_plan([ONE], rows, RUNS, keep_stale=True, only=parse_only(["freezing_rate=0.9"]))
    assert counts(kept) == [("one", 1, 1, 1)]
    assert seeds(kept) == [("0.9", 3)]


def test_two_experiments_share_a_run() -> None:
    plan = make_plan([ONE, TWO], [], RUNS, only=parse_only(["seed=1,freezing_rate=0.9"]))
    assert counts(plan) == [("one", 0, 0, 1), ("two", 0, 0, 2)]
    assert [job.wanted for job in plan.jobs] == [
        (("lossless", ("one", "two")), ("grid:3", ("two",)))
    ]


def test_a_row_that_another_experiment_made_is_copied() -> None:
    plan = make_plan([TWO], [row_of(CONFIGS[0], file_bytes="7")], RUNS)
    assert counts(plan) == [("two", 1, 0, 3)]
    assert [(row["experiment"], row["file_bytes"]) for row in plan.copies] == [("two", "7")]
    assert [job.wanted for job in plan.jobs] == [
        (("grid:3", ("two",)),),
        (("lossless", ("two",)), ("grid:3", ("two",))),
    ]


def test_a_stale_row_of_another_experiment_is_copied_only_if_such_are_kept() -> None:
    rows = [row_of(config, code="0" * 16) for config in CONFIGS]
    two = replace(TWO, values=("lossless",))
    assert counts(make_plan([two], rows, RUNS)) == [("two", 0, 0, 2)]
    kept = make_plan([two], rows, RUNS, keep_stale=True)
    assert counts(kept) == [("two", 0, 2, 0)]
    assert (len(kept.copies), kept.jobs) == (2, ())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["seed=2"], [("0.9", 2), ("0.99", 2)]),
        (["seed=1|3,freezing_rate=0.990"], [("0.99", 1), ("0.99", 3)]),
        (["seed=1|3", "seed=3|2"], [("0.9", 3), ("0.99", 3)]),
        (["fill=zeros"], []),
        (["channels_last=true,clip=none,seed=1"], [("0.9", 1), ("0.99", 1)]),
        (["experiment=one,values=lossless,seed=1"], [("0.9", 1), ("0.99", 1)]),
        (["values=grid:3"], []),
        (["experiment=two"], []),
    ],
)
def test_filters_choose_runs(texts: list[str], expected: list[tuple[str, int]]) -> None:
    assert seeds(make_plan([ONE], [], RUNS, only=parse_only(texts))) == expected


def test_a_filter_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'seed' is not of the form FIELD=VALUE"):
        parse_only(["seed"])
    with pytest.raises(UnknownNameError, match=r"no field named 'sed'. Did you mean 'seed'?"):
        parse_only(["sed=1"])


def test_orders_have_the_same_runs() -> None:
    given = seeds(make_plan([ONE], [], RUNS))
    by_seed = seeds(make_plan([ONE], [], RUNS, order="seeds"))
    mixed = seeds(make_plan([ONE], [], RUNS, order="random"))
    assert by_seed == [(rate, seed) for seed in (1, 2, 3) for rate in ("0.9", "0.99")]
    assert sorted(given) == sorted(mixed)
    assert mixed != given
    assert mixed == seeds(make_plan([ONE], [], RUNS, order="random"))


def test_the_time_of_a_run_is_that_of_the_most_alike_per_epoch() -> None:
    config = RunConfig(data="digits", epochs=10)
    rows = [
        row_of(config.changed(epochs=2), wall_seconds=seconds, device="cpu")
        for seconds in ("2.0", "4.0", "60.0")
    ]
    assert estimate(config, rows, "cpu") == 20.0
    assert estimate(config, rows, "cuda") is None
    assert estimate(config.changed(data="mnist"), rows, "cpu") is None
    other = row_of(config.changed(strategy="force"), wall_seconds="100.0", device="cpu")
    assert estimate(config, [*rows, other], "cpu") == 20.0
    assert estimate(config.changed(strategy="force"), [*rows, other], "cpu") == 100.0
    assert estimate(config.changed(strategy="iterative"), rows, "cpu") == 20.0


def test_packs_are_written_anew_by_run_whatever_code_made_it() -> None:
    rows = [
        row_of(CONFIGS[0], code="0" * 16),
        row_of(CONFIGS[0], "two", code="0" * 16),
        row_of(CONFIGS[0], "two", values="grid:3"),
        row_of(CONFIGS[1], "three"),
    ]
    jobs = repack_jobs(rows, ["one", "two"], Only(), RUNS)
    assert [(job.code, job.wanted, job.repack) for job in jobs] == [
        ("0" * 16, (("lossless", ("one", "two")),), True),
        (code_hash(CONFIGS[0]), (("grid:3", ("two",)),), True),
    ]
    assert jobs[0].folder == RUNS / f"{CONFIGS[0].hash}-00000000"


def test_a_new_pack_changes_sizes_and_the_accuracy_of_what_was_rounded() -> None:
    old = row_of(CONFIGS[0], file_bytes="9", test_accuracy="0.5", commit="a")
    new = old | {"file_bytes": "7", "test_accuracy": "0.25", "commit": "b"}
    assert renew(old, new) == old | {"file_bytes": "7"}
    rounded = renew(old | {"values": "grid:3"}, new)
    assert rounded == old | {"values": "grid:3", "file_bytes": "7", "test_accuracy": "0.25"}


def test_the_run_of_a_row_is_repeated_with_all_its_packs() -> None:
    rows = [row_of(CONFIGS[0]), row_of(CONFIGS[0], values="grid:3"), row_of(CONFIGS[1])]
    job, old = rerun_job(rows, CONFIGS[0].hash, RUNS)
    assert job.config == CONFIGS[0]
    assert [values for values, _ in job.wanted] == ["lossless", "grid:3"]
    assert old == {"lossless": rows[0], "grid:3": rows[1]}
    with pytest.raises(UnknownNameError, match="no row of configuration named 'abc'"):
        rerun_job(rows, "abc", RUNS)
