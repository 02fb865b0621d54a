import json
from pathlib import Path

from freezepack.train.folder import METRICS, REPLACEMENT, settle


def test_folders_and_files_of_a_replacement_take_the_places_of_older_ones(tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "old.png").write_text("old")
    (tmp_path / "notes").write_text("a file")
    (tmp_path / "table").mkdir()
    aside = tmp_path / REPLACEMENT
    (aside / "plots").mkdir(parents=True)
    (aside / "plots" / "new.png").write_text("new")
    (aside / "notes").mkdir()
    (aside / "table").write_text("a file")
    (aside / METRICS).write_text(json.dumps({"event": "end"}) + "\n")
    settle(tmp_path)
    settle(tmp_path)
    assert not aside.exists()
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["new.png"]
    assert (tmp_path / "notes").is_dir()
    assert (tmp_path / "table").read_text() == "a file"
