import hashlib
import re

import mpmath  # type: ignore[import-untyped,unused-ignore]

from freezepack.random.table import NORMAL_TABLE
from tests.unit.random import scalar

SHA256 = "b7b4750157ed682dfc8c1985c44c338dbcbc5dd093b20f78cac8d91e451d33d3"


def test_the_code_has_the_table_of_the_specification() -> None:
    assert NORMAL_TABLE.tolist() == scalar.TABLE
    assert NORMAL_TABLE.shape == (6, 32)
    assert hashlib.sha256(NORMAL_TABLE.astype("<u4").tobytes()).hexdigest() == SHA256
    assert SHA256 in scalar.SPECIFICATION


def test_the_kernel_has_the_table_of_the_specification() -> None:
    text = (scalar.ROOT / "freezepack/native/csrc/normal_table.h").read_text()
    numbers = [int(number) for number in re.findall(r"\b(\d+)u\b", text)]
    assert numbers == [number for row in scalar.TABLE for number in row]


def test_the_table_follows_from_the_inverse_of_the_normal_distribution() -> None:
    with mpmath.workdps(40):
        assert [column(e) for e in range(32)] == NORMAL_TABLE.T.tolist()


def column(e: int) -> list[int]:
    nodes = [(1 - mpmath.cos(mpmath.pi * j / 5)) / 2 for j in range(6)]
    powers = mpmath.matrix([[t**d for d in range(6)] for t in nodes])
    # P(Z > z) = p is z = sqrt(2) * erfinv(1 - 2p).
    tails = [(1 + t) * mpmath.mpf(2) ** (-e - 2) for t in nodes]
    values = [mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * p) for p in tails]
    coefficients = mpmath.lu_solve(powers, mpmath.matrix(values))
    rounded = [int(mpmath.nint(abs(c) * 2**29)) for c in coefficients]
    return [rounded[0] + 128, *rounded[1:]]
