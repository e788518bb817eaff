"""Commands about profiles: check, graph, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from laporhub.hub.console import fail, print_json
from laporhub.pipeline.profile import graph as graphs
from laporhub.pipeline.profile.load import ProfileError, load
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import LocalDays
from laporhub.pipeline.profile.schema_units import Units
from laporhub.pipeline.profile.section import Section

profiles = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Check, draw and describe profiles.")

WhereArgument = Annotated[str, typer.Argument(help="A shipped profile's name or a profile folder.")]


@profiles.command()
def check(where: WhereArgument) -> None:
    """Check a profile: every mistake with file, line and remedy."""
    try:
        book = load(where)
    except ProfileError as error:
        fail(f"{len(error.problems)} problem(s)\n{error}", 1, whole=True)
    profile = book.profile
    typer.echo(
        f"{profile.name} {profile.version}: ok. {len(profile.states)} states, {len(profile.transitions)} transitions, "
        f"{len(profile.clocks)} clocks, {len(profile.channels)} channels, {len(book.units)} units."
    )


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
