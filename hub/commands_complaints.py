"""Commands that read complaints: ingest, parse, classify."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laporhub.connectors.registry import connect
from laporhub.hub.console import (
    DataOption,
    ProfileOption,
    configure_logging,
    print_json,
    run_with_hub,
    settings_for,
)
from laporhub.hub.settings import Settings
from laporhub.pipeline.connector import Fragment, Parsed, Raw, StatusUpdate, Withdrawn
from laporhub.pipeline.errors import LaporHubError, Misconfigured, Unparsable
from laporhub.pipeline.ids import message_id
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook

if TYPE_CHECKING:
    from laporhub.hub.hub import Hub
    from laporhub.hub.receiving import Tally

_AT_ONCE = 256
_IDLE_SECONDS = 0.1
_PATIENCE = timedelta(minutes=1)
"""Replies that a platform wants later than this are left for `serve`."""

_SHOWN = {"external_id", "author_id", "text", "kind", "sent_at", "attachments", "location"}

FilesArgument = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Raw payloads.")]


def ingest(
    channel: str,
    files: FilesArgument,
    profile: ProfileOption = None,
    data: DataOption = None,
    deliver: Annotated[
        bool, typer.Option(help="Send the replies before ending; otherwise they wait for `serve`.")
    ] = False,
) -> None:
    """Take raw platform payloads from files, through the real connector."""
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> Tally:
        taking = asyncio.create_task(_ingest(hub, channel, files, settings.connectors))
        try:
            if deliver:
                await _deliver(hub, taking)
            return await taking
        finally:
            taking.cancel()

    print_json(asdict(run_with_hub(settings, work)))


async def _ingest(hub: Hub, channel: str, files: list[Path], told: Mapping[str, Mapping[str, str]]) -> Tally:
    from laporhub.connectors.files import recorded
    from laporhub.hub.receiving import Tally

    name, rulebook = next(iter(hub.rulebooks.items()))
    known = rulebook.profile.channels.get(channel)
    if known is None:
        raise Misconfigured(
            f"Profile {name} has no channel {channel!r}; it has: {', '.join(rulebook.profile.channels)}"
        )
    provider, total = known.provider or channel, Tally()
    connector = connect(provider, told.get(provider, {}))
    source = recorded(files, provider, connector)
    while some := list(islice(source, _AT_ONCE)):
        before = _messages_before(hub, rulebook, channel, [_messages(connector.parse, raw) for raw in some])
        total.duplicate += sum(before)
        new = [raw for raw, messages in zip(some, before, strict=True) if not messages]
        for tally in await asyncio.gather(*(hub.take(name, channel, provider, raw) for raw in new)):
            for field, count in asdict(tally).items():
                setattr(total, field, getattr(total, field) + count)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{total.accepted + total.duplicate} …")
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    return total


def _messages(read: Callable[[Raw], Sequence[Parsed]], raw: Raw) -> list[str]:
    """The external ids in a payload that has nothing but messages; none otherwise."""
    try:
        items = read(raw)
    except Unparsable:
        return []
    inbound = [item.external_id for item in items if isinstance(item, Inbound)]
    return inbound if len(inbound) == len(items) else []


def _messages_before(hub: Hub, book: Rulebook, channel: str, payloads: Sequence[Sequence[str]]) -> list[int]:
    """Of each payload, how many messages it has if all of them are known: what was interrupted is gone through
    quickly, without sealing everything once more. Otherwise 0.
    """
    from laporhub.pipeline.store.cases import already_received

    account = book.profile.channels[channel].account
    named = [[message_id(book.name, channel, account, each) for each in some] for some in payloads]
    with hub.database.connect() as connection:
        known = already_received(connection, chain.from_iterable(named))
    return [len(some) if all(each in known for each in some) else 0 for some in named]


async def _deliver(hub: Hub, taking: asyncio.Task[Tally]) -> None:
    """Sends replies while complaints are taken, and afterwards those that need not wait long."""
    while True:
        if await hub.publisher.send_due():
            continue
        due = hub.publisher.next_due()
        if taking.done() and (due is None or due > hub.now() + _PATIENCE):
            break
        await asyncio.sleep(_IDLE_SECONDS)
    if due is not None:
        typer.echo("laporhub: some replies wait for their platform; laporhub serve sends them", err=True)


def parse(channel: str, files: FilesArgument, profile: ProfileOption = None) -> None:
    """Show what a connector makes of raw payloads; nothing is stored."""
    from laporhub.connectors.files import is_blank, recorded

    settings = settings_for(profile, None)
    book = load(settings.profiles[0])
    known = book.profile.channels.get(channel)
    provider = (known.provider or channel) if known else channel
    connector = connect(provider, _for_reading(settings, provider))
    blank = [path for path in files if is_blank(path)]
    for path in blank:
        print_json({"error": f"{path}: there is nothing in this file"})
    failed, written = bool(blank), [path for path in files if path not in blank]
    for raw in recorded(written, provider, connector) if written else ():
        for line in _parsed(connector.parse, raw):
            failed = failed or "error" in line
            print_json(line)
    raise typer.Exit(1 if failed else 0)


def _for_reading(settings: Settings, provider: str) -> dict[str, str]:
    """What a connector must be told to read files: of a gateway only which, as the rest is for sending."""
    told = settings.connectors.get(provider, {})
    if provider != "sms":
        return told
    return {"gateway": told["gateway"]} if told.get("gateway", "twilio") != "twilio" else {}


def _parsed(parser: object, raw: Raw) -> Iterator[dict[str, object]]:
    try:
        items = parser(raw)  # type: ignore[operator]
    except LaporHubError as error:
        yield {"error": str(error)}
        return
    for item in items:
        if isinstance(item, Inbound):
            yield item.model_dump(mode="json", include=_SHOWN)
        elif isinstance(item, Fragment):
            piece = {"piece": f"{item.number}/{item.total} of {item.whole}"}
            yield item.message.model_dump(mode="json", include=_SHOWN) | piece
        elif isinstance(item, StatusUpdate):
            yield {"ignored": f"delivery status {item.status} of reply {item.reply_id}"}
        elif isinstance(item, Withdrawn):
            yield {"withdrawn": item.external_id, "author_id": item.author_id}
        else:
            yield {"ignored": item.reason}


def classify(
    text: Annotated[str, typer.Argument(help="The complaint; - reads standard input.")] = "-",
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Say which units a complaint is for, how sure that is, and why."""
    from laporhub.hub.routing import Router
    from laporhub.hub.shelf import shelf_of
    from laporhub.pipeline.redact import redact
    from laporhub.pipeline.text import clean

    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)
    book = load(settings.profiles[0])
    classifier = Router(book, shelf_of(settings.data, book.name))
    said = clean(sys.stdin.read() if text == "-" else text)
    words = redact(said, book.offices, places=book.places)
    print_json(classifier.suggest(words, None).model_dump(mode="json"))


def register(app: typer.Typer) -> None:
    app.command()(ingest)
    app.command()(parse)
    app.command()(classify)
