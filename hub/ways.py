"""How a reply reaches its reporter, and what a person can do where it does not: see `channel_state.Way`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import Way
from laporhub.pipeline.commands import Actor, Convey, Redirect
from laporhub.pipeline.connector import Connector
from laporhub.pipeline.connector_abilities import Links, speaks_for
from laporhub.pipeline.door import conversation_id
from laporhub.pipeline.errors import Conflict, NotFound, Refused
from laporhub.pipeline.events import CaseEvent, ReplyQueued
from laporhub.pipeline.intake import Conversation
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.reach import address_for
from laporhub.pipeline.store import cases, outbox
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.tables import messages


class Ways:
    """See the module. Blocking."""

    def __init__(
        self,
        database: Engine,
        ring: KeyRing,
        connectors: Mapping[str, Connector],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._ring = ring
        self._connectors = connectors
        self._now = now

    def way(self, rulebook: Rulebook, state: CaseState) -> Way:
        """On the case's own channel."""
        with self._database.connect() as connection:
            talks = cases.conversations_about(connection, state.conversation, state.id)
        return self._way(rulebook, state.channel, talks)

    def elsewhere(self, rulebook: Rulebook, state: CaseState) -> Mapping[str, Conversation]:
        """Other channel → the conversation of the same reporter that takes a reply now.

        One pseudonym on several channels there only is where each vouches for the same phone.
        """
        found = {}
        for channel, rules in rulebook.profile.channels.items():
            if channel == state.channel or rules.delivery == "page":
                continue
            kept = self._conversation(conversation_id(rulebook, channel, state.reporter))
            if kept is None or kept.reporter != state.reporter:
                continue
            way = self._way(rulebook, channel, [kept])
            if way.kind == "push" and way.window.state != "closed":
                found[channel] = kept
        return found

    def post_of(self, rulebook: Rulebook, state: CaseState) -> str | None:
        connector = self._connector(rulebook, state.channel)
        standing = [each for each in state.said if not each.gone]
        if not isinstance(connector, Links) or not standing:
            return None
        with self._database.connect() as connection:
            found = select(messages.c.body).where(messages.c.id == standing[-1].ids[0])
            body = connection.execute(found).scalar()
        return None if body is None else connector.link(Message.model_validate_json(body).external_id)

    def take_back(self, reply_id: str) -> Callable[[Connection], None]:
        """The job that keeps a waiting reply from being sent. Raises `Conflict` while it is being sent."""

        def job(connection: Connection) -> None:
            if not outbox.take_back(connection, reply_id):
                raise Conflict("It is being sent right now: look again in a moment", code="on_its_way")

        return job

    def conveyed(self, state: CaseState, reply_id: str, actor: Actor) -> Convey:
        return Convey(
            id=ids.derive("d", "convey", reply_id, actor.id),
            profile=state.profile,
            case_id=state.id,
            at=self._now(),
            actor=actor,
            reply_id=reply_id,
        )

    def redirected(
        self,
        rulebook: Rulebook,
        state: CaseState,
        events: Sequence[CaseEvent],
        reply_id: str,
        channel: str,
        actor: Actor,
    ) -> Redirect:
        """Raises `NotFound`, and `Refused` for a channel that is not, or no longer, one of `elsewhere`."""
        replies = (event.data for event in events if isinstance(event.data, ReplyQueued))
        reply = next((each for each in replies if each.reply_id == reply_id), None)
        if reply is None:
            raise NotFound(f"case {state.ticket} has no reply {reply_id}")
        kept = self.elsewhere(rulebook, state).get(channel)
        if kept is None:
            raise Refused(
                f"The reporter cannot be answered on {channel!r} now", code="not_there", field="channel"
            )
        return Redirect(
            id=ids.derive("d", "redirect", reply_id, channel),
            profile=state.profile,
            case_id=state.id,
            at=self._now(),
            actor=actor,
            reply_id=reply_id,
            channel=channel,
            account=kept.account,
            conversation=kept.id,
            text=reply.text,
            pattern=reply.pattern,
            sealed=reply.sealed,
            human=reply.human,
        )

    def _way(self, rulebook: Rulebook, channel: str, talks: Sequence[Conversation]) -> Way:
        rules = rulebook.profile.channels.get(channel)
        connector = self._connector(rulebook, channel)
        if rules is not None and rules.delivery == "page":
            return Way("page")
        if rules is None or connector is None or not speaks_for(connector, rules.account):
            return Way("unable")
        where = address_for(connector, talks, self._ring.open, self._now(), human=True)
        return Way("push", where.window, frozenset(rules.templates)) if where else Way("nowhere")

    def _connector(self, rulebook: Rulebook, channel: str) -> Connector | None:
        rules = rulebook.profile.channels.get(channel)
        return self._connectors.get((rules.provider if rules else None) or channel)

    def _conversation(self, name: str) -> Conversation | None:
        with self._database.connect() as connection:
            return cases.load_conversations(connection, [name]).get(name)
