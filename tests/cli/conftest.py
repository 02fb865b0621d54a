"""Running the command line in this process, and one small trained run for all tests."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from freezepack.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs `freezepack` with arguments and returns code and output."""

    def run(*arguments: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["freezepack", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short run: lenet-300-100 on digits, one epoch."""
    from freezepack.cli.packing import train_and_pack
    from freezepack.train import RunConfig

    folder = tmp_path_factory.mktemp("runs") / "a"
    config = RunConfig(model="lenet-300-100", data="digits", freezing_rate="0.99", epochs=1)
    train_and_pack(config, folder, progress=False)
    return folder
