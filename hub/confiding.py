"""The confidential discussion: kept in the vault, opened for those who take part in it.

Words and the event that tells of them are one transaction. Where there is none for both, the words come first; what a
crash between the two left untold is told by whichever hub looks next (`tell_untold`), or dropped where it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from laporhub.hub.acting import Acting
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Confide, Words
from laporhub.pipeline.door import TEXT_LIMIT
from laporhub.pipeline.errors import Forbidden, Refused
from laporhub.pipeline.hub_port import Confidence
from laporhub.pipeline.store import cases, confidential, log
from laporhub.pipeline.store.confidential import SealedWords
from laporhub.pipeline.text import clean
from laporhub.pipeline.workflow import may_confide

_PAGE: Final = "/t/"
_TOLD: Final = "confidential told"
"""The cursor up to which all words were told of, or are no more."""
_UNDER_WAY: Final = timedelta(minutes=1)
"""What is newer may be being told of just now."""
_AT_ONCE: Final = 200
_EVERY_SECONDS: Final = 60.0

logger = structlog.get_logger(__name__)


class Confiding(Acting):
    """A hub as those see it who speak in confidence."""

    async def confide(self, case_id: str, text: str, actor: Actor, key: str) -> CaseState:
        """What is told of can be read: the words are stored with the event that tells of them, or before it."""
        state = self._case(case_id)
        self._check_confidant(state, actor)
        if len(text) > TEXT_LIMIT:
            raise Refused(f"The text has {len(text)} characters; {TEXT_LIMIT} are possible", code="too_long")
        if not (plain := clean(text)):
            raise Refused("There is no text", code="empty", field="text")
        now, name = self.now(), ids.derive("o", case_id, actor.id, key, plain)
        sealed = self.ring.seal(state.reporter, plain, now)
        words = SealedWords(name, case_id, now, actor.id, actor.role, actor.unit, sealed)
        return await self._seen(await self._tell(state, words) or state)

    async def tell_untold(self) -> int:
        """Tells of words that are stored and that no event tells of; how many that were. Harmless to repeat.

        Raises `RetryLater`: what was done stays done.
        """
        told = 0
        while some := await asyncio.to_thread(self._later_words):
            for ordinal, words, state in some:
                if state is not None and _command_id(words) not in state.applied:
                    told += await self._tell_late(state, words)
                await self.engine.submit(job=partial(log.advance, consumer=_TOLD, offset=ordinal))
        return told

    async def _tell_late(self, state: CaseState, words: SealedWords) -> bool:
        """False where nobody can be told any more: the sender was refused, or the person is erased."""
        try:
            if await asyncio.to_thread(self.ring.open, words.sealed) is not None:
                await self._tell(state, words)
                return True
        except Refused as error:
            logger.warning("confidential words could not be told of", case=state.id, reason=error.code)
            return False
        await self.engine.submit(job=partial(confidential.drop, name=words.id))
        return False

    def _later_words(self) -> list[tuple[int, SealedWords, CaseState | None]]:
        """What was stored after the cursor and is told of by nobody just now, with its case."""
        until = self.now() - _UNDER_WAY
        with self.database.connect() as connection:
            found = confidential.after(connection, log.cursor(connection, _TOLD), _AT_ONCE)
            states = cases.load_cases(connection, {words.case_id for _, words in found})
        settled: list[tuple[int, SealedWords, CaseState | None]] = []
        for ordinal, words in found:
            if words.at > until:
                break  # in order: the cursor passes over nothing
            settled.append((ordinal, words, states.get(words.case_id)))
        return settled

    async def _tell(self, state: CaseState, words: SealedWords) -> CaseState | None:
        """Stores the words and tells of them, both once. Raises `Refused`: then the words are not there either."""
        command = Confide(
            id=_command_id(words),
            profile=state.profile,
            case_id=state.id,
            at=words.at,
            actor=Actor(id=words.actor, role=words.role, unit=words.unit),
            reference=self.ring.seal(state.reporter, words.id, self.now()),
            link=None if words.role == "reporter" else self._sealed_link(state),
        )
        wrapped = self.ring.pending(state.reporter)
        try:
            done = await self.engine.submit(
                command=command, key=wrapped, before=partial(confidential.add, words=words)
            )
        except Refused:
            await self.engine.submit(job=partial(confidential.drop, name=words.id))
            raise
        if wrapped is not None:
            self.ring.stored(wrapped)
        return done.state if done else None

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


def _command_id(words: SealedWords) -> str:
    """Known by the words alone: so it can be seen whether their case was told of them."""
    return ids.derive("d", "confide", words.id)


async def keep_telling(hub: Confiding, every_seconds: float = _EVERY_SECONDS) -> None:
    """Until cancelled; a failure is logged and tried again."""
    while True:
        try:
            if told := await hub.tell_untold():
                logger.info("told of confidential words that a crash had left untold", many=told)
        except Exception as error:
            logger.error("confidential words could not be told of", exc_info=error)
        await asyncio.sleep(every_seconds)
