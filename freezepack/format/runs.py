"""Runs: sections that several small tensors share. See formats/freezepack-1.md, section 7.1."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from freezepack.format.constants import MAX_RUN_TENSORS, UNIT_POSITIONS


@dataclass(frozen=True, slots=True)
class Run:
    """One section, and whose it is.

    Attributes
    ----------
    offset, length : int
        Where the section lies in the file.
    checksum : int or None
        CRC-32 of the section; None if the file has one checksum, or the section no bytes.
    names : tuple of str
        The tensors, in file order; one if it has more positions than a run.
    unit : int
        Which unit of that tensor this is; 0 for tensors that are whole here.
    """

    offset: int
    length: int
    checksum: int | None
    names: tuple[str, ...]
    unit: int = 0


class RunCounter:
    """Says which tensor of a file begins a run.

    Examples
    --------
    >>> counter = RunCounter()
    >>> [counter.begins(size) for size in (500_000, 500_000, 10, 2_000_000, 600_000, 10)]
    [True, False, False, True, True, False]
    """

    def __init__(self) -> None:
        self._tensors = 0
        self._positions = 0

    def begins(self, size: int) -> bool:
        """Return whether the next shared tensor, of `size` positions, does not join the run."""
        if size > UNIT_POSITIONS:
            return True
        joins = self._tensors > 0 and self._positions + size <= UNIT_POSITIONS
        if joins and self._tensors < MAX_RUN_TENSORS:
            self._tensors += 1
            self._positions += size
            return False
        self._tensors, self._positions = 1, size
        return True


class Section(Protocol):
    """Where a section lies; a `UnitEntry`."""

    @property
    def values_offset(self) -> int:
        """Its offset in the file."""
        ...

    @property
    def values_length(self) -> int:
        """Its bytes."""
        ...

    @property
    def checksum(self) -> int | None:
        """Its CRC-32, if it has one of its own."""
        ...


class RunTable:
    """The runs of a file, as its records are read."""

    def __init__(self) -> None:
        self._counter = RunCounter()
        self._runs: list[Run] = []
        self._open = 0
        self._names: list[str] = []

    def begins(self, size: int) -> bool:
        """Return whether the next shared tensor, of `size` positions, begins a run."""
        return self._counter.begins(size)

    def join(self, name: str) -> int:
        """Add a tensor to the run that was begun last by a small one, and return its number."""
        self._names.append(name)
        return self._open

    def add(self, name: str, sections: Iterable[Section]) -> int:
        """Add the runs that a tensor begins, one for each unit, and return the first's number."""
        first = len(self._runs)
        for unit, part in enumerate(sections):
            self._runs.append(
                Run(part.values_offset, part.values_length, part.checksum, (name,), unit)
            )
        if len(self._runs) == first + 1:
            self._close()
            self._open, self._names = first, [name]
        return first

    def runs(self) -> tuple[Run, ...]:
        """Return all runs; no tensor may follow."""
        self._close()
        return tuple(self._runs)

    def _close(self) -> None:
        """Write down the tensors of the run that is open."""
        if self._names:
            self._runs[self._open] = replace(self._runs[self._open], names=tuple(self._names))
