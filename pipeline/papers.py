"""Documents of a case, as the profile describes them: what stands on the paper. Pure; who draws it is another's.

Words that redaction changed stand there redacted: a paper goes from hand to hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Words
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.events import CaseEvent, Transitioned
from laporhub.pipeline.items import Item, items_in
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_papers import Paper
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.replies import render
from laporhub.pipeline.wording import facts, labels
from laporhub.pipeline.workflow import may_see, names_of


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the paper, from top to bottom. `signatures`: what stands above and below each line."""

    title: str
    office: str
    number: str
    paragraphs: tuple[str, ...]
    items: tuple[Item, ...]
    signatures: tuple[tuple[str, str], ...]
    language: str


def offered(rulebook: Rulebook, state: CaseState, actor: Actor) -> list[tuple[str, Paper]]:
    """The documents that the actor may have now, in the profile's order."""
    if not may_see(rulebook, state, actor):
        return []
    admitted = names_of(rulebook, actor.role)
    return [
        (name, paper)
        for name, paper in rulebook.of(state).profile.documents.items()
        if state.status in paper.states and not admitted.isdisjoint(paper.roles)
    ]


def sheet(
    rulebook: Rulebook, state: CaseState, events: Sequence[CaseEvent], name: str, actor: Actor
) -> Sheet:
    """The document `name` as it is now. Raises `NotFound` where the actor may not have it, or not yet."""
    paper = dict(offered(rulebook, state, actor)).get(name)
    if paper is None:
        raise NotFound(f"There is no document {name!r} of this case, or it is not yours to have")
    rulebook = rulebook.of(state)
    language = rulebook.language
    last = _last_fields(events)
    said = labels(rulebook, last, language) | {
        field: value.text for field, value in last.items() if isinstance(value, Words)
    }
    values = {
        **said,
        **facts(rulebook, state, language),
        "draft": state.draft.text if state.draft else "",
        "opened": _day(state.opened_at, rulebook, language),
        "dated": _day(_arrived(events, state, paper), rulebook, language),
    }
    text = render(rulebook, paper.text, None, language, values)
    listed = [value.text for field in paper.items if isinstance(value := last.get(field), Words)]
    return Sheet(
        title=say(paper.title, language),
        office=say(paper.office or "", language),
        number=state.ticket,
        paragraphs=tuple(part.strip() for part in text.split("\n\n") if part.strip()),
        items=tuple(item for text in listed for item in items_in(text)),
        signatures=tuple(
            (say(each.title, language), said.get(each.field or "", "")) for each in paper.signatures
        ),
        language=language,
    )


def _last_fields(events: Sequence[CaseEvent]) -> Mapping[str, Words | str | int]:
    """Each field as the last step that filled it in has it."""
    steps = [event.data for event in events if isinstance(event.data, Transitioned)]
    return {name: value for step in steps for name, value in step.fields.items()}


def _arrived(events: Sequence[CaseEvent], state: CaseState, paper: Paper) -> datetime:
    """When the case last came to where the document can be had: signing it later does not change its day."""
    arrivals = [
        event.time
        for event in events
        if isinstance(event.data, Transitioned)
        and event.data.target in paper.states
        and event.data.source not in paper.states
    ]
    return arrivals[-1] if arrivals else state.opened_at


def _day(at: datetime, rulebook: Rulebook, language: str) -> str:
    return format_date(rulebook.calendar.local(at).date(), "full", locale=language)
