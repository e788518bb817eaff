"""The confidential discussion: kept in the vault, opened for those who take part in it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from laporhub.hub.acting import Acting
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Confide, Words
from laporhub.pipeline.door import TEXT_LIMIT
from laporhub.pipeline.errors import Forbidden, Refused
from laporhub.pipeline.hub_port import Confidence
from laporhub.pipeline.store import confidential
from laporhub.pipeline.store.confidential import SealedWords
from laporhub.pipeline.text import clean
from laporhub.pipeline.workflow import may_confide

_PAGE = "/t/"


class Confiding(Acting):
    """A hub as those see it who speak in confidence."""

    async def confide(self, case_id: str, text: str, actor: Actor, key: str) -> CaseState:
        """The words first, and only then the event that tells of them: what is told of can be read."""
        state = self._case(case_id)
        self._check_confidant(state, actor)
        if len(text) > TEXT_LIMIT:
            raise Refused(f"The text has {len(text)} characters; {TEXT_LIMIT} are possible", code="too_long")
        if not (plain := clean(text)):
            raise Refused("There is no text", code="empty", field="text")
        now, name = self.now(), ids.derive("o", case_id, actor.id, key, plain)
        sealed = self.ring.seal(state.reporter, plain, now)
        words = SealedWords(name, case_id, now, actor.id, actor.role, actor.unit, sealed)
        command = Confide(
            id=ids.derive("d", "confide", name),
            profile=state.profile,
            case_id=case_id,
            at=now,
            actor=actor,
            reference=self.ring.seal(state.reporter, name, now),
            link=None if actor.role == "reporter" else self._sealed_link(state),
        )

        def keep(connection: Connection) -> None:
            confidential.add(connection, words)

        wrapped = self.ring.pending(state.reporter)
        await self.engine.submit(key=wrapped, job=keep)
        if wrapped is not None:
            self.ring.stored(wrapped)
        done = await self.engine.submit(command=command)
        return await self._seen(done.state if done else state)

    def confidential(self, state: CaseState, actor: Actor) -> Sequence[Confidence]:
        self._check_confidant(state, actor)
        if actor.role != "reporter":
            self.audit.record(actor.id, "read confidential", state.ticket, "", self.now())
        with self.database.connect() as connection:
            said = confidential.of_case(connection, state.id)
        return [
            Confidence(each.at, each.role, each.unit, each.actor, self.ring.open(each.sealed))
            for each in said
        ]

    def _check_confidant(self, state: CaseState, actor: Actor) -> None:
        if not may_confide(self._rulebook(state.profile), state, actor):
            raise Forbidden(f"The role {actor.role!r} takes no part in the confidential discussion")

    def _sealed_link(self, state: CaseState) -> Words:
        """The reporter's own page. Whoever has its address is taken for the reporter: it goes to them alone."""
        page = f"{self.base_url}{_PAGE}{state.ticket}"
        own = f"{page}?k={self.tracking_token(state.id)}"
        return Words(text=page, sealed=self.ring.seal(state.reporter, own, self.now()))
