"""Arrays for many tensors share pieces of memory, and never a byte."""

from pathlib import Path
from platform import machine

import numpy as np
import pytest

from freezepack.rebuild.memory import empty_arrays

MIB = 1 << 20


def test_arrays_have_the_forms_asked_for_and_memory_of_their_own() -> None:
    forms = [(3, "<u4"), (5, "u1"), (0, "<u8"), (2 * MIB, "<u4"), (7, "V16"), (1, "<u2")]
    outs = empty_arrays([(size, np.dtype(kind)) for size, kind in forms])
    for number, (out, (size, kind)) in enumerate(zip(outs, forms, strict=True)):
        assert (out.size, out.dtype) == (size, np.dtype(kind))
        assert out.flags.writeable
        out.view(np.uint8).fill(number)
    for number, out in enumerate(outs):
        assert (out.view(np.uint8) == number).all()


def test_an_array_holds_its_own_memory_or_a_block_of_small_ones() -> None:
    forms = [(3 * MIB, np.dtype("u1"))] * 40 + [(16 * MIB, np.dtype("u1"))]
    *small, large = [out.base for out in empty_arrays(forms)]
    assert large is not None
    assert 16 * MIB < large.nbytes <= 18 * MIB
    held = {id(base): base.nbytes for base in small if base is not None}
    assert len(held) == 2
    assert max(held.values()) <= 66 * MIB


def test_arrays_begin_where_they_are_written_fast() -> None:
    outs = empty_arrays([(size, np.dtype("<u2")) for size in (1, 33, 5, 64)])
    assert [out.ctypes.data % 64 for out in outs] == [0, 0, 0, 0]
    large = empty_arrays([(5 * MIB, np.dtype("u1")), (17 * MIB, np.dtype("u1"))])
    assert [out.ctypes.data % (2 * MIB) for out in large] == [0, 0]


def huge_pages_on_request() -> bool:
    """Return whether the system gives huge pages to who asks for them."""
    switch = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return switch.exists() and "[never]" not in switch.read_text() and machine() == "x86_64"


@pytest.mark.skipif(not huge_pages_on_request(), reason="no transparent huge pages here")
def test_most_of_what_a_pack_fills_lies_in_huge_pages() -> None:
    import resource

    forms = [(MIB, np.dtype("<u4"))] * 8 + [(8 * MIB, np.dtype("<u4"))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for out in empty_arrays(forms):
        out.fill(1)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert faults < 64 * MIB // 4096 // 4
