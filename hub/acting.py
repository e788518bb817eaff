"""Staff and reporters act on cases, and mend what did not get through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial

from laporhub.hub.reading import Reading
from laporhub.pipeline import ids, media
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import Way
from laporhub.pipeline.commands import Act, Actor, Note
from laporhub.pipeline.errors import Forbidden, Refused
from laporhub.pipeline.messages import INLINE, InlineFile
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Transition
from laporhub.pipeline.workflow import may_see, may_speak


class Acting(Reading):
    """A hub as those who work cases see it."""

    async def act(
        self,
        case_id: str,
        transition: str,
        fields: Mapping[str, str],
        actor: Actor,
        seen: int | None = None,
        photos: Mapping[str, Sequence[InlineFile]] | None = None,
    ) -> CaseState:
        state = self._case(case_id)
        rulebook = self._rulebook(state.profile).of(state)
        step = rulebook.profile.transitions.get(transition)
        fields = _without_photos(step, fields)
        if photos:
            fields |= await asyncio.to_thread(self._kept_photos, state, step, photos)
        other = None
        if step and step.merge and (ticket := fields.get(step.merge)):
            other = await asyncio.to_thread(self._named, rulebook, state, step.merge, ticket, actor)
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
                rulebook, state.reporter, transition, fields, self.now(), partial(self._names, state)
            ),
            seen=seen,
            other=other,
        )
        key = self.ring.pending(state.reporter)
        done = await self.engine.submit(command=command, key=key)
        if key is not None:
            self.ring.stored(key)
        return await self._seen(done.state if done else state)

    def _kept_photos(
        self, state: CaseState, step: Transition | None, photos: Mapping[str, Sequence[InlineFile]]
    ) -> dict[str, str]:
        """The addresses of the photos, field by field, which are kept before the step is taken.

        Raises `Refused` for what is no photo, or too large.
        """
        given = {}
        for name, files in photos.items():
            if name not in _photo_fields(step):
                raise Refused(f"There is no field {name!r} for photos here", code="unknown_field", field=name)
            for file in files:
                _check_photo(name, file)
            kept = [self.files_store.put(state.reporter, file.data, self.now()) for file in files]
            if kept:
                given[name] = " ".join(INLINE + digest for digest in kept)
        return given

    def _named(
        self, rulebook: Rulebook, state: CaseState, field: str, ticket: str, actor: Actor
    ) -> str | None:
        """The case that the step names in this field, if the actor may see it: others do not exist for them.

        Raises `Refused` for a private one, whose answer would be told to the reporter of one that is not.
        """
        other = self.case(ticket)
        if other is None or other.profile != rulebook.name or not may_see(rulebook, other, actor):
            return None
        if other.private and not state.private:
            raise Refused(
                "What is answered in a private case is told to nobody else", code="private_case", field=field
            )
        return other.id

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


def _photo_fields(step: Transition | None) -> frozenset[str]:
    return (
        frozenset(name for name, field in step.fields.items() if field.type == "photo")
        if step
        else frozenset()
    )


def _without_photos(step: Transition | None, fields: Mapping[str, str]) -> dict[str, str]:
    """Photos come as files: a typed address of one counts for nothing."""
    return {name: value for name, value in fields.items() if name not in _photo_fields(step)}


def _check_photo(name: str, file: InlineFile) -> None:
    if len(file.data) > media.LIMIT:
        raise Refused(
            f"A photo has {len(file.data)} bytes; {media.LIMIT} are possible", code="too_large", field=name
        )
    if media.type_of(file.data) not in media.PICTURES:
        raise Refused("That is no photo that can be read", code="not_a_photo", field=name)
