"""Commands of the operator: dead letters, accounts, tokens, doctor, simulate."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from laporhub.connectors.registry import CONNECTORS, lacking
from laporhub.hub.console import (
    DataOption,
    ProfileOption,
    configure_logging,
    fail,
    print_json,
    run_with_hub,
    settings_for,
)
from laporhub.hub.settings import Settings
from laporhub.pipeline.channel_state import ChannelHealth
from laporhub.pipeline.errors import LaporHubError
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import is_address
from laporhub.pipeline.staff import Account, Post

deadletter = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Payloads that could not be understood."
)

if TYPE_CHECKING:
    from laporhub.hub.hub import Hub
user = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Staff accounts.")


@deadletter.command("list")
def list_letters(profile: ProfileOption = None, data: DataOption = None) -> None:
    """List what waits, oldest first, a JSON line each."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        for letter in hub.dead_letters():
            kept = asdict(letter)
            print_json({name: kept[name] for name in ("id", "at", "profile", "channel", "stage", "reason")})

    run_with_hub(settings, work, beside=True)


@deadletter.command("show")
def show_letter(name: str, profile: ProfileOption = None, data: DataOption = None) -> None:
    """Show the payload itself. It may hold a citizen's data: the look is recorded."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        letter, raw = hub.dead_letter(name)
        hub.audit.record("shell", "show dead letter", name, "operator", hub.now())
        body = raw.body.decode("utf-8", "backslashreplace") if raw else None
        print_json(
            {"id": letter.id, "reason": letter.reason, "content_type": raw and raw.content_type, "body": body}
        )

    run_with_hub(settings, work, beside=True)


@deadletter.command()
def replay(
    name: Annotated[str, typer.Argument(help="An id, or all.")],
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Take a payload once more, after the cause was mended."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> bool:
        names = [letter.id for letter in hub.dead_letters()] if name == "all" else [name]
        clean = True
        for each in names:
            tally = await hub.replay(each)
            clean = clean and not (tally.rejected or tally.dead_lettered)
            print_json({"id": each} | asdict(tally))
        return clean

    raise typer.Exit(0 if run_with_hub(settings, work) else 1)


@user.command("add")
def add_user(
    username: str,
    role: Annotated[
        list[str], typer.Option(help="One of the profile's roles; PROFILE=ROLE where they differ by profile.")
    ],
    unit: Annotated[
        list[str] | None,
        typer.Option(help="For roles that see their own unit's cases; PROFILE=UNIT where they differ."),
    ] = None,
    password: Annotated[
        str | None, typer.Option(envvar="LAPORHUB_NEW_PASSWORD", help="Made when left out.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Where reports for the role are sent.")] = None,
    language: str = "id",
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Add an account, or change it; its sessions end."""
    if email is not None and not is_address(email):
        fail(f"--email: {email!r} is no address", 2)
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)
    chosen = password or secrets.token_urlsafe(12)

    async def work(hub: Hub) -> Account:
        posts = {book.name: _post(book, role, unit or []) for book in hub.rulebooks.values()}
        first = next(iter(posts.values()))
        apart = posts if any(post != first for post in posts.values()) else {}
        account = Account(username, tuple(posts), first.role, first.unit, language, email, apart)
        hub.accounts.save(account, chosen)
        return account

    made = run_with_hub(settings, work, beside=True)
    known: dict[str, object] = {"username": username, "role": made.role, "unit": made.unit}
    known |= {"posts": {name: asdict(post) for name, post in made.posts.items()}} if made.posts else {}
    print_json(known | ({} if password else {"password": chosen}))


def _post(book: Rulebook, roles: list[str], units: list[str]) -> Post:
    """What the options say of one profile: "PROFILE=ROLE" before "ROLE"."""
    role, unit = _said_of(book, roles), _said_of(book, units)
    if role is None:
        fail(f"say --role {book.name}=ROLE too, or with --profile where else the account works", 1)
    if role not in book.profile.roles:
        fail(f"profile {book.name} has no role {role!r}; it has: {', '.join(book.profile.roles)}", 1)
    if book.profile.roles[role].scope != "unit":
        return Post(role, unit if unit in book.units else None)
    if unit not in book.units:
        fail(f"the role {role!r} needs --unit, one of the profile's units", 1)
    return Post(role, unit)


def _said_of(book: Rulebook, given: list[str]) -> str | None:
    own = [value.partition("=")[2] for value in given if value.startswith(f"{book.name}=")]
    return next(iter(own or [value for value in given if "=" not in value]), None)


@user.command("list")
def list_users(profile: ProfileOption = None, data: DataOption = None) -> None:
    """List the accounts that may sign in."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        for account in hub.accounts.all():
            print_json(asdict(account))

    run_with_hub(settings, work, beside=True)


@user.command()
def deactivate(username: str, profile: ProfileOption = None, data: DataOption = None) -> None:
    """End an account, its sessions and its tokens."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> None:
        hub.accounts.deactivate(username)

    run_with_hub(settings, work, beside=True)


def token(username: str, profile: ProfileOption = None, data: DataOption = None) -> None:
    """Issue a bearer token for the API, in an account's name. It is shown once."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> str:
        return await asyncio.to_thread(hub.accounts.issue_token, username, hub.now())

    print_json({"username": username, "token": run_with_hub(settings, work, beside=True)})


def rebuild(
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="Elasticsearch: keep what is there meanwhile, and what should not be."
        ),
    ] = False,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Write the search index and the lists anew: from the cases, or from the events on Kafka."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)
    if settings.kafka_servers:
        from laporhub.hub.distributed import rebuild_search

        def progressed(read: int) -> None:
            typer.echo(f"{read} events read", err=True)

        told = asyncio.run(rebuild_search(settings, progressed, in_place=in_place))
        print_json({"cases": told.cases, "events": told.events, "rejected": len(told.rejected)})
        raise typer.Exit(1 if told.rejected else 0)
    from laporhub.pipeline.embedded.rebuild import rebuild as write_anew

    async def work(hub: Hub) -> int:
        if hub.sink is None:
            raise AssertionError("the embedded hub writes its own lists")
        return await asyncio.to_thread(write_anew, hub.database, hub.sink)

    print_json({"cases": run_with_hub(settings, work)})


def doctor(profile: ProfileOption = None, data: DataOption = None) -> None:
    """Say what is missing, and what to do about it."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)
    findings: list[tuple[str, str]] = []

    async def work(hub: Hub) -> None:
        findings.extend((name, state) for name, state in hub.ready().items() if name != "engine")
        findings.extend(_connectors(hub, settings))
        findings.append(("public address", "ok" if settings.public_url else _NO_ADDRESS))
        findings.append(("accounts of staff", "ok" if hub.accounts.all() else _NO_STAFF))
        findings.extend((f"channel {each.channel}", _stands(each)) for each in hub.channels())
        findings.append(("reports by e-mail", _reports(hub, settings)))
        letters = len(hub.dead_letters())
        findings.append(("dead letters", f"{letters} wait: laporhub deadletter list" if letters else "ok"))

    try:
        run_with_hub(settings, work, beside=True)
    except LaporHubError as error:
        findings.append(("start", str(error)))
    for name, finding in findings:
        typer.echo(f"{'✓' if finding.startswith('ok') else '✗'} {name}: {finding}")
    broken = {"start", "database"} & {name for name, finding in findings if finding != "ok"}
    raise typer.Exit(1 if broken else 0)


def _stands(health: ChannelHealth) -> str:
    """One channel in a line: "ok", or what is wrong and what to do."""
    if not health.configured:
        return (
            f"cannot answer, {health.waiting} replies wait: see docs/channels"
            if health.waiting
            else "not set up"
        )
    if health.dead:
        return f"the platform refuses {health.account} ({health.rests_why}): renew its token, then restart"
    if health.rests_until is not None:
        return f"rests until {health.rests_until:%Y-%m-%d %H:%M} UTC: {health.rests_why}"
    if health.ok is False:
        return health.reason or "the platform says that the account is not well"
    if health.poll_trouble:
        return f"cannot be polled: {health.poll_trouble}"
    return "ok"


def _connectors(hub: Hub, settings: Settings) -> Iterator[tuple[str, str]]:
    """Each connector that is installed: whether a channel uses it, and what it still must be told."""
    used = {
        channel.provider or name
        for book in hub.rulebooks.values()
        for name, channel in book.profile.channels.items()
    }
    for provider in CONNECTORS:
        missing = lacking(provider, settings.connectors.get(provider, {}))
        if provider not in used:
            yield f"connector {provider}", "ok, no channel of the profiles uses it"
        elif provider == "twilio":
            yield "connector twilio", "ok" if settings.twilio_account_sid else _NO_TWILIO
        else:
            yield f"connector {provider}", f"cannot answer: set {', '.join(missing)}" if missing else "ok"
    for provider in sorted(used - set(CONNECTORS)):
        yield f"connector {provider}", "a channel uses it, and it is not installed"


def _reports(hub: Hub, settings: Settings) -> str:
    """Whether the reports that the profiles name reach somebody."""
    from laporhub.hub.posting import receivers_of

    named = [(book, rule) for book in hub.rulebooks.values() for rule in book.profile.reports]
    if not named:
        return "ok, the profiles name none"
    if missing := lacking("email", settings.connectors.get("email", {})):
        return f"not sent: set {', '.join(missing)}"
    staff = hub.accounts.all()
    for book, rule in named:
        if not receivers_of(book, rule.every, staff):
            return _NO_RECEIVER.format(profile=book.name, every=rule.every, to=", ".join(rule.to))
    return "ok"


_NO_RECEIVER = (
    "nobody gets those of {profile} for each {every}: no account with the role {to} has an address, "
    "laporhub user add NAME --role ROLE --email ADDRESS"
)
_NO_TWILIO = (
    "WhatsApp and SMS cannot be answered: set LAPORHUB_TWILIO_ACCOUNT_SID and LAPORHUB_TWILIO_AUTH_TOKEN"
)
_NO_ADDRESS = "hooks are only verified on the local address: set LAPORHUB_PUBLIC_URL to what platforms call"
_NO_STAFF = "nobody can sign in: laporhub user add NAME --role ROLE"


def register(app: typer.Typer) -> None:
    app.add_typer(deadletter, name="deadletter")
    app.add_typer(user, name="user")
    for command in (token, rebuild, doctor):
        app.command()(command)
