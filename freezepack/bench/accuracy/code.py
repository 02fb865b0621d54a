"""A hash of the code that decides what a run comes to.

Only modules that a run imports count, without comments, docstrings and type hints of imports:
a new score or another wording leaves results of hours valid.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import freezepack
from freezepack.models import MODELS
from freezepack.scores import SCORES
from freezepack.selection import STRATEGIES
from freezepack.train.config import RunConfig
from freezepack.train.data import DATASETS
from freezepack.train.methods import METHODS

PARTS = ("models", "nn", "scores", "selection", "train", "random")
"""Parts of freezepack that decide what training comes to."""
_START = "freezepack.train.runner:run"
WATCHERS = frozenset(
    f"freezepack.train.{name}" for name in ("progress", "tensorboard", "logs", "folder", "result")
)
"""Modules that show and store what happens, and change nothing of it."""
_PLACES = frozenset({"lineno", "col_offset", "end_lineno", "end_col_offset", "ctx", "kind"})


def code_hash(config: RunConfig) -> str:
    """Return 16 hexadecimal digits that change with the code a configuration depends on.

    Parameters
    ----------
    config : RunConfig
        Which model, data set, method, strategy and scores count.

    Notes
    -----
    The heads of packages, which hold tables of parts and names to import, are followed and do not
    count; neither does the C++ kernel, whose numbers are pinned by vectors.

    Examples
    --------
    >>> len(code_hash(RunConfig(data="digits")))
    16
    >>> code_hash(RunConfig(seed=2)) == code_hash(RunConfig(seed=1))
    True
    >>> code_hash(RunConfig(score="synflow")) == code_hash(RunConfig(score="snip"))
    False
    """
    return _hash_from(tuple(sorted(_starts(config))))


def forget_code() -> None:
    """Look at the files anew from now on."""
    _hash_from.cache_clear()


def _starts(config: RunConfig) -> set[str]:
    """Return where the parts that a configuration names live, as in the tables."""
    scores = [config.score, *str(config.strategy_args.get("control", config.score)).split("+")]
    entries = [
        MODELS[config.model],
        DATASETS[config.data],
        METHODS[config.method],
        STRATEGIES[config.strategy],
        *(SCORES[name] for name in scores),
    ]
    return {_START, *(entry.target for entry in entries)}


@cache
def _hash_from(targets: tuple[str, ...]) -> str:
    found: set[str] = set()
    left = [target.partition(":")[0] for target in targets]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _imports(name)
    counted = sorted(name for name in found - WATCHERS if not _is_head(name))
    lines = [*targets, *(f"{name} {_look_at(_path(name).read_bytes()).hash}" for name in counted)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _path(name: str) -> Path:
    """Return the file of a module, there or not."""
    base = Path(freezepack.__file__).parent.joinpath(*name.split(".")[1:])
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _is_head(name: str) -> bool:
    return _path(name).name == "__init__.py"


def _imports(name: str) -> list[str]:
    """Return the modules among `PARTS` that a module imports."""
    found = _look_at(_path(name).read_bytes()).imports
    return [module for module in found if _counts(module) and _path(module).is_file()]


def _counts(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "freezepack" and len(parts) > 1 and parts[1] in PARTS


class _Seen(NamedTuple):
    """What is to be known of a module: names it imports, but for type hints, and its hash."""

    imports: tuple[str, ...]
    hash: str


@cache
def _look_at(text: bytes) -> _Seen:
    tree, found = ast.parse(text), []
    for node in _running(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return _Seen(tuple(found), hashlib.sha256(_write_out(tree).encode()).hexdigest()[:16])


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Return a tree's nodes, without what stands under `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield from _running(child)


def _write_out(node: object) -> str:
    """Return a tree as text: no places, no docstrings, nothing that only some Pythons know."""
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, list):
        return f"[{' '.join(_write_out(entry) for entry in node if not _is_text(entry))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    entries = ((name, value) for name, value in ast.iter_fields(node) if name not in _PLACES)
    inner = [f"{name}={_write_out(value)}" for name, value in entries if value not in (None, [])]
    return f"{type(node).__name__}({' '.join(inner)})"


def _is_text(node: object) -> bool:
    """Return whether a statement is a text and nothing else: a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
