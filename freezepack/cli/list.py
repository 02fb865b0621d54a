"""`freezepack list`: what there is to choose from."""

import json

import click

from freezepack.errors import UnknownNameError
from freezepack.registry import Entry, Registry

TABLES = {
    "scores": Entry("freezepack.scores:SCORES", "one number per weight"),
    "methods": Entry("freezepack.train.methods:METHODS", "what is trained"),
    "strategies": Entry("freezepack.selection:STRATEGIES", "from scores to masks"),
    "models": Entry("freezepack.models:MODELS", "network architectures"),
    "data": Entry("freezepack.train.data:DATASETS", "data sets"),
    "schemes": Entry("freezepack.random:SCHEMES", "initialisations"),
    "index-codecs": Entry("freezepack.codecs:INDEX_CODECS", "how masks are stored"),
    "value-codecs": Entry("freezepack.codecs:VALUE_CODECS", "how trained values are stored"),
    "backends": Entry("freezepack.rebuild:BACKENDS", "what rebuilds weights"),
    "device-backends": Entry(
        "freezepack.rebuild.torch_devices:DEVICE_BACKENDS", "what rebuilds weights on a GPU"
    ),
}
GROUPS = {
    "codecs": ("index-codecs", "value-codecs"),
    "backends": ("backends", "device-backends"),
}


@click.command("list", short_help="List scores, models, data, codecs, ...")
@click.argument("what", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_parts(what: str | None, as_json: bool) -> None:
    """List what there is of WHAT: scores, methods, strategies, models, data, ...

    Without WHAT, list everything.
    """
    if what is not None and what not in TABLES and what not in GROUPS:
        raise UnknownNameError("list", what, {**TABLES, **GROUPS})
    names = list(TABLES) if what is None else GROUPS.get(what, (what,))
    tables = {name: _rows(TABLES[name].load()) for name in names}
    if as_json:
        click.echo(json.dumps(tables, indent=2))
        return
    for number, (name, rows) in enumerate(tables.items()):
        if len(tables) > 1:
            click.echo(f"{'' if not number else chr(10)}{name}")
        indent = "  " if len(tables) > 1 else ""
        width = max(len(row["name"]) for row in rows)
        for row in rows:
            source = f"  [{row['source']}]" if row["source"] else ""
            click.echo(f"{indent}{row['name']:{width}}  {row['summary']}{source}")
        if name == "backends":
            click.echo(f"{indent}in use: {_in_use()}")
        if name == "device-backends":
            click.echo(f"{indent}in use: {_in_use_on_gpu()}")


def _rows(table: Registry) -> list[dict[str, str]]:
    return [
        {"name": name, "summary": entry.summary, "source": entry.source}
        for name, entry in table.items()
    ]


def _in_use() -> str:
    from freezepack import native

    return native.status()


def _in_use_on_gpu() -> str:
    """Say which device back end is used, or why not."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return "none: torch is not installed: pip install 'freezepack[torch]'"
    from freezepack.rebuild.torch_devices import describe_device

    return describe_device()
