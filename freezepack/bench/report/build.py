"""Writing the report, or checking that what is there is what the tables give."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from freezepack.bench.report.contents import COMMAND, build_page
from freezepack.bench.report.html import to_html
from freezepack.bench.report.inputs import read_inputs
from freezepack.bench.report.page import Block, Figure, to_markdown
from freezepack.bench.report.plots.style import (
    Picture,
    digest_of,
    draw_files,
    files_of,
    read_digest,
)
from freezepack.bench.tables import check_outputs
from freezepack.errors import MissingExtraError
from freezepack.files import write_output

MARKDOWN, HTML = "report.md", "report.html"
_NEEDS = {"markdown_it": "markdown-it-py", "matplotlib": "matplotlib", "PIL": "pillow"}


def write_report(
    results: Path, experiments: Path, output: Path, *, force: bool = False
) -> Iterator[Path]:
    """Write tables, page and pictures, and yield the path of each file that is written.

    Parameters
    ----------
    results, experiments : path
        Folders of the tables and of the TOML files.
    output : path
        Folder for the report; made if it is not there.
    force : bool
        Replace files that are there.

    Raises
    ------
    MissingExtraError
        If a package for pictures or pages is not installed.
    InputError
        If a table cannot be used.
    OutputExistsError
        If a file is there and `force` is False.
    """
    _check_packages(_NEEDS)
    blocks = build_page(read_inputs(results, experiments))
    texts, pictures = _texts(blocks), _pictures(blocks)
    names = [*texts, *(name for picture in pictures for name in files_of(picture))]
    check_outputs([output / name for name in names], force)
    output.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        for name, png in draw_files(picture).items():
            yield _write(output / name, png)
    for name, text in texts.items():
        yield _write(output / name, text.encode())


def check_report(results: Path, experiments: Path, output: Path) -> list[str]:
    """Return what is wrong with the report in a folder; nothing is written, nothing is drawn.

    Texts have to be the same; of a picture, the numbers that it says it was drawn from.
    """
    _check_packages(["markdown_it", "PIL"])
    blocks = build_page(read_inputs(results, experiments))
    problems = []
    for name, text in _texts(blocks).items():
        path = output / name
        if not path.exists():
            problems.append(f"{path} is missing")
        elif path.read_text(encoding="utf-8") != text:
            problems.append(f"{path} is not what the tables give")
    for picture in _pictures(blocks):
        for path in (output / name for name in files_of(picture)):
            if not path.exists():
                problems.append(f"{path} is missing")
            elif read_digest(path.read_bytes()) != digest_of(picture):
                problems.append(f"{path} shows other numbers than the tables have")
    return problems


def _texts(blocks: Sequence[Block]) -> dict[str, str]:
    markdown = to_markdown(blocks)
    return {MARKDOWN: markdown, HTML: to_html(markdown)}


def _pictures(blocks: Sequence[Block]) -> list[Picture]:
    return [block.picture for block in blocks if isinstance(block, Figure)]


def _check_packages(modules: Sequence[str] | dict[str, str]) -> None:
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(_NEEDS[module], "bench", COMMAND)


def _write(path: Path, data: bytes) -> Path:
    write_output(path, [data], force=True)
    return path
