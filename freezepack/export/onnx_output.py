"""Where the files of an export go: beside each other, all of them or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freezepack.errors import CheckpointError
from freezepack.export.onnx_write import Make, model_pieces, write_external
from freezepack.export.staging import stage_files
from freezepack.files import STANDARD, write_output

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True)
class Models:
    """What an export writes.

    Attributes
    ----------
    model : ModelProto
        The network; initializers without data are made when they are written.
    generator : ModelProto or None
        What makes the weights of `model`, for the route of two files.
    external : bool
        Put the weights of `model` in a file of their own.
    """

    model: onnx.ModelProto
    generator: onnx.ModelProto | None = None
    external: bool = False

    def names(self, name: str) -> list[str]:
        """Return the names of the files, in the order in which they take their places.

        Examples
        --------
        >>> Models(None, external=True).names("m.onnx")
        ['m.onnx.data', 'm.onnx']
        """
        first = [f"{name.removesuffix('.onnx')}.generator.onnx"] if self.generator else []
        return [*first, *([f"{name}.data"] if self.external else []), name]


@contextmanager
def write_models(
    models: Models, make: Make, path: str | os.PathLike[str], *, force: bool
) -> Iterator[list[Path]]:
    """Write files to a folder and give their paths; they take their places when the block ends.

    Raises
    ------
    OutputExistsError
        If a file exists and `force` is False.
    CheckpointError
        If there are several files for standard output or a pipe.
    """
    target = Path(path)
    is_file = os.fspath(path) != STANDARD and (target.is_file() or not target.exists())
    names = models.names(target.name if is_file else "model.onnx")
    if not is_file and len(names) > 1:
        raise CheckpointError(f"{' and '.join(names)} cannot go to standard output or a pipe")
    with ExitStack() as stack:
        if is_file:
            outputs = [target.with_name(name) for name in names]
            folder = stack.enter_context(stage_files(outputs, force=force))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _fill(folder, models, make, names)
        yield [folder / name for name in names]
        if not is_file:
            write_output(path, [(folder / names[-1]).read_bytes()], force=force)


def _fill(folder: Path, models: Models, make: Make, names: Sequence[str]) -> None:
    model = models.model
    if models.external:
        model = write_external(model, make, folder, names[-2])
    if models.generator is not None:
        _stream(models.generator, make, folder / names[0])
    _stream(model, make, folder / names[-1])


def _stream(model: onnx.ModelProto, make: Make, path: Path) -> None:
    with path.open("xb") as file:
        file.writelines(model_pieces(model, make))
