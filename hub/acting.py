"""Staff and reporters act on cases, and mend what did not get through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

from laporhub.hub.reading import Reading
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import Way
from laporhub.pipeline.commands import Act, Actor, Note
from laporhub.pipeline.errors import Forbidden
from laporhub.pipeline.workflow import may_speak


class Acting(Reading):
    """A hub as those who work cases see it."""

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
            fields=self._door.typed(
                rulebook.of(state), state.reporter, transition, fields, self.now(), self._names(state)
            ),
            seen=seen,
        )
        key = self.ring.pending(state.reporter)
        done = await self.engine.submit(command=command, key=key)
        if key is not None:
            self.ring.stored(key)
        return await self._seen(done.state if done else state)

    async def note(self, case_id: str, text: str, actor: Actor) -> CaseState:
        state = self._case(case_id)
        rulebook, now = self._rulebook(state.profile), self.now()
        words = self._door.words(rulebook, state.reporter, text, now, self._names(state))
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

    async def _seen(self, state: CaseState) -> CaseState:
        """The state, once lists and search know it: where others write those, that takes a moment."""
        if self.sink is None:
            await asyncio.to_thread(self.tracking.settle, state.id, state.seq)
        return state
