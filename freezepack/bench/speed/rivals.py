"""Whole files of one network, ours and others', and what loads each into memory of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import disk_usage
from typing import Any
from warnings import catch_warnings, simplefilter

from freezepack import native
from freezepack.bench.speed.network import SEED, Network
from freezepack.errors import FreezepackError, MissingExtraError, VerificationError

FAST, SMALL = "pack, fast index", "pack, small index"
COPIED, TORCH, ZIPNN = "safetensors, copied", "torch.load", "zipnn in safetensors"
Load = Callable[[Path], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredForm:
    """One file, and what makes torch tensors of it."""

    name: str
    path: Path
    load: Load
    checked: bool
    """Whether loading finds a changed byte of the content."""

    def load_it(self) -> Mapping[str, Any]:
        """Make the tensors."""
        return self.load(self.path)


def store_forms(network: Network, folder: Path, small: bool) -> Iterator[StoredForm]:
    """Write a network in every form, check that each gives it back, and yield the forms.

    Parameters
    ----------
    network : Network
        What is stored.
    folder : Path
        Where to; about four times the network's bytes are written.
    small : bool
        Also write a pack with the small index, which takes a while for a large network.

    Raises
    ------
    FreezepackError
        If the folder's file system has not enough room; nothing is written then.
    MissingExtraError
        If torch or safetensors is not installed. Without zipnn that form is left out.
    VerificationError
        If a form does not give the network back.
    """
    require_packages()
    check_room(folder, 4 * 4 * network.size)
    for form in _write_forms(network, folder, small):
        loaded = form.load_it()
        if loaded.keys() != network.weights.keys() or any(
            loaded[name].numpy().tobytes() != weight.tobytes()
            for name, weight in network.weights.items()
        ):
            raise VerificationError(f"{form.name} does not give the network back")
        yield form


def require_packages() -> None:
    """Raise MissingExtraError unless torch and safetensors are installed."""
    for package in ("torch", "safetensors"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "torch", "freezepack bench speed --part load")


def check_room(folder: Path, nbytes: int) -> None:
    """Raise FreezepackError unless `nbytes` can be written to a folder."""
    free = disk_usage(folder).free
    if free < nbytes:
        problem = f"{folder} has {free:,} bytes free, expected {nbytes:,} for the files to load"
        raise FreezepackError(f"{problem}: name another folder with --scratch, or less with --size")


def _write_forms(network: Network, folder: Path, small: bool) -> Iterator[StoredForm]:
    torch: Any = import_module("torch")
    tensors: Any = import_module("safetensors.torch")
    pack: Any = import_module("freezepack.torch")
    state = {name: torch.from_numpy(weight) for name, weight in network.weights.items()}
    options = {"seed": SEED, "init": network.inits, "masks": network.masks}
    for name, index in ((FAST, "fast"), (SMALL, "small"))[: 1 + small]:
        path = folder / f"{index}.fpk"
        pack.save_file(state, path, index=index, **options)
        yield StoredForm(name, path, pack.load_file, True)
    dense = folder / "dense.safetensors"
    tensors.save_file(state, dense)
    yield StoredForm(COPIED, dense, load_copied, False)
    torch.save(state, folder / "dense.pt")
    yield StoredForm(TORCH, folder / "dense.pt", partial(torch.load, weights_only=True), False)
    if find_spec("zipnn"):
        path = folder / "zipnn.safetensors"
        # It overwrites what it is given to compress.
        coded = {n: bytearray(_zipnn().compress(t.clone())) for n, t in state.items()}
        stored = {n: torch.frombuffer(part, dtype=torch.uint8) for n, part in coded.items()}
        tensors.save_file(stored, path)
        yield StoredForm(ZIPNN, path, load_zipnn, False)


def load_copied(path: Path) -> dict[str, Any]:
    """Read a safetensors file into memory of its own; the library alone only maps it."""
    tensors: Any = import_module("safetensors.torch")
    return {name: tensor.clone() for name, tensor in tensors.load_file(path).items()}


def load_zipnn(path: Path) -> dict[str, Any]:
    """Read a safetensors file whose tensors zipnn compressed, as its own plugin does."""
    tensors: Any = import_module("safetensors.torch")
    return {
        name: _zipnn().decompress(tensor.numpy())
        for name, tensor in tensors.load_file(path).items()
    }


def _zipnn() -> Any:
    """Return its compressor of tensors, with as many threads as freezepack uses."""
    with catch_warnings():
        simplefilter("ignore")  # its import uses what torch has deprecated
        module: Any = import_module("zipnn")
    return module.ZipNN(input_format="torch", threads=native.get_num_threads())
