"""Seeds of one setup are put together, and what is compared differs in one thing only."""

from pathlib import Path

import pytest

from freezepack.bench.report.arrange import Study, arrange
from freezepack.bench.report.compare import tell_gap
from freezepack.bench.report.distortion import frontier
from freezepack.bench.report.groups import Group, group_runs, pair_groups
from freezepack.bench.report.layers import layers_of
from freezepack.bench.report.rows import keep_newest, read_runs
from freezepack.bench.report.show import show_count, show_seeds, show_share, show_spread
from freezepack.bench.report.sources import cover_experiments, warn_of_code
from tests.unit.bench.report_rows import make_row, write_rows


def groups_of(path: Path, rows: list[dict[str, str]]) -> list[Group]:
    return group_runs(keep_newest(read_runs(write_rows(path / "a.csv", rows)))[0])


def studies_of(path: Path, rows: list[dict[str, str]]) -> list[Study]:
    return arrange(groups_of(path, rows))


def test_a_group_has_mean_and_sample_deviation_by_seed(tmp_path: Path) -> None:
    rows = [make_row(seed=s, test_accuracy=a) for s, a in ((3, 0.98), (1, 0.96), (2, 0.97))]
    (group,) = groups_of(tmp_path, rows)
    assert [run.seed for run in group.runs] == [1, 2, 3]
    assert group.accuracy.mean == pytest.approx(97.0)
    assert group.accuracy.sd == pytest.approx(1.0)
    assert group.error.mean == pytest.approx(3.0)
    assert show_spread(group.accuracy) == "97.00 ± 1.00"
    assert group.factor == pytest.approx(1724320 / 21627)
    assert group.key == rows[1]["config"][:8]


def test_one_seed_has_no_deviation_and_is_marked(tmp_path: Path) -> None:
    (group,) = groups_of(tmp_path, [make_row()])
    assert show_spread(group.accuracy) == "98.50"
    assert [show_count(n) for n in (1, 2, 3)] == ["1†", "2†", "3"]


def test_differences_are_of_common_seeds(tmp_path: Path) -> None:
    rows = [make_row(seed=s, test_accuracy=a) for s, a in ((1, 0.98), (2, 0.97), (3, 0.90))]
    rows += [make_row(seed=s, fill="zeros", test_accuracy=a) for s, a in ((1, 0.95), (2, 0.96))]
    (pair,) = pair_groups(groups_of(tmp_path, rows))
    assert pair.difference is not None
    assert pair.difference.n == 2
    assert pair.difference.mean == pytest.approx(2.0)
    assert show_spread(pair.difference, sign=True) == "+2.00 ± 1.41"
    assert show_seeds(pair) == "3, 2†"


def test_twins_with_other_training_are_no_twins(tmp_path: Path) -> None:
    rows = [make_row(), make_row(fill="zeros", epochs=13)]
    assert [pair.difference for pair in pair_groups(groups_of(tmp_path, rows))] == [None, None]


def test_lossy_rows_stay_out_of_pairs(tmp_path: Path) -> None:
    groups = groups_of(tmp_path, [make_row(), make_row(values="grid:2", test_accuracy=0.5)])
    (pair,) = pair_groups(groups)
    assert pair.groups[0].accuracy.mean == pytest.approx(98.5)


def test_runs_stand_where_they_belong(tmp_path: Path) -> None:
    steps = '{"strategy_args":{"steps":100}}'
    rows = [
        make_row(freezing_rate="0"),
        make_row(freezing_rate="0.98"),
        make_row(freezing_rate="0.99"),
        make_row(score="grasp"),
        make_row(strategy="force", options=steps),
        make_row(options='{"strategy_args":{"budget":"erk"}}'),
        make_row(scheme="kaiming_normal"),
        make_row(scheme="kaiming_normal", score="grasp"),
        make_row(options='{"lr":0.1}'),
        make_row(method="edge-popup", freezing_rate="0.5", scheme="signed_constant"),
        make_row(model="lenet-300-100"),
        make_row(values="grid:3"),
    ]
    first, study, tried = studies_of(tmp_path, rows)
    assert first.title == "lenet-300-100, MNIST"
    assert study.title == "lenet5-caffe, MNIST (12 epochs)"
    assert tried.title == "lenet5-caffe, MNIST (12 epochs, lr=0.1)"
    assert [pair.setup.freezing_rate for pair in tried.sweep] == ["0.99"]
    assert [one.is_first for one in (first, study, tried)] == [True, True, False]
    assert study.dense is not None
    assert study.dense.setup.rate == 0
    assert [pair.setup.freezing_rate for pair in study.sweep] == ["0.98", "0.99"]
    methods = [(p.setup.score, p.setup.strategy, p.setup.options) for p in study.methods["0.99"]]
    assert methods == [
        ("snip", "one-shot", "{}"),
        ("grasp", "one-shot", "{}"),
        ("snip", "one-shot", '{"strategy_args":{"budget":"erk"}}'),
        ("snip", "force", steps),
    ]
    assert [p.setup.scheme for p in study.schemes["0.99"]] == ["xavier_normal", "kaiming_normal"]
    assert set(study.methods) == set(study.schemes) == {"0.99"}
    assert [pair.setup.method for pair in study.supermasks] == ["edge-popup"]
    assert [(p.setup.score, p.setup.scheme) for p in study.others] == [("grasp", "kaiming_normal")]
    assert [group.values for group in study.lossy] == ["grid:3"]


def test_every_lossless_run_stands_somewhere(tmp_path: Path) -> None:
    rows = [
        make_row(freezing_rate=rate, score=score, scheme=scheme, epochs=epochs)
        for rate in ("0", "0.9", "0.99")
        for score in ("snip", "random")
        for scheme in ("xavier_normal", "signed_constant")
        for epochs in (5, 6)
    ]
    found = set()
    for study in studies_of(tmp_path, rows):
        sides = [*study.methods.values(), *study.schemes.values()]
        pairs = [*study.sweep, *study.others, *(pair for side in sides for pair in side)]
        found |= {group.key for pair in pairs for group in pair.groups}
        assert study.dense is not None
        assert (study.dense.setup.score, study.dense.setup.scheme) == ("snip", "xavier_normal")
        found.add(study.dense.key)
    assert found == {row["config"][:8] for row in rows}


def test_recipes_stand_apart_the_longest_sweep_first(tmp_path: Path) -> None:
    rows = [make_row(freezing_rate=q, epochs=6) for q in ("0", "0.9", "0.98", "0.99")]
    rows += [make_row(epochs=5, score=score) for score in ("snip", "grasp", "random", "synflow")]
    rows += [make_row(epochs=5, score="grasp", seed=seed) for seed in (2, 3)]
    first, second = studies_of(tmp_path, rows)
    assert (first.recipe, second.recipe) == ("6 epochs", "5 epochs")
    assert [pair.setup.freezing_rate for pair in first.sweep] == ["0.9", "0.98", "0.99"]
    assert (first.has_sweep, second.has_sweep) == (True, False)
    assert second.dense is None
    assert len(second.methods["0.99"]) == 4


def test_the_gap_is_told_with_its_exceptions(tmp_path: Path) -> None:
    accuracies = {"0.9": (0.990, 0.991), "0.98": (0.985, 0.985), "0.99": (0.97, 0.95)}
    rows = [
        make_row(freezing_rate=rate, fill=fill, test_accuracy=accuracy)
        for rate, pair in accuracies.items()
        for fill, accuracy in zip(("seed", "zeros"), pair, strict=True)
    ]
    (study,) = studies_of(tmp_path, rows)
    assert tell_gap(study.sweep) == (
        "The FreezeNet is at or above its twin at 2 of 3 rates, by -0.10 to +2.00 points; the gap "
        "widens with every step. Below it at 0.9 (-0.10)."
    )
    assert tell_gap(study.sweep[1:]) == (
        "The FreezeNet is at or above its twin at 2 of 2 rates, by +0.00 to +2.00 points."
    )


def test_few_experiments_cover_all_runs(tmp_path: Path) -> None:
    rows = [make_row(experiment=name, seed=s) for s in (1, 2) for name in ("a-small", "b-all")]
    rows += [make_row(experiment="b-all", seed=3), make_row(experiment="c", seed=4)]
    runs, _ = keep_newest(read_runs(write_rows(tmp_path / "a.csv", rows)))
    assert cover_experiments(runs) == ["b-all", "c"]


def test_several_codes_of_one_kind_are_warned_of(tmp_path: Path) -> None:
    rows = [make_row(seed=1, code="1" * 16), make_row(seed=2, code="1" * 16)]
    rows += [make_row(score="grasp", code="3" * 16)]
    assert warn_of_code(read_runs(write_rows(tmp_path / "a.csv", rows))) == []
    rows += [make_row(seed=3, code="2" * 16)]
    assert warn_of_code(read_runs(write_rows(tmp_path / "a.csv", rows))) == [
        "runs of lenet5-caffe, mnist, snip, one-shot come from several versions of the code: "
        "`1111111111111111` (2 rows), `2222222222222222` (1 rows)"
    ]


def test_layers_are_means_over_seeds_and_whole_ones_are_left_out(tmp_path: Path) -> None:
    rows = [
        make_row(seed=s, layers=f'{{"a.weight":[{k},1000],"b.weight":[7,7]}}')
        for s, k in ((1, 10), (2, 30))
    ]
    (study,) = studies_of(tmp_path, rows)
    (layer,) = layers_of(study.sweep)
    assert (layer.name, layer.count, layer.shares) == ("a.weight", 1000, {"0.99": 0.02})


def test_the_frontier_has_what_nothing_beats() -> None:
    assert frontier([(3, 1.0), (1, 3.0), (2, 3.0), (4, 1.0), (5, 0.5)]) == {0, 1, 4}
    assert frontier([]) == set()


def test_shares_keep_two_digits() -> None:
    assert [show_share(x) for x in (0.9949, 0.995, 0.05012, 1e-6)] == [
        "99 %",
        "100 %",
        "5 %",
        "0.0001 %",
    ]
