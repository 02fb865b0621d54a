"""Files of a made-up network: every form gives it back; cold loads only where there are any."""

import os
from pathlib import Path

import numpy as np
import pytest

from freezepack.bench.speed import loads, rivals
from freezepack.bench.speed.cache import drop_cache, is_cached
from freezepack.bench.speed.loads import MEMCPY, measure_loads
from freezepack.bench.speed.network import SEED, make_network, mask_of
from freezepack.bench.speed.rivals import FAST, SMALL, store_forms
from freezepack.bench.speed.turns import Pace
from freezepack.errors import (
    CorruptError,
    FreezepackError,
    MissingExtraError,
    VerificationError,
)
from freezepack.random import fill_raw
from freezepack.types import DType

ONCE = Pace(most=1, least=1)


def quiet(line: str) -> None:
    """Say nothing."""


def test_trained_weights_have_moved_and_the_others_are_the_base() -> None:
    network = make_network(4_005_000, 0.99)
    assert [w.shape for w in network.weights.values()] == [(2000, 2000), (2, 2000), (1000,)]
    assert (network.size, network.trained) == (4_005_000, 40_000 + 40 + 10)
    for name, weight in network.weights.items():
        base = np.empty(weight.size, np.uint32)
        fill_raw(base, DType.float32, key=SEED, init=network.inits[name])
        changed = weight.view(np.uint32).reshape(-1) != base
        assert not (changed & ~network.masks[name].reshape(-1)).any()
        assert changed.mean() > 0.009


def test_masks_go_to_the_index_suite_as_positions() -> None:
    network = make_network(7, 0.5)
    mask = mask_of(network, "0.5")
    assert (mask.size, mask.count, mask.rate, mask.seed) == (7, 4, "0.5", SEED)
    [tensor] = mask.tensors
    assert np.flatnonzero(network.masks[tensor.name]).tolist() == tensor.positions.tolist()


def test_every_form_gives_the_network_back(tmp_path: Path) -> None:
    forms = list(store_forms(make_network(6000, 0.99), tmp_path, small=True))
    assert [form.name for form in forms][:4] == [
        FAST,
        SMALL,
        "safetensors, copied",
        "torch.load",
    ]
    assert [form.checked for form in forms] == [form.name.startswith("pack") for form in forms]
    assert all(form.path.parent == tmp_path for form in forms)


def test_damage_is_found_by_the_forms_that_are_said_to_check(tmp_path: Path) -> None:
    forms = list(store_forms(make_network(60_000, 0.5), tmp_path, small=True))
    for form in forms:
        if form.name == rivals.ZIPNN:
            continue  # what its decoder does with other bytes is not defined
        data = bytearray(form.path.read_bytes())
        data[len(data) // 2] ^= 1
        form.path.write_bytes(data)
        if form.checked:
            with pytest.raises(CorruptError):
                form.load_it()
        else:
            form.load_it()


def test_a_form_that_gives_something_else_is_not_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rivals, "load_copied", lambda path: {})
    with pytest.raises(VerificationError, match="safetensors, copied does not give the network"):
        list(store_forms(make_network(10, 0.5), tmp_path, small=False))


@pytest.mark.parametrize("drops", [True, False])
def test_rows_are_warm_and_where_the_cache_can_be_dropped_cold(
    drops: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "drop_cache", lambda path: drops)
    lines: list[str] = []
    rows = measure_loads([3000], [1], ONCE, lines.append, scratch=tmp_path)
    warm = [row["file"] for row in rows if row["cache"] == "warm"]
    cold = [row["file"] for row in rows if row["cache"] == "cold"]
    assert warm == [*warm[:-1], MEMCPY]
    assert cold == (warm[:-1] if drops else [])
    assert ("cold loads are not measured" in lines[-1]) is not drops
    assert list(rows[0]) == [
        "file",
        "cache",
        "weights",
        "threads",
        "file_bytes",
        "seconds",
        "least_seconds",
        "gb_per_s",
        "times_pack",
        "checked",
        "rounds",
    ]
    assert (rows[0]["file"], rows[0]["weights"], rows[0]["times_pack"]) == (FAST, 3000, 1.0)
    assert not list(tmp_path.iterdir())  # the files are gone


def test_a_folder_without_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FreezepackError, match=r"expected 16,000,000,000,000,000 for the files"):
        measure_loads([10**15], [1], ONCE, quiet, scratch=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(FreezepackError, match="--scratch names one that exists"):
        measure_loads([10], [1], ONCE, quiet, scratch=tmp_path / "none")


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "find_spec", lambda name: None if name == "safetensors" else name)
    with pytest.raises(MissingExtraError, match=r"needs safetensors, .*freezepack\[torch\]"):
        measure_loads([10], [1], ONCE, quiet)


def test_a_file_that_was_just_read_is_cached(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(100_000))
    path.read_bytes()
    assert is_cached(path)


def test_a_system_that_cannot_drop_pages_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    assert not drop_cache(tmp_path / "a")
