"""The command line: a table of commands, each imported when it is used."""

import sys

import click

from freezepack import __version__
from freezepack.errors import FreezepackError
from freezepack.registry import Entry, Registry

COMMANDS = Registry(
    "command",
    {
        "demo": Entry(
            "freezepack.cli.demo:demo", "Everything on the embedded digits, in a minute."
        ),
        "train": Entry("freezepack.cli.train:train", "Train a FreezeNet or its pruned twin."),
        "pack": Entry("freezepack.cli.pack:pack", "Store a model as base plus patch."),
        "unpack": Entry("freezepack.cli.unpack:unpack", "Rebuild the dense weights of a pack."),
        "eval": Entry("freezepack.cli.eval:evaluate", "Measure the accuracy of a pack."),
        "inspect": Entry("freezepack.cli.inspect:inspect", "Show what a pack holds."),
        "verify": Entry(
            "freezepack.cli.verify:verify", "Check a pack, or compare it with a model."
        ),
        "export": Entry("freezepack.cli.export:export", "Write a pack as an ONNX file."),
        "expand": Entry("freezepack.cli.expand:expand", "Write a compact ONNX file out densely."),
        "bench": Entry("freezepack.cli.bench:bench", "Measure sizes and speed, write tables."),
        "list": Entry("freezepack.cli.list:list_parts", "List scores, models, data, codecs, ..."),
    },
)


class LazyGroup(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = COMMANDS.get_part(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in COMMANDS])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="freezepack")
def cli() -> None:
    """Store a network as a seed, its trained values and their index.

    Exit codes: 0 done, 1 failed, 2 usage, 3 unreadable file, 4 verification differs.
    """


def main() -> None:
    """Run the command line; turn errors into one line on stderr and an exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except FreezepackError as error:
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        code = 1
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {place}{error.strerror or error}", err=True)
        code = 1
    sys.exit(code or 0)
