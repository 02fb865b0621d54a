"""Open packs: names, metadata, and tensors made when they are asked for."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any

from freezepack.checkpoints.bases import Paths, open_bases
from freezepack.errors import MissingExtraError, UnknownNameError
from freezepack.files import hold_stream
from freezepack.format.reader import PackReader
from freezepack.format.tables import Header
from freezepack.rebuild.rebuilder import DEFAULT_MAX_BYTES, Rebuilder
from freezepack.rebuild.torch_devices import (
    DEVICE_BACKENDS,
    HOST,
    choose_device_backend,
    find_device,
)
from freezepack.registry import Entry, Registry
from freezepack.slicing import Index
from freezepack.types import DType, RawArray

if TYPE_CHECKING:
    from freezepack.rebuild.torch_devices.rebuilder import DeviceRebuilder

FRAMEWORKS = Registry(
    "framework",
    {
        "numpy": Entry("freezepack.numpy:as_array", "numpy arrays"),
        "raw": Entry("freezepack.numpy:as_bits", "numpy arrays of unsigned integers, the bits"),
        "torch": Entry("freezepack.torch:as_tensor", "torch tensors"),
    },
)
"""Functions from raw array, element type and shape to what a caller works with."""
Source = str | os.PathLike[str] | bytes | bytearray | memoryview


class PackFile:
    """An open pack, in the words of safetensors; use `freezepack.open`.

    Opening checks the header, and the whole file if its payload has at most 64 KiB. `get_tensor`
    checks the units that it reads and the digest of the tensor, `get_slice` only the units.

    Tensors for a device that has a back end in `DEVICE_BACKENDS` are made there, digests included:
    only positions and values are sent. Others are made by the CPU and sent whole.
    """

    def __init__(
        self,
        source: Source,
        *,
        framework: str = "numpy",
        device: str = "cpu",
        base: Paths = None,
        max_bytes: int | None = DEFAULT_MAX_BYTES,
        backend: str | None = None,
    ) -> None:
        self._convert = find_framework(framework)
        self._place = {"device": device} if framework == "torch" else {}
        if framework != "torch" and str(device) != "cpu":
            raise ValueError(f"device is {device!r}, and framework {framework!r} knows only 'cpu'")
        named = framework == "torch" and (backend == HOST or backend in DEVICE_BACKENDS)
        self._device_backend = backend if named else None
        self._devices: dict[str, DeviceRebuilder | None] = {}
        self._stack = ExitStack()
        with ExitStack() as stack:
            if isinstance(source, str | os.PathLike):
                source = hold_stream(source)
            reader = stack.enter_context(PackReader(source))
            self._options: dict[str, Any] = {
                "bases": open_bases(base, stack, max_bytes=max_bytes),
                "backend": None if self._device_backend else backend,
                "max_bytes": max_bytes,
            }
            self._rebuilder = Rebuilder(reader, **self._options)
            self._there = self.rebuilder_on(device) if framework == "torch" else None
            self._stack = stack.pop_all()

    @property
    def header(self) -> Header:
        """Everything the file says of its tensors: specs, codecs, counts, sizes, aliases."""
        return self._rebuilder.header

    @property
    def rebuilder(self) -> Rebuilder:
        """What makes the tensors, as bits."""
        return self._rebuilder

    def rebuilder_on(self, device: Any) -> "DeviceRebuilder | None":
        """Return what makes the tensors on a device of torch, or None if the CPU does.

        Raises
        ------
        FreezepackError
            If torch has no such device here, or the back end does not work there.
        """
        name = str(device)
        if name not in self._devices:
            place = find_device(device)
            named = self._device_backend
            if place.type == "cpu" and self._options["backend"]:
                named = HOST  # an argument counts more than the environment
            backend = choose_device_backend(place, named)
            if backend is None:
                self._devices[name] = None
            else:
                from freezepack.rebuild.torch_devices.rebuilder import DeviceRebuilder

                self._devices[name] = DeviceRebuilder(
                    self._rebuilder.reader,
                    device=place,
                    device_backend=backend,
                    **self._options,
                )
        return self._devices[name]

    def keys(self) -> list[str]:
        """Return all names, aliases included, in file order."""
        return sorted([*self.header.tensors, *self.header.aliases], key=str.encode)

    def metadata(self) -> dict[str, str]:
        """Return the metadata."""
        return dict(self.header.metadata)

    def get_tensor(self, name: str) -> Any:
        """Make a tensor.

        Raises
        ------
        UnknownNameError
            If the pack has no tensor of that name.
        LimitError
            If it has more than `max_bytes`.
        FormatError
            If the file is damaged.
        BaseMismatchError
            If the tensor's base was not given. A small pack has one digest for all its tensors,
            which cannot be compared while the base of any of them is missing; `get_slice` needs
            only the base of its own tensor.
        """
        self._check_name(name)
        if self._there is not None:
            return self._there.device_tensor(name)
        spec = self._rebuilder.record(name).spec
        return self._make(self._rebuilder.tensor(name), spec.dtype, spec.shape)

    def get_tensors(self) -> dict[str, Any]:
        """Make all tensors at once, which takes less time than one by one.

        Returns
        -------
        dict of name to tensor
            In file order. Tied names share one tensor. In main memory, those below 16 MiB share
            blocks, which live as long as any of them.

        Raises
        ------
        LimitError
            If all together have more than `max_bytes`; nothing is allocated then.
        FormatError, BaseMismatchError
            As for `get_tensor`.
        """
        specs = {name: record.spec for name, record in self.header.tensors.items()}
        made: dict[str, Any]
        if self._there is not None:
            made = dict(self._there.device_tensors())
        else:
            made = {
                name: self._make(raw, specs[name].dtype, specs[name].shape)
                for name, raw in self._rebuilder.tensors().items()
            }
        aliases = self.header.aliases
        return {name: made[aliases.get(name, name)] for name in self.keys()}

    def get_slice(self, name: str) -> "TensorSlice":
        """Return a stand-in of a tensor; indexing it makes only the units that are needed."""
        self._check_name(name)
        return TensorSlice(self, name)

    def _check_name(self, name: str) -> None:
        if name not in self.header.tensors and name not in self.header.aliases:
            raise UnknownNameError("tensor", name, self.keys())

    def _make(self, raw: RawArray, dtype: DType, shape: tuple[int, ...]) -> Any:
        return self._convert(raw, dtype, shape, **self._place)

    def close(self) -> None:
        """Close the file and its bases."""
        self._stack.close()

    def __enter__(self) -> "PackFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class TensorSlice:
    """A tensor that is not there yet; index it with integers, slices and `...`."""

    def __init__(self, file: PackFile, name: str) -> None:
        self._file = file
        self._record = file.rebuilder.record(name)

    def get_shape(self) -> list[int]:
        """Return the shape of the whole tensor."""
        return list(self._record.spec.shape)

    def get_dtype(self) -> str:
        """Return the element type, such as "float32"."""
        return self._record.spec.dtype.name

    def __getitem__(self, index: Index) -> Any:
        spec = self._record.spec
        if self._file._there is not None:
            return self._file._there.device_part(spec.name, index)
        part = self._file.rebuilder.part(spec.name, index)
        return self._file._make(part.reshape(-1), spec.dtype, part.shape)


def find_framework(name: str) -> Callable[..., Any]:
    """Return the function that turns raw arrays into what a framework works with."""
    try:
        convert: Callable[..., Any] = FRAMEWORKS.get_part(name)
    except ImportError as error:
        if error.name != name:
            raise
        raise MissingExtraError(name, name, f"framework={name!r}") from None
    return convert


def open_pack(
    path: Source,
    *,
    framework: str = "numpy",
    device: str = "cpu",
    base: Paths = None,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
    backend: str | None = None,
) -> PackFile:
    """Open a pack; tensors are made when they are asked for. This is `freezepack.open`.

    Parameters
    ----------
    path : path, "-" or bytes-like
        The pack. A file is read piece by piece, a pipe at once; "-" is standard input.
    framework : {"numpy", "torch", "raw"}
        What tensors come as; "raw" is NumPy arrays of unsigned integers that hold the bits.
    device : str
        Where torch tensors go.
    base : path or sequence of paths
        Checkpoints or earlier packs that the pack is based on. They are found by content.
    max_bytes : int or None
        Most bytes that one call may make, of the pack or of a base; None for no limit.
    backend : str, optional
        Name in `freezepack.rebuild.BACKENDS`; or, for torch tensors, in
        `freezepack.rebuild.torch_devices.DEVICE_BACKENDS`, or "host" to have them made by the CPU.

    Returns
    -------
    PackFile
        A context manager with `keys`, `get_tensor`, `get_slice` and `metadata`.

    Raises
    ------
    FormatError
        If the header breaks a rule; the error names field and offset.
    UnknownNameError
        If there is no such framework or back end.
    FreezepackError
        If torch has no such device here, or the back end does not work there.

    Examples
    --------
    >>> import numpy as np
    >>> import freezepack.numpy
    >>> data = freezepack.numpy.save({"w": np.arange(6, dtype=np.float32).reshape(3, 2)})
    >>> with open_pack(data) as file:
    ...     file.keys(), file.get_slice("w")[1:, 0].tolist()
    (['w'], [2.0, 4.0])
    """
    return PackFile(
        path,
        framework=framework,
        device=device,
        base=base,
        max_bytes=max_bytes,
        backend=backend,
    )
