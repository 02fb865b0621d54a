"""The kernels compile for GPUs that are not here, and hold what was promised of them.

No driver is needed: Triton brings the assembler.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("triton")
pytestmark = pytest.mark.skipif(
    os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter compiles nothing"
)

POINTERS = {1: "*u8", 2: "*i16", 4: "*i32", 8: "*i64"}
LANES = {1: 256, 2: 512, 3: 512, 4: 128}
SIZES = {1: 4, 2: 2, 3: 2, 4: 8}
FUSED = r"\b(?:fma|mad)\.(?:\w+\.)*(?:f16|bf16|f32|f64)\b"
ADDED = r"\b(?:add|sub)\.(?:\w+\.)*(?:f16|bf16|f32|f64)\b"
MULTIPLIED = r"\bmul\.(?:\w+\.)*f32\b"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))


def compile_kernel(name: str, arch: int, types: dict[str, str], **constants: Any) -> str:
    """Return the PTX of a kernel, whose floats Triton may fuse if it finds any to fuse."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from freezepack.rebuild.torch_devices import triton_kernels

    kernel = getattr(triton_kernels, name)
    names = kernel.arg_names
    signature = {each: types.get(each, "i32") for each in names}
    signature |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(
        fn=kernel,
        signature=signature,
        constexprs={(names.index(each),): value for each, value in constants.items()},
        # As at run time: pointers are multiples of 16, of the numbers nothing is known.
        attrs={(names.index(each),): [["tt.divisibility", 16]] for each in types},
    )
    options = {"num_warps": 4, "enable_fp_fusion": True}
    compiled = triton.compile(source, target=GPUTarget("cuda", arch, 32), options=options)
    assert compiled.asm["cubin"]
    ptx: str = compiled.asm["ptx"]
    assert f".target sm_{arch}" in ptx
    return ptx


def compile_fill(arch: int, draw: int, dtype: int, *, full: bool, digest: bool = True) -> str:
    types = {"out": POINTERS[SIZES[dtype]], "sums": "*i64", "table": "*i32", "keys": "*i32"}
    return compile_kernel(
        "fill_kernel",
        arch,
        types,
        DRAW=draw,
        DTYPE=dtype,
        DIGEST=digest,
        FULL=full,
        LANES=LANES[dtype],
        TILES=1,
    )


def check_floats(ptx: str, products: int) -> None:
    assert not re.search(FUSED, ptx)
    assert not re.search(ADDED, ptx)
    found = len(re.findall(MULTIPLIED, ptx))
    # Where stores are masked, a product may stand in two branches.
    assert found >= products
    assert bool(found) == bool(products)


def test_a_normal_base_is_one_product_a_value_and_wide_stores() -> None:
    ptx = compile_fill(90, 2, 1, full=True)
    check_floats(ptx, products=8)
    assert len(re.findall(r"\bst\.global\.v4\.b32\b", ptx)) == 2
    assert not re.search(r"\bst\.global\.b32\b", ptx)


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90])
@pytest.mark.parametrize("dtype", [1, 2, 3, 4])
@pytest.mark.parametrize("draw", [1, 2, 3, 4])
def test_every_form_compiles_without_fused_or_added_floats(
    draw: int, dtype: int, arch: int
) -> None:
    values = LANES[dtype] * 4 // 128
    for full in (True, False):
        for digest in (True, False):
            ptx = compile_fill(arch, draw, dtype, full=full, digest=digest)
            check_floats(ptx, products=0 if draw == 4 else values)
            wide = re.findall(r"\bst\.global\.(?:v4\.b32|v2\.b64)\b", ptx)
            assert len(wide) == (values * SIZES[dtype] // 16 if full else 0)


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90])
def test_patch_and_digest_compile_and_have_no_floats(arch: int) -> None:
    types = {"sums": "*i64", "keys": "*i32", "positions": "*i32"}
    for size, pointer in POINTERS.items():
        whole = {"out": pointer, "sums": "*i64", "keys": "*i32"}
        check_floats(compile_kernel("sums_kernel", arch, whole, SIZE=size, TILES=1), 0)
        for digest in (True, False):
            patch = {**types, "out": pointer, "values": pointer}
            constants = {"SIZE": size, "DIGEST": digest, "LANES": 256}
            ptx = compile_kernel("patch_kernel", arch, patch, **constants)
            check_floats(ptx, 0)
            assert bool(re.search(r"\b(?:red|atom)\.", ptx)) == digest
    sums = {"sums": "*i64", "digest": "*i64"}
    check_floats(compile_kernel("finish_kernel", arch, sums, LANES=1024), 0)


def test_the_patterns_find_what_must_not_be_there() -> None:
    assert re.search(FUSED, "fma.rn.f32 %f1, %f2, %f3, %f4;")
    assert not re.search(FUSED, "mad.lo.s32 %r1, %r2, %r3, %r4;")
    assert re.search(ADDED, "add.ftz.f32 %f1, %f2, %f3;")
    assert not re.search(ADDED, "add.s64 %rd1, %rd2, %rd3;")
