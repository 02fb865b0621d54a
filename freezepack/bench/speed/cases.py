"""Which fills are measured: a short selection, everything, or what was named."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product

from freezepack.errors import UnknownNameError

DRAWS = ("normal", "uniform", "truncated_normal", "sign", "constant")
DTYPES = ("float32", "bfloat16", "float16")
SIZES = (430_500, 11_000_000, 100_000_000)
"""LeNet-5-Caffe, ResNet-18, and a small transformer."""
MIDDLE = SIZES[1]
FILL, REBUILD = "fill", "fill, patch, digest"
PEER = "torch's own"
"""The path that is not ours: `normal_` and `uniform_`."""
PEER_DRAWS = ("normal", "uniform")


@dataclass(frozen=True, slots=True)
class FillCase:
    """One fill: the path, what is drawn, how much of it, by how many threads.

    Attributes
    ----------
    work : str
        `FILL`, or `REBUILD`: 1 % of the elements are replaced and the digest is summed, in the
        same pass.
    """

    path: str
    draw: str
    dtype: str
    size: int
    threads: int
    work: str = FILL


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was named on the command line; an empty axis leaves the choice open."""

    paths: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    full: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nothing was named."""
        return not (self.paths or self.draws or self.dtypes or self.sizes or self.threads)


def choose_cases(wanted: Wanted, paths: Mapping[str, bool], cores: int) -> list[FillCase]:
    """Return the fills to measure, without repetitions, grouped by size and threads.

    Parameters
    ----------
    wanted : Wanted
        With `full` every combination, but for slow paths, which get the two usual draws of
        float32. Where an axis is named, the product of what is named with a short choice for the
        other axes.
    paths : mapping of str to bool
        The paths that work here, and whether each is slow. The first is the fastest.
    cores : int
        Threads that "all" means.

    Raises
    ------
    UnknownNameError
        If a path, draw or element type is not known.

    Examples
    --------
    >>> [case.draw for case in choose_cases(Wanted(("numpy",)), {"numpy": True}, 1)]
    ['normal', 'normal', 'uniform', 'uniform']
    """
    for kind, named, known in (
        ("path", wanted.paths, [*paths, PEER]),
        ("draw", wanted.draws, DRAWS),
        ("element type", wanted.dtypes, DTYPES),
    ):
        check_names(kind, named, known)
    every = (1, cores) if cores > 1 else (1,)
    if not wanted.is_open:
        cases = _product(
            wanted.paths or (*paths, PEER),
            wanted.draws or PEER_DRAWS,
            wanted.dtypes or DTYPES[:1],
            wanted.sizes or (MIDDLE,),
            wanted.threads or (1,),
        )
    elif wanted.full:
        fast = [path for path, slow in paths.items() if not slow]
        slow = [path for path, slow in paths.items() if slow]
        cases = _product(fast, DRAWS, DTYPES, SIZES, every)
        cases += _product([PEER], PEER_DRAWS, DTYPES, SIZES, every)
        cases += _product(slow, PEER_DRAWS, DTYPES[:1], SIZES, (1,))
        cases += _product(slow, DRAWS, DTYPES, SIZES[:1], (1,))
    else:
        cases = _short(list(paths), every)
    cases = [case for case in dict.fromkeys(cases) if _exists(case)]
    return sorted(cases, key=lambda case: (case.size, case.threads))


def check_names(kind: str, named: Collection[str], known: Collection[str]) -> None:
    """Raise UnknownNameError for the first name that is not known."""
    for name in named:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def _short(paths: list[str], every: tuple[int, ...]) -> list[FillCase]:
    best = paths[0]
    cases = _product([*paths, PEER], PEER_DRAWS, DTYPES[:1], [MIDDLE], [1])
    cases += _product([best], DRAWS, DTYPES[:1], [MIDDLE], [1])
    cases += _product([best], PEER_DRAWS, DTYPES, [MIDDLE], [1])
    cases += _product([best, PEER], PEER_DRAWS, DTYPES[:1], [MIDDLE], every)
    cases += _product([best, PEER], PEER_DRAWS, DTYPES[:1], SIZES, [1])
    return cases


def _product(
    paths: Collection[str],
    draws: Collection[str],
    dtypes: Collection[str],
    sizes: Collection[int],
    threads: Collection[int],
) -> list[FillCase]:
    """Return all combinations; normal and uniform also with patch and digest."""
    cases = []
    for path, draw, dtype, size, count in product(paths, draws, dtypes, sizes, threads):
        for work in (FILL, REBUILD):
            cases.append(FillCase(path, draw, dtype, size, count, work))
    return cases


def _exists(case: FillCase) -> bool:
    if case.path == PEER:
        return case.work == FILL and case.draw in PEER_DRAWS
    return case.work == FILL or case.draw in PEER_DRAWS
