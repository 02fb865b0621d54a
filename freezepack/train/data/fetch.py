"""Find published files: in a folder the caller names, or downloaded once and checked."""

import os
from dataclasses import dataclass
from pathlib import Path

from freezepack.errors import DataError, MissingExtraError

VARIABLE = "FREEZEPACK_DATA"


@dataclass(frozen=True, slots=True)
class Published:
    """A folder of published files.

    Attributes
    ----------
    folder : str
        Name of the folder inside the data directory.
    url : str
        Where the files are published, up to the file name.
    sha256 : dict of str
        File name to the SHA-256 that a download must have.
    """

    folder: str
    url: str
    sha256: dict[str, str]

    def find(self, name: str, data_dir: Path | None) -> Path:
        """Return the path of a file.

        It is looked for in `data_dir`, else in the directory that FREEZEPACK_DATA names, else it
        is downloaded into the user's cache.

        Raises
        ------
        DataError
            If the named directory lacks the file, or the download fails or differs.
        """
        chosen = data_dir or os.environ.get(VARIABLE)
        if chosen:
            path = Path(chosen) / self.folder / name
            if path.is_file():
                return path
            said = "--data-dir" if data_dir else VARIABLE
            remedy = f"give the parent of {self.folder}/, or none to download it"
            raise DataError(f"{path} is missing; {said} is {chosen}: {remedy}")
        return self._download(name)

    def _download(self, name: str) -> Path:
        try:
            import pooch
        except ImportError:
            raise MissingExtraError("pooch", "torch", "downloading a data set") from None
        cache = pooch.os_cache("freezepack") / self.folder
        try:
            path = pooch.retrieve(
                self.url + name, f"sha256:{self.sha256[name]}", fname=name, path=cache
            )
        except (OSError, ValueError) as error:
            remedy = f"put it into DIR/{self.folder}/ and give --data-dir DIR"
            raise DataError(f"{self.url}{name}: download failed ({error}); {remedy}") from error
        return Path(path)
