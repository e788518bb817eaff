"""Commands that work cases from the shell."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from laporhub.hub.console import (
    DataOption,
    ProfileOption,
    configure_logging,
    fail,
    not_found,
    print_json,
    run_with_hub,
    settings_for,
)
from laporhub.pipeline.case_state import INTERNAL, CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.tracking import Query
from laporhub.pipeline.workflow import stand_in

if TYPE_CHECKING:
    from laporhub.hub.hub import Hub

case_commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Work cases from the shell.")


def _brief(state: CaseState) -> dict[str, object]:
    return {
        "ticket": state.ticket,
        "profile": state.profile,
        "channel": state.channel,
        "status": state.status,
        "unit": state.unit,
        "opened_at": state.opened_at.isoformat(),
        "text": state.text[:200],
    }


@case_commands.command("list")
def list_cases(
    status: Annotated[list[str] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only of this unit.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only from this channel.")] = None,
    q: Annotated[str, typer.Option(help="Words to find, or a ticket.")] = "",
    overdue: Annotated[bool | None, typer.Option(help="Only late ones, or only those in time.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """List cases, the most urgent first, a JSON line each."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        query = Query(
            profiles=tuple(hub.rulebooks),
            statuses=tuple(status or ()),
            units=tuple(unit or ()),
            channels=tuple(channel or ()),
            text=q,
            overdue=overdue,
            limit=limit,
        )
        for state in (await asyncio.to_thread(hub.tracking.find, query, hub.now())).cases:
            print_json(_brief(state))

    run_with_hub(settings, work, beside=True)


@case_commands.command()
def show(ticket: str, profile: ProfileOption = None, data: DataOption = None) -> None:
    """Show a case and its history."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        state = hub.case(ticket)
        if state is None:
            raise not_found(f"there is no case {ticket}")
        print_json(
            {
                "case": state.model_dump(mode="json", exclude=INTERNAL),
                "events": [
                    event.model_dump(mode="json", exclude_none=True) for event in hub.events(state.id)
                ],
            }
        )

    run_with_hub(settings, work, beside=True)


@case_commands.command()
def do(
    ticket: str,
    transition: str,
    fields: Annotated[list[str] | None, typer.Argument(help="Fields as name=value.")] = None,
    role: Annotated[
        str | None, typer.Option(help="The role to act in; by default the first of the profile that may.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="The unit to act for; by default the one that has the case.")
    ] = None,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Take a transition of the workflow."""
    given = {}
    for field in fields or ():
        name, separator, value = field.partition("=")
        if not separator:
            fail(f"{field!r} is not name=value", 2)
        given[name] = value
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        state = hub.case(ticket)
        if state is None:
            raise not_found(f"there is no case {ticket}")
        book = hub.rulebooks.get(state.profile)
        acting = (role, unit) if role or book is None else stand_in(book, state, transition, unit)
        name = f"shell:{os.environ.get('USER', 'operator')}"
        actor = Actor(id=name, role=acting[0] or "", unit=acting[1])
        print_json(_brief(await hub.act(state.id, transition, given, actor)))

    run_with_hub(settings, work)


def register(app: typer.Typer) -> None:
    app.add_typer(case_commands, name="case")
