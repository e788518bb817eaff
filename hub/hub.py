"""A running hub: the port that web, API and command line speak to, over either engine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import Connection, text

from laporhub.hub.channel_health import Channels
from laporhub.hub.ground import Ground
from laporhub.hub.joining import Joiner
from laporhub.hub.keeping import Store
from laporhub.hub.ways import Ways
from laporhub.pipeline import ids, media
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import ChannelHealth, Way
from laporhub.pipeline.commands import Act, Actor, Command, Delivery, Note
from laporhub.pipeline.connector import Connector, Fragment, Ignored, Raw, StatusUpdate, Withdrawn
from laporhub.pipeline.connector_abilities import Acknowledges, Greeting, Greets, TakesGet
from laporhub.pipeline.door import merged_identity
from laporhub.pipeline.embedded.engine import Sink
from laporhub.pipeline.errors import Forbidden, NotFound, Refused, RetryLater, Unparsable
from laporhub.pipeline.events import CaseEvent, MessageAdded
from laporhub.pipeline.hub_port import Identity, Receipt
from laporhub.pipeline.intake import withdrawal
from laporhub.pipeline.messages import Inbound, Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import say
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.redact import redact
from laporhub.pipeline.said import as_shown
from laporhub.pipeline.store import cases, dead_letters, files, log, outbox
from laporhub.pipeline.store.accounts import AccountStore
from laporhub.pipeline.store.batch import WITHDRAWN, Done
from laporhub.pipeline.store.database import is_transient
from laporhub.pipeline.store.dead_letters import DeadLetter
from laporhub.pipeline.tracking import Tracking
from laporhub.pipeline.vault import ReporterKey
from laporhub.pipeline.workflow import may_speak

logger = structlog.get_logger(__name__)

_LONG = 5_000


@dataclass
class Tally:
    """What became of raw payloads: each message counts once."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    dead_lettered: int = 0


class Engine(Protocol):
    """What the hub asks of the embedded and of the distributed engine."""

    @property
    def health(self) -> str: ...

    def latest(self, case_id: str) -> CaseState | None:
        """The case, if the engine has it at hand."""
        ...

    async def submit(
        self,
        *,
        message: Message | None = None,
        command: Command | None = None,
        key: ReporterKey | None = None,
        job: Callable[[Connection], object] | None = None,
        answer: bool = True,
    ) -> Done | None:
        """Durable when it returns. Raises what the core refused, or `RetryLater`. Without `answer` what came of it
        may not be known yet: then it is None.
        """
        ...

    async def replay(self, plain: str) -> bool:
        """Puts the record in an opened dead letter back on its stream; False if it holds a payload from outside."""
        ...


class Hub:
    """Implements `HubPort`. Made by `compose.open_hub`, which also runs its parts."""

    def __init__(
        self,
        *,
        ground: Ground,
        engine: Engine,
        publisher: Publisher,
        tracking: Tracking,
        sink: Sink | None,
        connectors: Mapping[str, Connector],
        store: Store,
        now: Callable[[], datetime],
    ) -> None:
        """`sink` is what writes the tracking rows within the engine's transactions, where it does."""
        self.rulebooks = ground.rulebooks
        self.tracking = tracking
        self.sink = sink
        self.accounts = AccountStore(ground.database)
        self.publisher = publisher
        self.ring = ground.ring
        self.now = now
        self.database = ground.database
        self.engine = engine
        self._door = ground.door
        self._connectors = connectors
        self._ways = Ways(ground.database, ground.ring, connectors, now)
        self._channels = Channels(ground.database, ground.rulebooks, connectors, now)
        self.files_store = store
        self.web_secret = ground.secrets.web
        self._joiner = Joiner(ground.database, engine, ground.ring, ground.secrets.web, now)

    # ── in ───────────────────────────────────────────────────────────────────────────────────────

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
        admitted = (rulebook, channel, inbound, self.now(), case)
        if inbound.files:
            reporter = case.reporter if case else self._door.reporter_of(rulebook, channel, inbound)
            await asyncio.to_thread(self._keep_inline, reporter, inbound)
        if len(inbound.text) > _LONG:  # redacting it takes long enough to be felt by others
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
        own = case is not None and case.reporter == self._door.reporter_of(rulebook, channel, inbound)
        return case if own else None

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
            parsed = self._connector(provider).parse(raw)
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
            logger.warning("status of an unknown reply", reply=update.reply_id)
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

    def _reply(self, reply_id: str) -> outbox.Queued | None:
        with self.database.connect() as connection:
            return outbox.where_is(connection, reply_id)

    # ── staff and reporters act ──────────────────────────────────────────────────────────────────

    async def act(
        self, case_id: str, transition: str, fields: Mapping[str, str], actor: Actor, seen: int | None = None
    ) -> CaseState:
        state = self._case(case_id)
        rulebook = self._rulebook(state.profile)
        known = state.seq if seen is None else seen
        asked = json.dumps([transition, sorted(fields.items())])
        command = Act(
            # The same request on the same page is the same command: a retry does nothing more.
            id=ids.derive("d", "act", case_id, actor.id, str(known), asked),
            profile=state.profile,
            case_id=case_id,
            at=self.now(),
            actor=actor,
            transition=transition,
            fields=self._door.typed(rulebook, state.reporter, transition, fields, self.now()),
            seen=seen,
        )
        key = self.ring.pending(state.reporter)
        done = await self.engine.submit(command=command, key=key)
        if key is not None:
            self.ring.stored(key)
        return await self._seen(done.state if done else state)

    async def note(self, case_id: str, text: str, actor: Actor) -> CaseState:
        state = self._case(case_id)
        words = self._door.words(self._rulebook(state.profile), state.reporter, text, self.now())
        command = Note(
            id=ids.derive("d", "note", case_id, actor.id, str(state.seq), text),
            profile=state.profile,
            case_id=case_id,
            at=self.now(),
            actor=actor,
            words=words,
        )
        key = self.ring.pending(state.reporter)
        done = await self.engine.submit(command=command, key=key)
        if key is not None:
            self.ring.stored(key)
        return await self._seen(done.state if done else state)

    # ── what did not get through ─────────────────────────────────────────────────────────────────

    def way(self, state: CaseState) -> Way:
        return self._ways.way(self._rulebook(state.profile), state)

    def elsewhere(self, state: CaseState) -> Sequence[str]:
        return list(self._ways.elsewhere(self._rulebook(state.profile), state))

    def post_of(self, state: CaseState) -> str | None:
        return self._ways.post_of(self._rulebook(state.profile), state)

    async def convey(self, case_id: str, reply_id: str, actor: Actor) -> CaseState:
        state = self._answerable(case_id, actor)
        await self.engine.submit(
            job=self._ways.take_back(reply_id)
        )  # before all else: it must not go out as well
        done = await self.engine.submit(command=self._ways.conveyed(state, reply_id, actor))
        return await self._seen(done.state if done else state)

    async def redirect(self, case_id: str, reply_id: str, channel: str, actor: Actor) -> CaseState:
        state = self._answerable(case_id, actor)
        command = await asyncio.to_thread(
            lambda: self._ways.redirected(
                self._rulebook(state.profile), state, self.events(case_id), reply_id, channel, actor
            )
        )
        done = await self.engine.submit(command=command)
        return await self._seen(done.state if done else state)

    def _answerable(self, case_id: str, actor: Actor) -> CaseState:
        """The case, if the actor is one of those who answer its reporter. Raises `Forbidden`."""
        state = self._case(case_id)
        if not may_speak(self._rulebook(state.profile), state, actor):
            raise Forbidden(f"The role {actor.role!r} does not answer reporters on this case")
        return state

    def channels(self) -> Sequence[ChannelHealth]:
        return self._channels.all()

    async def _seen(self, state: CaseState) -> CaseState:
        """The state, once lists and search know it: where others write those, that takes a moment."""
        if self.sink is None:
            await asyncio.to_thread(self.tracking.settle, state.id, state.seq)
        return state

    async def write(self, job: Callable[[Connection], object]) -> None:
        """Writes rows beside the cases; durable when it returns."""
        await self.engine.submit(job=job)

    # ── reads ────────────────────────────────────────────────────────────────────────────────────

    def case(self, ticket: str) -> CaseState | None:
        canonical = ids.parse_ticket(ticket)
        if canonical is None:
            return None
        with self.database.connect() as connection:
            return cases.case_by_ticket(connection, canonical)

    def events(self, case_id: str) -> Sequence[CaseEvent]:
        with self.database.connect() as connection:
            state = cases.load_cases(connection, [case_id]).get(case_id)
            history = log.case_events(connection, case_id, state.opened_at) if state else []
        return as_shown(history)

    def files(self, case_id: str) -> Sequence[CaseFile]:
        with self.database.connect() as connection:
            return files.of_case(connection, case_id)

    def file(self, row: CaseFile, variant: str = "") -> bytes | None:
        name = f"{row.digest}.{variant}" if variant else row.digest
        return self.files_store.get(row.reporter, name) if row.digest and name else None

    def tracking_token(self, case_id: str) -> str:
        signed = hmac.digest(self.web_secret, f"track {case_id}".encode(), "sha256")
        return base64.b32encode(signed).decode().lower()[:24]

    def unseal(self, case_id: str, account: str, reason: str) -> Identity:
        state = self._case(case_id)
        self.ring.record(account, "unseal", state.ticket, reason, self.now())
        said = [event.data for event in self.events(case_id) if isinstance(event.data, MessageAdded)]
        opened = [self.ring.open(each.sealed_identity) for each in said if each.sealed_identity]
        person = merged_identity(plain for plain in opened if plain)
        return replace(person, name=None) if state.anonymous else person

    def unseal_words(self, state: CaseState, sealed: str) -> str | None:  # noqa: ARG002
        return self.ring.open(sealed)

    def ready(self) -> Mapping[str, str]:
        try:
            with self.database.connect() as connection:
                connection.execute(text("SELECT 1"))
            database = "ok"
        except Exception as error:
            logger.error("the database cannot be read", exc_info=error)
            database = "cannot be read: see the log"
        stopped = ", ".join(self.publisher.stopped_accounts)
        return {
            "database": database,
            "engine": self.engine.health,
            "accounts": f"stopped: {stopped}" if stopped else "ok",
        }

    # ── dead letters ─────────────────────────────────────────────────────────────────────────────

    def dead_letters(self) -> list[DeadLetter]:
        with self.database.connect() as connection:
            return dead_letters.waiting(connection)

    def dead_letter(self, name: str) -> tuple[DeadLetter, Raw | None]:
        """A dead letter and its payload; None if its key was erased. Raises `NotFound`."""
        letter, plain = self._opened(name)
        return letter, None if plain is None else _raw(json.loads(plain))

    def _opened(self, name: str) -> tuple[DeadLetter, str | None]:
        with self.database.connect() as connection:
            letter = dead_letters.find(connection, name)
        if letter is None:
            raise NotFound(f"there is no dead letter {name!r}: laporhub deadletter list")
        return letter, self.ring.open(letter.sealed) if letter.sealed else None

    async def replay(self, name: str) -> Tally:
        """Takes a dead letter's payload once more; if it fails again it stays, with the new reason."""
        letter, plain = self._opened(name)
        if plain is None:
            raise Refused("The payload was replayed before, or erased", code="erased")
        if await self.engine.replay(plain):
            await self._done_with(name)
            return Tally(accepted=1)
        provider = self._provider(letter.profile, letter.channel)
        channel = (
            letter.channel if letter.channel in self._rulebook(letter.profile).profile.channels else None
        )
        tally = await self.take(letter.profile, channel, provider, _raw(json.loads(plain)))
        if not tally.dead_lettered and not tally.rejected:
            await self._done_with(name)
        return tally

    async def _done_with(self, name: str) -> None:
        await self.engine.submit(job=lambda connection: dead_letters.replayed(connection, name, self.now()))

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

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────

    def _provider(self, profile: str, channel: str) -> str:
        known = self._rulebook(profile).profile.channels.get(channel)
        return (known.provider or channel) if known else channel

    def _rulebook(self, profile: str) -> Rulebook:
        try:
            return self.rulebooks[profile]
        except KeyError:
            raise NotFound(f"This hub does not serve the profile {profile!r}") from None

    def _connector(self, provider: str) -> Connector:
        try:
            return self._connectors[provider]
        except KeyError:
            raise NotFound(f"There is no connector {provider!r}") from None

    def _case(self, case_id: str) -> CaseState:
        if (latest := self.engine.latest(case_id)) is not None:
            return latest
        with self.database.connect() as connection:
            state = cases.load_cases(connection, [case_id]).get(case_id)
        if state is None:
            raise NotFound(f"there is no case {case_id}")
        return state

    def _receipt(self, rulebook: Rulebook, message_id: str, received_at: datetime, done: Done) -> Receipt:
        state, requirements = done.state, rulebook.profile.requirements
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


def _raw(kept: Mapping[str, str]) -> Raw:
    if "topic" in kept:  # a record of a stream, not a payload
        return Raw(base64.b64decode(kept["value"] or ""), "application/json")
    return Raw(base64.b64decode(kept["body"]), kept["content_type"])
