"""Build the optional CPU kernel. Everything else about the package is in pyproject.toml.

The kernel is a plain shared library with a C interface, called through ctypes: it includes no
Python header, so one file serves every Python version. Without a compiler the installation goes
on, and the NumPy reference does the same work more slowly.
"""

import os
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools 70.0 takes it from the package wheel
    from wheel.bdist_wheel import bdist_wheel

CSRC = "freezepack/native/csrc"

# Results must be the same bits everywhere: no contraction to fused multiply-add, no fast maths
# (which, given to the linker, would change the floating-point mode of the whole process).
UNIX_FLAGS = ["-O3", "-std=c++17", "-ffp-contract=off", "-fno-fast-math", "-fvisibility=hidden"]
UNIX_FLAGS += ["-g0", "-Wall", "-Wextra"]
MSVC_FLAGS = ["/O2", "/std:c++17", "/fp:strict"]


class BuildKernel(build_ext):
    """Compile `_kernel.so`: no Python headers, no ABI suffix, no module entry point."""

    def finalize_options(self) -> None:
        """Drop the include and library folders of Python."""
        super().finalize_options()
        self.include_dirs = []
        self.library_dirs = []

    def get_ext_filename(self, fullname: str) -> str:
        """Name the library the same on every platform; ctypes does not mind."""
        return os.path.join(*fullname.split(".")) + ".so"  # noqa: PTH118

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Export what the source marks, not `PyInit__kernel`."""
        return []

    def get_libraries(self, ext: Extension) -> list[str]:
        """Link no Python library."""
        return []

    def build_extension(self, ext: Extension) -> None:
        """Choose the flags of the compiler in use."""
        msvc = self.compiler.compiler_type == "msvc"
        ext.extra_compile_args = MSVC_FLAGS if msvc else UNIX_FLAGS
        ext.extra_link_args = [] if msvc else ["-fno-fast-math"]
        super().build_extension(ext)


class KernelWheel(bdist_wheel):
    """Tag the wheel for every Python 3 of one platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return py3-none-PLATFORM."""
        return "py3", "none", super().get_tag()[2]


os.chdir(Path(__file__).resolve().parent)
setup(
    ext_modules=[
        Extension(
            "freezepack.native._kernel",
            sources=sorted(glob(f"{CSRC}/*.cpp")),  # noqa: PTH207
            depends=sorted(glob(f"{CSRC}/*.h")),  # noqa: PTH207
            language="c++",
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernel, "bdist_wheel": KernelWheel},
)
