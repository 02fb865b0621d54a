"""`inspect --plot`: what is drawn, and when nothing is written."""

from pathlib import Path
from typing import Any

import pytest

from freezepack.cli import inspect_plot
from freezepack.cli.inspect_plot import Row, draw_pack, rows_of
from tests.cli.conftest import Command

MAGIC = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF"}


def tensor(name: str, entries: int, trained: int, index: int, values: int) -> dict[str, Any]:
    sizes = {"index_bytes": index, "value_bytes": values}
    return {"name": name, "entries": entries, "trained": trained, **sizes}


def facts(tensors: list[dict[str, Any]], header: int) -> dict[str, Any]:
    total = header + sum(t["index_bytes"] + t["value_bytes"] for t in tensors)
    entries, trained = (sum(t[key] for t in tensors) for key in ("entries", "trained"))
    sums = {"entries": entries, "trained": trained, "rebuilt_bytes": 4 * entries}
    return {"bytes": total, "tensors": tensors, **sums}


SOME = [tensor("a.weight", 100, 3, 5, 12), tensor("a.bias", 4, 4, 0, 16)]


def test_the_rows_are_the_tensors_and_the_header_and_add_up_to_the_file() -> None:
    assert rows_of(facts(SOME, 50)) == [
        Row("a.weight", 100, 3, 5, 12),
        Row("a.bias", 4, 4, 0, 16),
        Row("header, names, checksums", 0, 0, 0, 0, 50),
    ]


def test_many_tensors_without_a_mask_are_one_row_for_each_kind() -> None:
    many = [
        *(tensor(f"{i}.conv.weight", 90, 9, 2, 30) for i in range(3)),
        *(tensor(f"{i}.still.weight", 90, 0, 0, 0) for i in range(2)),
        *(tensor(f"{i}.norm.weight", 8, 8, 0, 32) for i in range(3)),
        tensor("head.bias", 5, 5, 0, 20),
    ]
    assert rows_of(facts(many, 7), most=6) == [
        *(Row(f"{i}.conv.weight", 90, 9, 2, 30) for i in range(3)),
        Row("head.bias", 5, 5, 0, 20),
        Row("*.weight (3 tensors)", 24, 24, 0, 96),
        Row("*.weight (2 tensors)", 180, 0, 0, 0),
        Row("header, names, checksums", 0, 0, 0, 0, 7),
    ]


def test_the_smallest_of_still_more_tensors_are_one_row() -> None:
    many = [tensor(f"{i}", 90, 9, 2, size) for i, size in enumerate([30, 10, 40, 20, 50])]
    rows = rows_of(facts(many, 7), most=3)
    assert [row.name for row in rows[:-1]] == ["2", "4", "the 3 smallest others"]
    assert (rows[2].index_bytes, rows[2].value_bytes) == (6, 60)
    assert sum(row.nbytes for row in rows) == facts(many, 7)["bytes"]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_is_written_beside_the_text(
    command: Command, trained: Path, tmp_path: Path, kind: str
) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / f"model.{kind}"
    done = command("inspect", trained / "model.fpk", "--plot", target)
    assert (done.code, done.err) == (0, "")
    assert "fc1.weight" in done.out
    first = target.read_bytes()
    assert first.startswith(MAGIC[kind])
    again = command("inspect", trained / "model.fpk", "--plot", target)
    assert again.code == 1
    assert "--force" in again.err
    assert command("inspect", trained / "model.fpk", "--plot", target, "--force").code == 0
    assert target.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize(
    "tensors",
    [
        [],
        [tensor("empty", 0, 0, 0, 0)],
        [tensor("still", 10, 0, 0, 0), tensor("rare", 10**9, 1, 4, 4)],
        [tensor("a_name_that_is_much_too_long." * 9 + "weight", 100, 3, 5, 12)],
    ],
)
@pytest.mark.filterwarnings("error")
def test_unusual_packs_are_drawn(tensors: list[dict[str, Any]]) -> None:
    pytest.importorskip("matplotlib")
    assert draw_pack("a $strange_name$.fpk", facts(tensors, 60), ".svg").startswith(MAGIC["svg"])


@pytest.mark.parametrize(("name", "known"), [("a.jpg", "'.jpg'"), ("a", "''"), ("-", "''")])
def test_an_unknown_kind_of_picture_is_refused_before_the_pack_is_read(
    command: Command, tmp_path: Path, name: str, known: str
) -> None:
    (tmp_path / "bad.fpk").write_bytes(b"no pack")
    done = command("inspect", tmp_path / "bad.fpk", "--plot", name)
    assert done.code == 2
    assert f"no picture named {known}" in done.err
    assert "Known: .pdf, .png, .svg." in done.err


def test_without_matplotlib_the_extra_is_named_and_nothing_is_written(
    command: Command, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_plot, "find_spec", lambda name: None)
    done = command("inspect", trained / "model.fpk", "--plot", tmp_path / "a.png")
    assert (done.code, done.out) == (1, "")
    assert "needs matplotlib" in done.err
    assert "pip install 'freezepack[bench]'" in done.err
    assert not (tmp_path / "a.png").exists()


def test_a_failed_drawing_leaves_the_old_picture(
    command: Command, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "a.png").write_bytes(b"old")

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inspect_plot, "draw_pack", fail)
    done = command("inspect", trained / "model.fpk", "--plot", tmp_path / "a.png", "--force")
    assert done.code == 1
    assert (tmp_path / "a.png").read_bytes() == b"old"
