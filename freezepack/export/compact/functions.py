"""The generator as model-local functions of standard operators (formats/generators.md).

Two arithmetics give the same words. `i64` uses signed 64-bit integers, which every runtime
multiplies: both multipliers of Philox exceed 2**31, so it multiplies by M - 2**32, and adds the
factor to the upper half again. No product leaves the signed range, no division is inexact where
truncating and flooring differ. `u64` needs a runtime that multiplies uint64, and less memory.

The octave of the normal draw is floor(log2(v)), taken from a float64 logarithm. v is below 2**32,
so log2(v) is at least 3.3e-10 away from the next integer, 10**4 times the error of a bad logarithm.
Powers of two would lie on the edge: they are met as v = 1, whose logarithm is 0 exactly, or, in the
truncated draw, with 1/2 added.
"""

from collections.abc import Iterable, Iterator
from string import Template
from typing import Any

from onnx import FunctionProto, parser

from freezepack.export.compact.graph import short_names
from freezepack.types import Draw

DOMAIN = "fpk"
OPSET = 18
"""The first with bitwise operators."""
ARITHMETICS = ("i64", "u64")

_HEAD = '<domain: "fpk", opset_import: ["": {}, "fpk": 1]>\n'
_HALF_I64 = """Half (x, y, k, m, f, s) => (u, l) {
 p = Mul(x, m)  l = BitwiseAnd(p, f)
 d = Sub(p, l)  e = Div(d, s)  h = Add(e, x)
 z = BitwiseXor(y, k)  u = BitwiseXor(h, z)
}"""
_HALF_U64 = """Half (x, y, k, m, f, s) => (u, l) {
 p = Mul(x, m)  l = BitwiseAnd(p, f)
 h = BitShift<direction = "RIGHT">(p, s)
 z = BitwiseXor(y, k)  u = BitwiseXor(h, z)
}"""
_ROUND = """Round (a, b, c, d, i, j) => (w, x, u, v, k, l) {
 o = $round  m, n, p, q, f, s = Split<num_outputs = 6>(o)
 u, v = fpk.Half(a, d, j, m, f, s)
 w, x = fpk.Half(c, b, i, n, f, s)
 g = Add(i, p)  k = BitwiseAnd(g, f)
 h = Add(j, q)  l = BitwiseAnd(h, f)
}"""
_ROUNDS = """Rounds (a, b, c, d, i, j) => (w, x, u, v, k, l) {
 e, f, g, h, m, n = fpk.Round(a, b, c, d, i, j)
 w, x, u, v, k, l = fpk.Round(e, f, g, h, m, n)
}"""
_WORDS = """Words (a, b, c, d, i, j) => (w) {
 a1, b1, c1, d1, i1, j1 = fpk.Rounds(a, b, c, d, i, j)
 a2, b2, c2, d2, i2, j2 = fpk.Rounds(a1, b1, c1, d1, i1, j1)
 a3, b3, c3, d3, i3, j3 = fpk.Rounds(a2, b2, c2, d2, i2, j2)
 a4, b4, c4, d4, i4, j4 = fpk.Rounds(a3, b3, c3, d3, i3, j3)
 e, f, g, h, k, l = fpk.Rounds(a4, b4, c4, d4, i4, j4)
 w = Concat<axis = 1>(e, f, g, h)
}"""
_UNIFORM = """Uniform (w) => (k) {
 f = $byte  a = BitwiseOr(w, f)  h = $half  b = Div(a, h)
 c = Cast<to = 7>(b)  d = $two24  k = Sub(c, d)
}"""
_STEP = """Step (a, t, n, r, h) => (b) {
 p = Mul(a, t)  q = Div(p, h)  c = Gather(r, n)  b = Sub(c, q)
}"""
# The last row holds 2**(31 - n); with it the bits below the highest one come as half of T.
_OCTAVE = """Octave (s, v, x, t) => (k) {
 c = Cast<to = $type>(t)
 c0, c1, c2, c3, c4, c5, c6 = Split<num_outputs = 7>(c)
 g = Log(x)  i = Constant<value = double {1.4426950408889634}>()
 h = Mul(g, i)  n = Cast<to = 6>(h)
 q = Gather(c6, n)  y = Mul(v, q)  z = $two31  u = Sub(y, z)
 a5 = Gather(c5, n)
 a4 = fpk.Step(a5, u, n, c4, z)
 a3 = fpk.Step(a4, u, n, c3, z)
 a2 = fpk.Step(a3, u, n, c2, z)
 a1 = fpk.Step(a2, u, n, c1, z)
 a = fpk.Step(a1, u, n, c0, z)
 e = Constant<value_ints = [256, -256]>()
 $signed
}"""
_SIGNED_I64 = "f = Gather(e, s)  k = Div(a, f)"
_SIGNED_U64 = "b = Cast<to = 7>(s)  f = Gather(e, b)  d = Cast<to = 7>(a)  k = Div(d, f)"
_NORMAL = """Normal (w, t) => (k) {
 o = $one  v = BitwiseOr(w, o)  s = BitwiseAnd(w, o)  x = Cast<to = 11>(v)
 k = fpk.Octave(s, v, x, t)
}"""
_TRUNCATED = """Truncated (w, p, t) => (k) {
 a = $two  b = Div(w, a)  s = Mod(w, a)  c = $two32  d = Sub(c, p)  e = Mul(b, d)
 f = $two31  g = Div(e, f)  v = Add(g, p)
 h = Cast<to = 11>(v)  i = Constant<value = double {0.5}>()  x = Add(h, i)
 k = fpk.Octave(s, v, x, t)
}"""
_SIGNS = """Signs (w) => (k) {
 a = Constant<value_ints = [-1]>()  b = Unsqueeze(w, a)
 c = Constant<value_ints = [$bits]>()  d = Cast<to = $type>(c)
 e = BitwiseAnd(b, d)  f = Cast<to = 9>(e)
 g = Constant<value_ints = [-1]>()  h = Constant<value_ints = [1]>()  i = Where(f, g, h)
 s = Constant<value_ints = [-1, 128]>()  k = Reshape(i, s)
}"""
_PHILOX = (_ROUND, _ROUNDS, _WORDS)
_TAIL = (_STEP, _OCTAVE)
_DRAWS = {
    Draw.uniform: (_UNIFORM,),
    Draw.normal: (*_TAIL, _NORMAL),
    Draw.truncated_normal: (*_TAIL, _TRUNCATED),
    Draw.sign: (_SIGNS,),
}
_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_NUMBERS = {
    "two32": 1 << 32,
    "two31": 1 << 31,
    "byte": 255,
    "half": 128,
    "one": 1,
    "two": 2,
}


def make_functions(
    draws: Iterable[Draw], arithmetic: str, opset: int = OPSET
) -> list[FunctionProto]:
    """Return the functions that some draws need, each once.

    Parameters
    ----------
    draws : iterable of Draw
        uniform, normal, truncated_normal, sign.
    arithmetic : {"i64", "u64"}
        Type of the words.
    opset : int
        That of the model: runtimes do not mix versions.

    Examples
    --------
    >>> [function.name for function in make_functions([Draw.uniform], "i64")]
    ['Half', 'Round', 'Rounds', 'Words', 'Uniform']
    """
    texts = [_HALF_U64 if arithmetic == "u64" else _HALF_I64, *_PHILOX]
    for draw in draws:
        texts += [text for text in _DRAWS[draw] if text not in texts]
    words = _words(arithmetic)
    return [_parse(_HEAD.format(opset) + Template(text).substitute(words)) for text in texts]


def _words(arithmetic: str) -> dict[str, str]:
    """Return what the templates call constants and types."""
    if arithmetic == "i64":
        words = {key: f"Constant<value_int = {n}>()" for key, n in _NUMBERS.items()}
        round_numbers = [*(m - (1 << 32) for m in _MULTIPLIERS), *_WEYL, _LOW, 1 << 32]
        words["round"] = f"Constant<value_ints = {round_numbers}>()"
    else:
        words = {key: f"Constant<value = uint64 {{{n}}}>()" for key, n in _NUMBERS.items()}
        listed = ", ".join(map(str, (*_MULTIPLIERS, *_WEYL, _LOW, 32)))
        words["round"] = f"Constant<value = uint64[6] {{{listed}}}>()"
    words["two24"] = f"Constant<value_int = {1 << 24}>()"
    words["type"] = "13" if arithmetic == "u64" else "7"
    words["signed"] = _SIGNED_U64 if arithmetic == "u64" else _SIGNED_I64
    words["bits"] = ", ".join(str(1 << i) for i in range(32))
    return words


def _parse(text: str) -> FunctionProto:
    function = parser.parse_function(text)
    calls = any(node.domain == DOMAIN for node in function.node)
    if not calls:
        del function.opset_import[1]
    function.opset_import[0].ClearField("domain")
    _shorten(function)
    return function


def _shorten(function: FunctionProto) -> None:
    """Give all values of a function the shortest names."""
    names = short_names()
    short: dict[str, str] = {}
    for field in (function.input, function.output):
        _rename(field, short, names)
    for node in function.node:
        if not node.domain:
            node.ClearField("domain")
        for attribute in node.attribute:
            if attribute.HasField("t"):
                attribute.t.ClearField("name")
        _rename(node.input, short, names)
        _rename(node.output, short, names)


def _rename(field: Any, short: dict[str, str], names: Iterator[str]) -> None:
    renamed = [short.get(name) or short.setdefault(name, next(names)) for name in field]
    del field[:]
    field.extend(renamed)
