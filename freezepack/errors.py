"""Every error that freezepack raises on purpose.

A message has place, found, expected and, where there is one, the remedy. Reader errors carry the
field's name as written in the specification and the byte offset, so that readers in other
languages can be held to the same refused vectors.
"""

import difflib
from collections.abc import Iterable


class FreezepackError(Exception):
    """Root of the tree: catch this to catch everything that freezepack raises on purpose."""

    exit_code = 1


class FormatError(FreezepackError, ValueError):
    """A file breaks the specification.

    Parameters
    ----------
    field : str
        Name of the field as written in the specification.
    offset : int
        Byte offset in the file at which the field starts.
    problem : str
        What was found and what was expected.
    tensor : str
        Name of the tensor concerned, or "" for the file as a whole.

    Examples
    --------
    >>> print(TruncatedError("index", 64, "60 bytes left, expected 65 for 520 weights"))
    index at byte 64: 60 bytes left, expected 65 for 520 weights
    """

    exit_code = 3

    def __init__(self, field: str, offset: int, problem: str, tensor: str = "") -> None:
        self.field = field
        self.offset = offset
        self.problem = problem
        self.tensor = tensor
        owner = f" of {tensor!r}" if tensor else ""
        super().__init__(f"{field}{owner} at byte {offset}: {problem}")

    def __reduce__(self) -> tuple[type["FormatError"], tuple[str, int, str, str]]:
        return type(self), (self.field, self.offset, self.problem, self.tensor)

    def of(self, tensor: str) -> "FormatError":
        """Return the same error with the tensor's name in it."""
        return type(self)(self.field, self.offset, self.problem, self.tensor or tensor)


class NotFreezepackError(FormatError):
    """The file does not begin with the magic bytes."""


class VersionError(FormatError):
    """The file needs a newer reader: version, required feature or id unknown here."""


class TruncatedError(FormatError):
    """The bytes end before the file does."""


class CorruptError(FormatError):
    """A rule of the specification is broken, or a checksum or digest does not match."""


class LimitError(FormatError):
    """Legal, but beyond a limit of the specification or of the caller."""


class BaseMismatchError(FreezepackError):
    """The base that was given is not the one the pack was made from, or none was given."""


class BaseDriftError(FreezepackError):
    """A model did not start from the base it claims."""


class SelectionError(FreezepackError, ValueError):
    """No mask can be selected: NaN scores, an impossible rate, nothing eligible."""


class DataError(FreezepackError):
    """A data set is missing or is not what its checksum says."""


class CheckpointError(FreezepackError, ValueError):
    """A model file cannot be used as asked: names, shapes or claims that do not fit."""


class InputError(CheckpointError):
    """An input cannot be opened, or is not a file of a kind that is read here."""

    exit_code = 3


class OutputExistsError(FreezepackError):
    """The output exists and replacing it was not asked for."""


class VerificationError(FreezepackError):
    """Two models that should be equal differ."""

    exit_code = 4


class MissingExtraError(FreezepackError, ImportError):
    """A package that only some commands need is not installed.

    Examples
    --------
    >>> print(MissingExtraError("torch", "torch", "freezepack train"))
    freezepack train needs torch, which is not installed: pip install 'freezepack[torch]'
    """

    def __init__(self, package: str, extra: str, user: str) -> None:
        self.package = package
        self.extra = extra
        self.user = user
        remedy = f"pip install 'freezepack[{extra}]'"
        super().__init__(f"{user} needs {package}, which is not installed: {remedy}")

    def __reduce__(self) -> tuple[type["MissingExtraError"], tuple[str, str, str]]:
        return type(self), (self.package, self.extra, self.user)


class UnknownNameError(FreezepackError, LookupError):
    """No entry of that name.

    Examples
    --------
    >>> print(UnknownNameError("score", "sniip", ["grasp", "snip", "synflow"]))
    no score named 'sniip'. Did you mean 'snip'? Known: grasp, snip, synflow.
    """

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = sorted(known)
        close = difflib.get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        names = f"Known: {', '.join(self.known)}." if self.known else "There is none."
        super().__init__(f"no {kind} named {name!r}.{hint} {names}")

    def __reduce__(self) -> tuple[type["UnknownNameError"], tuple[str, str, list[str]]]:
        return type(self), (self.kind, self.name, self.known)
