"""The size suite codes a mask as a file would, checks every coder, and reports what it did."""

from pathlib import Path

import numpy as np
import pytest

from freezepack.bench import suite
from freezepack.bench.cases import CASES, Case
from freezepack.bench.coding import Cost, index_costs, smallest, tensor_cost, total, units
from freezepack.bench.mask_tables import mask_rows, mask_tables
from freezepack.bench.masks import NetworkMask, TensorMask
from freezepack.bench.rates import measure_rates, rate_table
from freezepack.bench.suite import find_cases, measure_mask
from freezepack.codecs.base import IndexCodec, Unit
from freezepack.codecs.bitmap import BITMAP
from freezepack.codecs.gaps import GAPS
from freezepack.errors import UnknownNameError, VerificationError
from freezepack.random import make_init
from freezepack.types import Positions

CASE = Case("toy", "lenet-300-100", "mnist", 8, 3.0)


CODECS_OF_LARGE_UNITS = ["hazard", "gaps", "bitmap"]


def tensor(name: str, shape: tuple[int, ...], positions: list[int], stream: int) -> TensorMask:
    init = make_init("normal", 0.1, stream=stream)
    return TensorMask(name, shape, init, np.array(positions, np.uint32))


def toy() -> NetworkMask:
    parts = (
        tensor("a", (10, 30), list(range(0, 300, 7)), 0),
        tensor("b", (4, 5), [], 1),
        tensor("c", (2, 3), [0, 1, 2, 3, 4, 5], 2),
        tensor("d", (6, 2, 3, 3), [5, 60, 61], 3),
    )
    return NetworkMask(CASE, 1, "0.995", parts)


def test_counts_are_those_of_all_tensors() -> None:
    assert (toy().size, toy().count) == (300 + 20 + 6 + 108, 43 + 0 + 6 + 3)


def test_a_bitmap_costs_its_bytes_and_counts_and_the_ends_cost_nothing() -> None:
    costs = index_costs(toy(), "seed")["bitmap"]
    # ceil(300/8) and ceil(108/8) bytes; a count of one byte each, no lengths
    assert costs == {"a": Cost(38, 1), "b": Cost(0, 0), "c": Cost(0, 0), "d": Cost(14, 1)}
    assert total(costs) == Cost(52, 2)


def test_a_codec_of_varying_length_pays_for_the_length() -> None:
    gaps = index_costs(toy(), "seed")["gaps"]
    assert gaps["d"].header == 2
    best = smallest({"bitmap": {"x": Cost(9, 1)}, "gaps": {"x": Cost(8, 2)}})
    assert best == Cost(9, 1)  # the first of equals


def test_tensors_that_a_codec_cannot_code_are_left_out_of_its_costs() -> None:
    costs = index_costs(toy(), "zeros")
    assert [set(costs[name]) for name in ("bitmap", "gaps", "hazard")] == [set("abcd")] * 3
    assert set(costs["base-top"]) == set("bc")
    assert {r.coder for r in measure_mask(toy()) if r.kind == "codec"}.isdisjoint({"base-top"})


def test_a_file_takes_a_codec_also_if_it_codes_only_some_tensors() -> None:
    every = {"x": Cost(9, 1), "y": Cost(7, 2)}
    assert smallest({"hazard": every, "hazard-turned": {"y": Cost(6, 2)}}) == Cost(15, 3)


def test_units_are_whole_rows_with_positions_counted_from_their_start() -> None:
    long = tensor("w", (3, 700_000), [1, 700_000, 1_400_001, 2_099_999], 0)
    cut = list(units(long, 1, "zeros"))
    assert [(u.start, u.rows, u.cols, p.tolist()) for u, p in cut] == [
        (0, 1, 700_000, [1]),
        (700_000, 1, 700_000, [0]),
        (1_400_000, 1, 700_000, [1, 699_999]),
    ]
    assert tensor_cost(GAPS, long, 1, "seed") == tensor_cost(GAPS, long, 1, "zeros")


class Liar(type(BITMAP)):  # type: ignore[misc]
    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        return np.arange(count, dtype=np.uint32)


def test_a_codec_that_returns_another_mask_stops_the_measurement() -> None:
    codec: IndexCodec = Liar()
    with pytest.raises(VerificationError, match="bitmap does not return the mask of 'a'"):
        tensor_cost(codec, toy().tensors[0], 1, "seed")


def test_every_coder_has_a_line_and_bits_are_per_trained_weight() -> None:
    results = measure_mask(toy())
    found = {(r.kind, r.coder, r.base): r for r in results}
    assert found["codec", "bitmap", "seed"].bits == 8 * 52 / 52
    packed = found["file", "packed", "seed"]
    assert packed.bits == 8 * (packed.size + packed.header) / 52
    assert packed.size <= found["codec", "gaps", "seed"].size
    assert ("peer", "zstd-gaps", "") in found
    assert ("peer", "block-rice", "") in found


def test_missing_peers_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "find_spec", lambda package: None)
    results = measure_mask(toy())
    assert [r.coder for r in results if r.kind == "peer"] == ["block-rice"]


def test_tables_show_goals_then_bits_and_bytes_of_each_rate() -> None:
    results = measure_mask(toy())
    tables = mask_tables(results)
    assert [t.title.partition(":")[0] for t in tables[1:]] == ["Freezing rate 0.995"] * 2
    assert tables[0].rows[0][:2] == ["toy", 3.0]
    names = [row[0] for row in tables[1].rows]
    assert names[:3] == ["entropy, n H(k/n)", "entropy, per tensor", "**packed**"]
    assert names.count("**bitmap**") == 1
    assert "**bitmap**, zeros" not in names  # a base makes no difference to it
    assert "**hazard**, zeros" in names
    assert len(mask_rows(results).rows) == len(results)


def test_decoding_is_timed_for_each_codec() -> None:
    rates = measure_rates([toy()], rounds=1)
    assert [rate.codec for rate in rates] == ["probit", "hazard", "gaps", "bitmap"]
    assert next(row[:3] for row in rate_table(rates).rows) == ["toy", "0.995", "probit"]


def test_decoding_is_not_timed_for_a_codec_that_declines() -> None:
    large = NetworkMask(CASE, 1, "0.995", (tensor("w", (600, 1000), [5, 7], 0),))
    assert [rate.codec for rate in measure_rates([large], rounds=1)] == CODECS_OF_LARGE_UNITS


def test_cases_are_found_by_label() -> None:
    assert find_cases(()) == CASES
    assert [case.network for case in find_cases(("vgg16-d-plain-head",))] == ["vgg16-d"]
    with pytest.raises(UnknownNameError, match=r"no case named 'resnet18'\. Did you mean 'resnet"):
        find_cases(("resnet18",))


def test_masks_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from freezepack.bench import masks

    case = Case("digits", "lenet-300-100", "digits", 20, 3.0)
    first = masks.snip_masks(case, 1, ("0.999", "0.99"), None, tmp_path)
    assert {rate: mask.count for rate, mask in first.items()} == {"0.999": 266, "0.99": 2662}
    monkeypatch.setattr(masks, "load_data", None)
    again = masks.snip_masks(case, 1, ("0.99",), None, tmp_path)
    pairs = zip(first["0.99"].tensors, again["0.99"].tensors, strict=True)
    assert all(np.array_equal(a.positions, b.positions) for a, b in pairs)
    weight = again["0.99"].tensors[0]
    assert (weight.name, weight.shape) == ("fc1.weight", (300, 784))
    assert weight.patterns(1, 5, 3).tolist() == weight.patterns(1, 0, 10)[5:8].tolist()
