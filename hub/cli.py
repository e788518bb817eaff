"""`laporhub`: the command line. Exit status 0 done, 1 failed, 2 wrong use; errors on stderr in one line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from laporhub.hub import (
    commands_cases,
    commands_complaints,
    commands_gateway,
    commands_inbox,
    commands_operate,
    commands_privacy,
    commands_profile,
    commands_report,
    commands_routing,
    commands_serve,
    commands_setup,
    commands_worker,
)
from laporhub.hub.console import fail
from laporhub.pipeline.errors import LaporHubError, Misconfigured

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Of the click that typer carries inside: what every wrong use raises."""

app = typer.Typer(
    name="laporhub",
    help="One hub for every complaint channel of a government.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("laporhub"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """The options before any command."""


for commands in (
    commands_serve,
    commands_complaints,
    commands_cases,
    commands_report,
    commands_profile,
    commands_gateway,
    commands_operate,
    commands_privacy,
    commands_routing,
    commands_setup,
    commands_inbox,
    commands_worker,
):
    commands.register(app)


def main() -> None:
    """The entry point of the installed command."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the message is the whole help
            typer.echo(str(error))
            sys.exit(2)
        fail(getattr(error, "format_message", error.__str__)(), 2)  # names the option at fault
    except typer.Abort:
        fail("interrupted", 1)
    except Misconfigured as error:
        fail(str(error), 1, whole=True)
    except LaporHubError as error:
        fail(str(error), 1)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        fail("interrupted", 1)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except Exception as error:
        from sqlalchemy.exc import DBAPIError  # most commands need no database: theirs start sooner

        if not isinstance(error, DBAPIError):
            raise
        fail(f"the database cannot be used: {error.orig}", 1)


if __name__ == "__main__":
    main()
