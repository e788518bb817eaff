"""What comes in from platforms and forms: each payload becomes messages, or a dead letter; nothing is lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from laporhub.hub.reading import Reading
from laporhub.pipeline import ids, media
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Delivery
from laporhub.pipeline.connector import Fragment, Ignored, Raw, StatusUpdate, Withdrawn
from laporhub.pipeline.connector_abilities import Acknowledges, Greeting, Greets, TakesGet
from laporhub.pipeline.errors import NotFound, Refused, RetryLater, Unparsable
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.intake import withdrawal
from laporhub.pipeline.messages import Inbound, Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.redact import redact
from laporhub.pipeline.store import cases, dead_letters, outbox, report_posts
from laporhub.pipeline.store.batch import WITHDRAWN
from laporhub.pipeline.store.database import is_transient
from laporhub.pipeline.store.dead_letters import DeadLetter
from laporhub.pipeline.store.writes import Done

logger = structlog.get_logger(__name__)

_LONG = 5_000
"""Characters from which redacting a text takes long enough to be felt by others, and"""
_LARGE = 64 * 1024
"""bytes from which reading a payload does: then a thread does it."""


@dataclass
class Tally:
    """What became of raw payloads: each message counts once."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    dead_lettered: int = 0


class Receiving(Reading):
    """A hub as platforms and forms see it."""

    async def receive(self, profile: str, channel: str, inbound: Inbound) -> Receipt:
        message, done = await self._admit(profile, channel, inbound)
        if done is None:
            raise AssertionError("a message came to nothing")
        return self._receipt(self._rulebook(profile), message.id, message.received_at, done)

    async def _admit(
        self, profile: str, channel: str, inbound: Inbound, *, answer: bool = True
    ) -> tuple[Message, Done | None]:
        """Durable when it returns. Without `answer` nobody waits for what comes of it, where others do the work."""
        rulebook = self._rulebook(profile)
        case = self._case(inbound.case_id) if inbound.case_id else None
        if inbound.ticket and case is None:
            case = await asyncio.to_thread(self._own_case, rulebook, channel, inbound)
        if inbound.files and (inbound.anonymous or (case is not None and case.anonymous)):
            inbound = await asyncio.to_thread(_without_traces, inbound)
        names = self._names(case) if case else ()
        admitted = (rulebook, channel, inbound, self.now(), case, names)
        if inbound.files:
            reporter = case.reporter if case else self._door.reporter_of(rulebook, channel, inbound)
            await asyncio.to_thread(self._keep_inline, reporter, inbound)
        if len(inbound.text) > _LONG or inbound.files:
            message = await asyncio.to_thread(self._door.admit, *admitted)
        else:
            message = self._door.admit(*admitted)
        key = self.ring.pending(message.reporter)
        done = await self.engine.submit(message=message, key=key, answer=answer)
        if key is not None:
            self.ring.stored(key)
        return message, done

    def _own_case(self, rulebook: Rulebook, channel: str, inbound: Inbound) -> CaseState | None:
        """The case whose ticket the message names. Who only knows somebody else's ticket does not get into it."""
        case = self.case(inbound.ticket or "")
        if case is None or not inbound.verified:
            return None  # an address in a letter's head proves nothing
        return case if case.reporter == self._door.reporter_of(rulebook, channel, inbound) else None

    def _keep_inline(self, reporter: str, inbound: Inbound) -> None:
        """What came along is kept before the message is: no message names a file that is not there."""
        for file in inbound.files:
            if len(file.data) > media.LIMIT:
                raise Refused(
                    f"A file has {len(file.data)} bytes; {media.LIMIT} are possible",
                    code="too_large",
                    field="files",
                )
            self.files_store.put(reporter, file.data, self.now())

    async def hook(self, profile: str, connector: str, raw: Raw) -> Greeting:
        speaker = self._connector(connector)
        speaker.verify(raw)
        await self.take(profile, None, connector, raw)
        return speaker.acknowledge(raw) if isinstance(speaker, Acknowledges) else Greeting("ok\n")

    def greet(self, connector: str, query: Mapping[str, str]) -> Greeting:
        speaker = self._connector(connector)
        if not isinstance(speaker, Greets):
            raise NotFound(f"{connector} asks nothing of its hook")
        return speaker.greet(query)

    def takes_get(self, connector: str) -> bool:
        speaker = self._connectors.get(connector)
        return isinstance(speaker, TakesGet) and speaker.takes_get

    async def take(self, profile: str, channel: str | None, provider: str, raw: Raw) -> Tally:
        """One raw payload, already trusted. Whatever cannot be understood goes to the dead letter.

        `channel` None: the account that was written to tells it. Raises only what sending it again may mend.
        """
        tally = Tally()
        try:
            parse = self._connector(provider).parse
            parsed = await asyncio.to_thread(parse, raw) if len(raw.body) > _LARGE else parse(raw)
        except Unparsable as error:
            await self._bury(profile, channel or provider, "parse", str(error), raw)
            tally.dead_lettered += 1
            return tally
        for item in parsed:
            match item:
                case Inbound():
                    await self._take_message(profile, channel, provider, item, [raw], tally)
                case Fragment():
                    await self._take_fragment(profile, channel, provider, item, raw, tally)
                case StatusUpdate():
                    await self._take_status(item)
                case Withdrawn():
                    await self._take_back(profile, channel, provider, item)
                case Ignored(reason=reason):
                    logger.info("ignored", provider=provider, reason=reason)
        return tally

    async def _take_fragment(
        self, profile: str, channel: str | None, provider: str, item: Fragment, raw: Raw, tally: Tally
    ) -> None:
        """A piece of a message waits until the others are there."""
        try:
            where = (profile, channel) if channel else self._addressed(profile, provider, item.message)
        except Refused as error:
            tally.rejected += 1
            await self._bury(profile, provider, "admit", str(error), raw)
            return
        name, round_ = await self._joiner.keep(*where, item, raw)
        await self._join(name, round_, tally, complete=True)

    async def _join(self, name: str, round_: int, tally: Tally, *, complete: bool) -> None:
        whole = await asyncio.to_thread(self._joiner.whole, name, round_, complete=complete)
        if whole is None:
            return
        first = whole.pieces[0]
        taken = await self._take_message(
            first.profile, first.channel, first.channel, whole.message, whole.raws, tally
        )
        await self._joiner.done(whole, refused=not taken)

    async def join_overdue(self) -> int:
        """Makes messages of pieces whose rest has not come in time. How many."""
        late = await self._joiner.overdue()
        for name, round_ in late:
            await self._join(name, round_, Tally(), complete=False)
        return len(late)

    async def _take_message(
        self,
        profile: str,
        channel: str | None,
        provider: str,
        item: Inbound,
        raws: Sequence[Raw],
        tally: Tally,
    ) -> bool:
        """Whether it is durable as a message; otherwise the payloads it came in are, as dead letters."""
        try:
            where = (profile, channel) if channel else self._addressed(profile, provider, item)
            _, done = await self._admit(*where, item, answer=False)
        except RetryLater:
            raise
        except Refused as error:
            tally.rejected += 1
            for raw in () if error.code == WITHDRAWN else raws:
                await self._bury(profile, channel or provider, "admit", str(error), raw)
            return False
        except Exception as error:
            if is_transient(error):
                raise RetryLater("The database cannot be reached: nothing is lost, send it again") from error
            # Not the error's own words: they may quote what the citizen wrote.
            where_from = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{type(error).__name__} in {where_from.name}, line {where_from.lineno}"
            logger.error("a message could not be handled", reason=reason)
            tally.dead_lettered += 1
            for raw in raws:
                await self._bury(profile, channel or provider, "intake", reason, raw)
            return False
        duplicate = done is not None and done.duplicate
        tally.duplicate += duplicate
        tally.accepted += not duplicate
        return True

    def _addressed(self, profile: str, provider: str, item: Inbound) -> tuple[str, str]:
        """Which profile and channel has the account that was written to; the given profile's comes first."""
        for where in self._channels_of(profile, provider, item.account):
            return where
        for rulebook in self.rulebooks.values():  # a number may be answered another way than it is heard
            for name, channel in rulebook.profile.channels.items():
                if item.account == channel.account:
                    return rulebook.name, name
        raise NotFound(
            f"no channel of {provider!r} has the account that was written to: add it to profile.yaml"
        )

    def _channels_of(self, profile: str, provider: str, account: str | None) -> Iterator[tuple[str, str]]:
        for rulebook in sorted(self.rulebooks.values(), key=lambda each: each.name != profile):
            for name, channel in rulebook.profile.channels.items():
                if (channel.provider or name) == provider and account in (None, channel.account):
                    yield rulebook.name, name

    async def _take_back(self, profile: str, channel: str | None, provider: str, item: Withdrawn) -> None:
        """Durable when it returns: the message is taken back, or will be refused when it comes."""
        where = [(profile, channel)] if channel else list(self._channels_of(profile, provider, item.account))
        now, found = self.now(), dict[str, str | None]()
        names = [
            ids.message_id(name, each, self._rulebook(name).profile.channels[each].account, item.external_id)
            for name, each in where
        ]

        def look(connection: Connection) -> None:
            for name in names:
                found[name] = cases.take_back(connection, name, now)

        await self.engine.submit(job=look)
        for message, case_id in found.items():
            if case_id is not None:
                await self.engine.submit(command=withdrawal(message, self._case(case_id), now))
        logger.info("withdrawn", provider=provider, known=any(found.values()))

    async def _take_status(self, update: StatusUpdate) -> None:
        reply = await asyncio.to_thread(self._reply, update.reply_id)
        if reply is None:
            await self._take_status_of_report(update)
            return
        if update.status != "failed" and not reply.is_complete_with(update.part):
            return  # only the last part says that the whole reply arrived
        command = Delivery(
            id=ids.derive("d", "status", update.reply_id, update.status, update.platform_id or ""),
            profile=reply.profile,
            case_id=reply.case_id,
            at=self.now(),
            reply_id=update.reply_id,
            status=update.status,
            platform_id=update.platform_id,
            reason=update.reason,
        )
        await self.engine.submit(command=command)

    async def _take_status_of_report(self, update: StatusUpdate) -> None:
        """A report came back: nobody else would tell."""
        known: list[bool] = []
        now, why = self.now(), update.reason
        if update.status == "failed":
            await self.engine.submit(
                job=lambda connection: known.append(
                    report_posts.bounced(connection, update.reply_id, now, why)
                )
            )
        if not any(known):
            logger.warning("status of an unknown reply", reply=update.reply_id)

    def _reply(self, reply_id: str) -> outbox.Queued | None:
        with self.database.connect() as connection:
            return outbox.where_is(connection, reply_id)

    async def _bury(self, profile: str, channel: str, stage: str, reason: str, raw: Raw) -> None:
        reason = redact(reason)
        name = "x_" + hashlib.sha256(channel.encode() + b"\0" + raw.body).hexdigest()[:26]
        now = self.now()
        sealed = self.ring.seal(f"dead letter {name}", json.dumps(_kept(raw)), now)
        letter = DeadLetter(name, now, profile, channel, stage, reason, sealed)
        key = self.ring.pending(f"dead letter {name}")
        await self.engine.submit(key=key, job=lambda connection: dead_letters.bury(connection, letter))
        if key is not None:
            self.ring.stored(key)
        logger.warning("dead letter", id=name, channel=channel, stage=stage, reason=reason)

    def _receipt(self, rulebook: Rulebook, message_id: str, received_at: datetime, done: Done) -> Receipt:
        state, requirements = done.state, rulebook.of(done.state).profile.requirements
        return Receipt(
            message_id=message_id,
            case_id=state.id,
            ticket=state.ticket,
            status=state.status,
            received_at=state.opened_at if done.duplicate else received_at,
            duplicate=done.duplicate,
            missing=tuple(
                say(requirements[name].title, rulebook.language)
                for name in state.missing
                if name in requirements
            ),
        )


def _kept(raw: Raw) -> dict[str, object]:
    """A payload as JSON; of the headers only what says how to read the body."""
    return {"body": base64.b64encode(raw.body).decode(), "content_type": raw.content_type}


def _without_traces(inbound: Inbound) -> Inbound:
    """With pictures that do not tell who took them. Others may come with the same message, in whatever form."""
    bare = (each.but({"data": media.without_traces(each.data)}) for each in inbound.files)
    return inbound.but({"files": tuple(bare)})
