"""Commands about profiles: check, graph, schema."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from laporhub.hub.console import DataOption, fail, print_json, settings_for
from laporhub.pipeline.profile import graph as graphs
from laporhub.pipeline.profile.load import ProfileError, load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import LocalDays
from laporhub.pipeline.profile.schema_units import Units
from laporhub.pipeline.profile.section import Section

profiles = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Check, draw and describe profiles.")

WhereArgument = Annotated[str, typer.Argument(help="A shipped profile's name or a profile folder.")]


@profiles.command()
def check(where: WhereArgument, data: DataOption = None) -> None:
    """Check a profile: every mistake with file, line and remedy; with --data also what it would do to running cases."""
    try:
        book = load(where)
    except ProfileError as error:
        fail(f"{len(error.problems)} problem(s)\n{error}", 1, whole=True)
    lost, left = _running(data, book) if data is not None else ([], {})
    if lost:
        fail(f"{len(lost)} problem(s) with running cases\n" + "\n".join(lost), 1, whole=True)
    profile = book.profile
    typer.echo(
        f"{profile.name} {profile.version}: ok. {len(profile.states)} states, {len(profile.transitions)} transitions, "
        f"{len(profile.clocks)} clocks, {len(profile.channels)} channels, {len(book.units)} units."
    )
    for unit, many in sorted(left.items()):
        typer.echo(f"Running cases of “{unit}”, which is no unit any more: {many}. Give them to another one.")


def _running(data: Path, book: Rulebook) -> tuple[list[str], Mapping[str, int]]:
    """Why cases of the hub on this folder could not go on, and how many are left with units that are no more."""
    from laporhub.pipeline.store import rules
    from laporhub.pipeline.store.database import open_database

    settings = settings_for(None, data)
    url = settings.database_url
    if url is None and not (settings.data / "hub.db").exists():
        fail(f"{settings.data} holds no hub: give the folder that the hub runs on", 1)
    database = open_database(url.get_secret_value() if url else settings.data / "hub.db")
    with database.connect() as connection:
        found = rules.conflicts(connection, book), rules.of_lost_units(connection, book)
    database.dispose()
    return found


@profiles.command()
def graph(where: WhereArgument, language: str = "id") -> None:
    """Draw the workflow as a Mermaid state diagram."""
    typer.echo(graphs.mermaid(load(where), language))


@profiles.command()
def schema() -> None:
    """Print the JSON Schema of profile.yaml, units.yaml and days.yaml, for editors."""
    models: dict[str, type[Section]] = {"profile.yaml": Profile, "units.yaml": Units, "days.yaml": LocalDays}
    print_json({name: model.model_json_schema() for name, model in models.items()})


def register(app: typer.Typer) -> None:
    app.add_typer(profiles, name="profile")
