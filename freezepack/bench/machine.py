"""Where and with what something was measured."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import freezepack
from freezepack import native

PACKAGES = ("numpy", "torch", "zstandard", "pcodec", "constriction", "safetensors", "zipnn")


def describe_machine() -> dict[str, str]:
    """Return processor, threads, versions and commit, for the head of a table.

    Examples
    --------
    >>> "python" in describe_machine()
    True
    """
    return {
        "processor": f"{_processor()}, {native.get_num_threads()} cores allowed",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "kernel": _kernel(),
        "freezepack": f"{freezepack.__version__}, commit {find_commit()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _kernel() -> str:
    instructions = native.get_instruction_set()
    return f"native, {instructions}" if instructions else "numpy, no kernel"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def find_commit() -> str:
    """Return the commit of the checkout that this package runs from, if it is one."""
    root = Path(freezepack.__file__).parent.parent
    if not (root / ".git").exists():
        return "unknown (installed)"
    head = _git(root, "rev-parse", "--short=12", "HEAD")
    dirty = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "freezepack")
    return f"{head or 'unknown'}{' with changes' if dirty else ''}"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()
