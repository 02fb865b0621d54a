"""`freezepack inspect`: what a pack holds and where its bytes go."""

from __future__ import annotations

from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezepack.cli.options import (
    InputFile,
    base_option,
    force_option,
    format_bytes,
    format_table,
    json_option,
    max_bytes_option,
    print_json,
)

if TYPE_CHECKING:
    from freezepack.format.tables import Header, TensorRecord
    from freezepack.rebuild.rebuilder import Rebuilder

COUNT_LIMIT = 1 << 26
"""Rebuilt bytes up to which entries are compared with their base without being asked."""


@click.command(short_help="Show what a pack holds.")
@click.argument("model", type=InputFile())
@click.option(
    "--changed/--no-changed",
    default=None,
    help="Count the trained entries that differ from their base. [default: up to 64 MiB]",
)
@click.option(
    "--plot", metavar="FILE", help="Draw density and bytes per tensor: .png, .svg or .pdf."
)
@force_option
@base_option
@max_bytes_option
@json_option
def inspect(
    model: str,
    changed: bool | None,
    plot: str | None,
    force: bool,
    bases: tuple[str, ...],
    max_bytes: int,
    as_json: bool,
) -> None:
    """Show what MODEL, a pack, holds and where its bytes go. Nothing is rebuilt in memory."""
    from freezepack.cli.inspect_plot import check_plot, draw_pack
    from freezepack.files import check_output, write_output
    from freezepack.handle import open_pack

    if plot is not None:
        check_plot(plot)
        check_output(plot, force=force)

    with open_pack(model, base=bases or None, max_bytes=max_bytes) as file:
        if changed is None:
            known = all(type(b).__name__ == "SeedBase" for b in file.header.bases)
            changed = bool(known or bases) and file.header.nbytes <= COUNT_LIMIT
        if changed:
            file.rebuilder.check_limit()
        facts = collect(file.header, file.rebuilder, changed=changed)
    name = "standard input" if model == "-" else Path(model).name
    if plot is not None:
        picture = draw_pack(name, facts, Path(plot).suffix.lower())
        write_output(plot, [picture], force=force)
    if as_json:
        print_json({"pack": model, **facts})
    else:
        click.echo(describe(name, facts))


def collect(header: Header, rebuilder: Rebuilder, *, changed: bool) -> dict[str, Any]:
    """Return what a header says, as JSON; if asked for, count changed entries as well."""
    tensors = [_tensor_facts(record, rebuilder, changed) for record in header.tensors.values()]
    trained = sum(tensor["trained"] for tensor in tensors)
    return {
        "format": 1,
        "bytes": header.file_size,
        "rebuilt_bytes": header.nbytes,
        "partial": header.partial,
        "lossy": any(tensor["lossy"] for tensor in tensors),
        "metadata": header.metadata,
        "bases": [_base_facts(base) for base in header.bases],
        "parts": header.sizes,
        "entries": sum(tensor["entries"] for tensor in tensors),
        "trained": trained,
        "changed": sum(tensor["changed"] for tensor in tensors) if changed else None,
        "digest": None if header.digest is None else f"{header.digest:016x}",
        "tensors": tensors,
        "aliases": header.aliases,
    }


def _tensor_facts(record: TensorRecord, rebuilder: Rebuilder, changed: bool) -> dict[str, Any]:
    from freezepack.codecs import index_codec_by_id, value_codec_by_id
    from freezepack.rebuild.changed import count_changed

    index = sum(unit.index_length for unit in record.explicit_units or ())
    values = value_codec_by_id(record.kind.value_codec)
    size, trained = record.spec.size, rebuilder.count_trained(record)
    draw, init = record.kind.draw, record.init
    return {
        "name": record.spec.name,
        "shape": list(record.spec.shape),
        "dtype": record.spec.dtype.name,
        "base": type(record.base).__name__.removesuffix("Base").lower(),
        "draw": None if draw is None else draw.name,
        "factor": None if draw is None or init is None else float(init.factor),
        "stream": None if init is None else init.stream,
        "index": index_codec_by_id(record.kind.index_codec).name,
        "values": values.name,
        "lossy": values.lossy,
        "entries": size,
        "trained": trained,
        "changed": count_changed(rebuilder, record.spec.name) if changed else None,
        "index_bytes": index,
        "index_entropy_bytes": round(entropy_bits(size, trained) / 8, 1),
        "value_bytes": record.nbytes - index + len(record.parameter),
        "digest": None if record.digest is None else f"{record.digest:016x}",
    }


def entropy_bits(size: int, count: int) -> float:
    """Return the bits that `count` marks among `size` places cost if all places are alike.

    Examples
    --------
    >>> entropy_bits(8, 4), entropy_bits(8, 8)
    (8.0, 0.0)
    """
    if not 0 < count < size:
        return 0.0
    rest = size - count
    return -count * log2(count / size) - rest * log2(rest / size)


def _base_facts(base: Any) -> dict[str, Any]:
    kind = type(base).__name__.removesuffix("Base").lower()
    if kind == "seed":
        return {"kind": kind, "seed": base.seed}
    return {"kind": kind, "digest": f"{base.digest:016x}", "hint": base.hint}


def describe(name: str, facts: dict[str, Any]) -> str:
    """Return the facts for a person."""
    factor = facts["rebuilt_bytes"] / facts["bytes"]
    lines = [
        f"{name}: {format_bytes(facts['bytes'])}, rebuilds to "
        f"{format_bytes(facts['rebuilt_bytes'])}, factor {factor:.1f}"
        + (" (LOSSY)" if facts["lossy"] else "")
        + (" (part of a model)" if facts["partial"] else ""),
    ]
    lines += [f"{key}: {value}" for key, value in facts["metadata"].items()]
    lines += [f"base: {' '.join(map(str, base.values()))}" for base in facts["bases"]]
    changed = "" if facts["changed"] is None else f", of these changed {facts['changed']:,}"
    lines += [
        f"trained: {facts['trained']:,} of {facts['entries']:,}{changed}",
        "bytes: " + ", ".join(f"{part} {size:,}" for part, size in facts["parts"].items()),
        *_index_lines(facts["tensors"]),
        "",
        _tensor_table(facts["tensors"]),
    ]
    lines += [f"{alias} is tied to {owner}" for alias, owner in facts["aliases"].items()]
    shared = sum(tensor["index"] == "joint" for tensor in facts["tensors"])
    if shared > 1:
        lines.append(
            f"{shared} tensors share sections of index and values, counted with the first of each"
        )
    return "\n".join(lines)


def _index_lines(tensors: list[dict[str, Any]]) -> list[str]:
    """Compare the index with what coders that know only the densities could reach."""
    indexed = [
        tensor
        for tensor in tensors
        if 0 < tensor["trained"] < tensor["entries"] and tensor["index"] != "joint"
    ]
    count = sum(tensor["trained"] for tensor in indexed)
    if not count:
        return []
    used = 8 * sum(tensor["index_bytes"] for tensor in indexed) / count
    one = entropy_bits(sum(tensor["entries"] for tensor in indexed), count) / count
    each = 8 * sum(tensor["index_entropy_bytes"] for tensor in indexed) / count
    return [
        f"index: {used:.2f} bits per trained entry; entropy {each:.2f} knowing each tensor's "
        f"density, {one:.2f} knowing one"
    ]


def _tensor_table(tensors: list[dict[str, Any]]) -> str:
    header = ["tensor", "shape", "type", "base", "index", "values", "trained", "changed"]
    rows = [
        [
            tensor["name"],
            "x".join(map(str, tensor["shape"])) or "scalar",
            tensor["dtype"],
            tensor["draw"] or tensor["base"],
            tensor["index"],
            tensor["values"],
            f"{tensor['trained']:,}",
            "" if tensor["changed"] is None else f"{tensor['changed']:,}",
            f"{tensor['index_bytes']:,}",
            f"{tensor['value_bytes']:,}",
        ]
        for tensor in tensors
    ]
    return format_table([*header, "index B", "values B"], rows, left=6)
