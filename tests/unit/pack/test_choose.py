"""The smallest option, then the lower number, then fewer kinds."""

from dataclasses import replace

import numpy as np

from freezepack.format.writer import EncodedTensor
from freezepack.pack.choose import KIND_BYTES, SLACK, choose, prune
from freezepack.pack.claims import Claim
from freezepack.pack.encode import Option
from freezepack.pack.patch import make_patch
from freezepack.rebuild.base import TensorBase
from freezepack.rebuild.host import NUMPY
from freezepack.types import Draw, DType, Init, SeedBase, TensorSpec, ZerosBase

SPEC = TensorSpec("w", (1,), DType.uint8)
PATCH = make_patch(np.zeros(1, np.uint8), Claim(), TensorBase(SPEC, ZerosBase(), None, NUMPY))


def option(nbytes: int, index: int, values: int) -> Option:
    return Option(PATCH, EncodedTensor(SPEC, ZerosBase(), None, index, values, (), 0), nbytes)


def drawn(nbytes: int, index: int) -> Option:
    tensor = replace(
        option(nbytes, index, 0).tensor, base=SeedBase(1), init=Init(Draw.normal, 0x3223D70A)
    )
    return Option(PATCH, tensor, nbytes)


def codecs(options: list[Option]) -> list[tuple[int, int]]:
    return [(o.tensor.index_codec, o.tensor.value_codec) for o in options]


def test_the_order_is_by_bytes_then_by_numbers() -> None:
    found = prune([option(9, 3, 1), option(9, 3, 0), option(9, 2, 1), option(8, 5, 1)])
    assert codecs(found) == [(5, 1), (2, 1), (3, 0), (3, 1)]


def test_what_can_never_pay_is_dropped() -> None:
    found = prune([option(10, 2, 0), option(10 + SLACK, 3, 0), option(11 + SLACK, 5, 0)])
    assert codecs(found) == [(2, 0), (3, 0)]


def test_a_kind_is_given_up_if_that_costs_less_than_its_entry() -> None:
    common = [option(10, 2, 0)]
    for extra, wanted in [(KIND_BYTES - 1, (2, 0)), (KIND_BYTES, (3, 0))]:
        rare = [option(20, 3, 0), option(20 + extra, 2, 0)]
        assert codecs(choose([common, common, rare])) == [(2, 0), (2, 0), wanted]


def test_a_draw_and_a_seed_for_the_mask_make_an_entry_longer() -> None:
    common = [drawn(10, 5)]
    for index, entry in [(8, KIND_BYTES + 1), (7, KIND_BYTES + 2)]:
        for extra, wanted in [(entry - 1, (5, 0)), (entry, (index, 0))]:
            rare = [drawn(20, index), drawn(20 + extra, 5)]
            assert codecs(choose([common, rare])) == [(5, 0), wanted]


def test_only_kinds_in_use_take_others_in() -> None:
    assert codecs(choose([[option(20, 3, 0), option(20, 2, 0)]])) == [(3, 0)]
