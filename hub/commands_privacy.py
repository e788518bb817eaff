"""Commands of privacy: erasing a person, time limits, the audit log, a new master key."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from laporhub.hub.console import (
    DataOption,
    ProfileOption,
    configure_logging,
    fail,
    print_json,
    run_with_hub,
    settings_for,
)

if TYPE_CHECKING:
    from laporhub.hub.hub import Hub
    from laporhub.pipeline.store.audit import Entry, Verdict

audit = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who looked at whom, and why.")
keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The keys of the vault.")


def erase(
    reporter: Annotated[str, typer.Argument(help="A pseudonym, or a ticket of the person.")],
    reason: Annotated[str, typer.Option(help="Kept in the audit log.")] = "operator",
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Erase a person: deletes their keys, so that nothing sealed with them can be read again. Cases stay."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> dict[str, object]:
        state = hub.case(reporter)
        who = state.reporter if state else reporter
        done = await asyncio.to_thread(hub.eraser.erase, who, _shell(), reason)
        return {"reporter": who, "keys_erased": done.keys, "files_deleted": done.files}

    told = run_with_hub(settings, work)
    if not told["keys_erased"] and not told["files_deleted"]:
        fail(f"there is no key of {reporter!r}: it was erased before, or the pseudonym is wrong", 1)
    print_json(told)


def forget(profile: ProfileOption = None, data: DataOption = None) -> None:
    """Erase now what the profiles' time limits no longer allow to be kept; a running hub does it once a day."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> dict[str, object]:
        done = await asyncio.to_thread(hub.eraser.sweep)
        return {"persons_erased": done.persons, "files_deleted": done.files}

    print_json(run_with_hub(settings, work))


@audit.command("list")
def list_records(profile: ProfileOption = None, data: DataOption = None) -> None:
    """List the records, oldest first, a JSON line each."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        for entry in hub.audit.entries():
            print_json(asdict(entry))

    run_with_hub(settings, work, beside=True)


@audit.command()
def verify(
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="The head that an earlier check gave: it must still be there."),
    ] = None,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Look whether a record was changed, deleted, moved or added. Note the head outside the database."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> Verdict:
        return await asyncio.to_thread(hub.audit.verify, noted)

    verdict = run_with_hub(settings, work, beside=True)
    print_json(asdict(verdict))
    if verdict.faults:
        fail(f"the audit log is not whole: {'; '.join(verdict.faults)}", 1)


@audit.command()
def acknowledge(
    reason: Annotated[str, typer.Option(help="Why records are gone; kept in the audit log.")],
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Go on without records that are gone, as after an older database was put back. That, too, is a record."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> Entry:
        return await asyncio.to_thread(hub.audit.acknowledge, _shell(), reason, hub.now())

    print_json(asdict(run_with_hub(settings, work)))


@keys.command()
def rotate(profile: ProfileOption = None, data: DataOption = None) -> None:
    """Give the vault a new master key: every reporter's key is wrapped anew. Stopped half-way, it goes on."""
    from laporhub.hub.compose import only_one, utc_now
    from laporhub.hub.rotating import rotate as rotate_keys

    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)
    if settings.kafka_servers:
        print_json(asdict(rotate_keys(settings, _shell(), utc_now)))
        return
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(settings):
        print_json(asdict(rotate_keys(settings, _shell(), utc_now)))


def _shell() -> str:
    return f"shell:{os.environ.get('USER', 'operator')}"


def register(app: typer.Typer) -> None:
    app.add_typer(audit, name="audit")
    app.add_typer(keys, name="keys")
    for command in (erase, forget):
        app.command()(command)
