"""Commands about SMS gateways: check, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from laporhub.connectors.sms_gateway import Gateway, load_gateway, shipped
from laporhub.hub.console import print_json

gateways = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Mappings of SMS gateways.")


@gateways.command()
def check(
    where: Annotated[str, typer.Argument(help="A shipped gateway's name, or the path of a mapping.")],
) -> None:
    """Check a mapping: every mistake with its line, and which settings it needs."""
    gateway = load_gateway(where)
    needs = ", ".join(f"LAPORHUB_SMS_{name.upper()}" for name in sorted(gateway.needs() | {"secret"}))
    typer.echo(f"{gateway.name}: ok. Its address is /hooks/sms/{gateway.name}; it needs {needs}.")


@gateways.command()
def schema() -> None:
    """Print the JSON Schema of a mapping, for editors."""
    print_json(Gateway.model_json_schema())


@gateways.command("list")
def list_gateways() -> None:
    """List the gateways that come with the hub."""
    for name in shipped():
        typer.echo(f"{name}: {load_gateway(name).title}")


def register(app: typer.Typer) -> None:
    app.add_typer(gateways, name="gateway")
