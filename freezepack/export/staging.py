"""Several files that take their places together, or none of them does."""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from freezepack.errors import OutputExistsError
from freezepack.files import check_output, name_output


@contextmanager
def stage_files(paths: Sequence[Path], *, force: bool = False) -> Iterator[Path]:
    """Give a new folder beside the outputs; what is in it takes its place when the block ends.

    Parameters
    ----------
    paths : sequence of Path
        The outputs, all in one folder. The files of the same names are moved there in this order;
        one that was not made is left out. If one cannot be moved, those before it are taken back
        and what they replaced is put back.
    force : bool
        Replace files that are there.

    Raises
    ------
    OutputExistsError
        If an output exists, at the beginning or at the end, and `force` is False.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     with stage_files([Path(name, "a.onnx")]) as folder:
    ...         _ = (folder / "a.onnx").write_bytes(b"abc")
    ...     os.listdir(name)
    ['a.onnx']
    """
    for path in paths:
        check_output(path, force=force)
    folder = paths[0].with_name(f".freezepack-{secrets.token_hex(8)}.tmp")
    try:
        with name_output(paths[0]):
            folder.mkdir()
            yield folder
        _place_all(folder, [path for path in paths if (folder / path.name).exists()], force)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place_all(folder: Path, paths: Sequence[Path], force: bool) -> None:
    for path in paths:
        with (folder / path.name).open("rb") as file:
            os.fsync(file.fileno())
    kept = folder / "replaced"
    kept.mkdir()
    placed: list[Path] = []
    try:
        for path in paths:
            if os.path.lexists(path) and force:
                _keep_mode(path, folder / path.name)
                path.replace(kept / path.name)
            placed.append(path)
            _move(folder / path.name, path)
    except BaseException:
        for path in reversed(placed):
            _take_back(path, folder / path.name, kept / path.name)
        raise


def _move(made: Path, target: Path) -> None:
    """Give a file its name; one of that name which appeared meanwhile stays."""
    try:
        os.link(made, target)
    except FileExistsError:
        message = f"{target} exists; --force (force=True) replaces it"
        raise OutputExistsError(message) from None
    except OSError:
        check_output(target)  # no links on this file system: all that is left is to look
        made.replace(target)


def _take_back(target: Path, made: Path, old: Path) -> None:
    with suppress(OSError):
        if not made.exists() or (target.exists() and target.samefile(made)):
            target.unlink()
    if os.path.lexists(old):
        old.replace(target)


def _keep_mode(old: Path, new: Path) -> None:
    found = old.lstat().st_mode
    if stat.S_ISREG(found):
        new.chmod(stat.S_IMODE(found))
