"""Arrays for many tensors share pieces of memory, and never a byte."""

import numpy as np

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


def test_a_small_array_holds_no_more_than_a_block_and_a_large_one_itself() -> None:
    forms = [(3 * MIB, np.dtype("u1"))] * 40 + [(4 * MIB, np.dtype("u1"))]
    outs = empty_arrays(forms)
    assert outs[-1].base is None
    assert outs[0].base is not None
    held = {id(out.base): out.base.nbytes for out in outs[:-1] if out.base is not None}
    assert len(held) == 4
    assert max(held.values()) <= 33 * MIB


def test_small_arrays_begin_with_a_line_of_the_cache() -> None:
    outs = empty_arrays([(size, np.dtype("<u2")) for size in (1, 33, 5, 64)])
    assert [out.ctypes.data % 64 for out in outs] == [0, 0, 0, 0]
