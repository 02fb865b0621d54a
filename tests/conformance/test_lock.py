"""The vectors are those of the lock: a changed vector is a change of the format."""

import hashlib

from tests.conformance.vectors import VECTORS


def test_every_vector_is_as_it_was_locked() -> None:
    lines = (VECTORS / "LOCK").read_text(encoding="utf-8").splitlines()
    locked = {name: found for found, name in (line.split("  ") for line in lines)}
    found = {
        path.relative_to(VECTORS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VECTORS.rglob("*.*")
    }
    assert sorted(locked) == sorted(found)
    assert [name for name in found if locked[name] != found[name]] == []


def test_the_vectors_of_whole_files_stay_small() -> None:
    files = [*(VECTORS / "files").iterdir(), *(VECTORS / "refused").iterdir()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
