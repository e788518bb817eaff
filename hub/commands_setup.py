"""Commands that prepare the servers of the distributed engine, and describe its streams."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from laporhub.hub.console import DataOption, ProfileOption, configure_logging, print_json, settings_for
from laporhub.pipeline import asyncapi
from laporhub.pipeline.profile.load import load


def setup(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; say what is missing, and end with 1 if anything is."),
    ] = False,
    renew: Annotated[
        list[str] | None,
        typer.Option("--renew", help="Only give this unit a new Kafka password; may be repeated."),
    ] = None,
    dashboards: Annotated[
        bool,
        typer.Option(
            "--dashboards", help="Bring dashboards back to what is shipped; changes to them are lost."
        ),
    ] = False,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Prepare Kafka, Elasticsearch and Kibana: topics, users and rights of units, templates. Again and again."""
    from laporhub.hub.set_up import renew_password, set_up

    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)
    books = [load(name) for name in settings.profiles]
    for unit in renew or ():
        for path in renew_password(settings, books, unit):
            typer.echo(f"+ kafka: {unit} has a new password, in {path}")
    if renew:
        return
    findings = []
    for finding in set_up(settings, books, check=check, dashboards=dashboards):
        findings.append(finding)
        for step in finding.steps:
            typer.echo(f"{'-' if check else '+'} {finding.part}: {step}")
        for line in finding.by_hand:
            typer.echo(f"! {finding.part}: {line}")
        if not finding.steps and not finding.by_hand:
            typer.echo(f"✓ {finding.part}: all there")
    if not findings:
        typer.echo("✓ nothing to set up: without LAPORHUB_KAFKA_SERVERS the hub needs no servers")
    unfinished = any(finding.by_hand or (check and finding.steps) for finding in findings)
    raise typer.Exit(1 if unfinished else 0)


def streams(
    folder: Annotated[
        Path | None, typer.Argument(help="Write asyncapi.json and schemas/*.json there, instead of printing.")
    ] = None,
) -> None:
    """Describe the streams: an AsyncAPI 3 document, and the JSON Schema of every record."""
    if folder is None:
        print_json(asyncapi.document())
        return
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    for name, content in described().items():
        (folder / name).write_bytes(content)


def described() -> dict[str, bytes]:
    """File → what it holds: the AsyncAPI document and the schemas."""
    made = {"asyncapi.json": asyncapi.document()}
    made |= {f"schemas/{name}": schema for name, schema in asyncapi.schemas().items()}
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {name: orjson.dumps(content, option=options) for name, content in made.items()}


def register(app: typer.Typer) -> None:
    app.command()(setup)
    app.command()(streams)
