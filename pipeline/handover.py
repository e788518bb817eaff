"""A case as a file for another government: what happened, where and when, and what was done so far. Pure.

Nobody's live interface is spoken: somebody gives the file to whoever takes the case over. Handed over is

- what was reported: the words, redacted; place, times, topic, urgency; whether it is private or anonymous;
- the reporter's pictures as they may be shown, without what the camera wrote in them;
- photos of what was done, once an answer has reached the reporter: until then they are a draft;
- how far it came, in the steps and words of the public page;
- what was filled in when it was handed over, where the profile lets everybody see it (no `seen_by`).

Not handed over are who reports (name, number, pseudonym) and whatever is sealed; internal notes, drafts, parts of an
answer, steps back and forth between units, and who of staff did what; confidential words; messages that were taken
back; other files than pictures, which may name people; other cases. Who needs the reporter asks the office that handed
it over, by the ticket.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Words
from laporhub.pipeline.events import CaseEvent, Transitioned
from laporhub.pipeline.evidence import is_answered
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Transition
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.workflow import may_see, names_of

FORMAT: Final = "laporhub-handover/2"
_TITLE_LENGTH: Final = 100
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would work out."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that goes along: its name in the archive, its type, and what it shows."""

    name: str
    media_type: str
    kind: str


def may_hand_over(rulebook: Rulebook, state: CaseState, actor: Actor) -> bool:
    """Whether the actor may have the file: one of those who may take a step to where the case is, and it says so."""
    rulebook = rulebook.of(state)
    place = rulebook.profile.states.get(state.status)
    if place is None or not place.export or not may_see(rulebook, state, actor):
        return False
    admitted = names_of(rulebook, actor.role)
    steps = rulebook.profile.transitions.values()
    return any(step.target == state.status and not admitted.isdisjoint(step.roles) for step in steps)


def document(
    rulebook: Rulebook, state: CaseState, events: Sequence[CaseEvent], enclosed: Sequence[Enclosed]
) -> dict[str, Any]:
    """All of it, for a machine; times in UTC, degrees WGS 84."""
    rulebook = rulebook.of(state)
    suggestion, language = state.suggestion, rulebook.language
    return {
        "format": FORMAT,
        "from": {
            "service": say(rulebook.profile.title, language),
            "contact": say(rulebook.profile.contact or "", language),
            "profile": rulebook.name,
        },
        "ticket": state.ticket,
        "received_at": state.opened_at.isoformat(),
        "occurred_at": state.occurred_at.isoformat() if state.occurred_at else None,
        "channel": state.channel,
        "title": title(state),
        "text": state.text,
        "private": state.private,
        "anonymous": state.anonymous,
        "topic": suggestion.topic if suggestion else None,
        "urgency": suggestion.urgency if suggestion else "normal",
        "location": state.location.model_dump(exclude_none=True) if state.location else None,
        "handed_over": _last_step(rulebook, state, events),
        "history": list(_public_history(rulebook, events)),
        "files": [{"name": each.name, "media_type": each.media_type, "kind": each.kind} for each in enclosed],
    }


def title(state: CaseState) -> str:
    """The beginning of what was reported, in one line, whole words."""
    line = " ".join(state.text.split())
    return line if len(line) <= _TITLE_LENGTH else line[:_TITLE_LENGTH].rpartition(" ")[0] + " …"


def enclosed(rulebook: Rulebook, state: CaseState, files: Iterable[CaseFile]) -> list[CaseFile]:
    """The files of the case that go along, as pictures that may be shown."""
    answered = is_answered(rulebook.of(state), state)
    return [
        each
        for each in files
        if each.status == "kept" and each.width is not None and (each.field is None or answered)
    ]


def _public_history(rulebook: Rulebook, events: Iterable[CaseEvent]) -> Iterator[dict[str, str]]:
    """Where the case came, in public words; what looks the same from outside is one."""
    before = ""
    for event in events:
        if not isinstance(event.data, Transitioned):
            continue
        place = rulebook.profile.states.get(event.data.target)
        told = say(place.public or place.title, rulebook.language) if place else event.data.target
        if told != before:
            yield {"at": event.time.isoformat(), "status": event.data.target, "shown": told}
        before = told


def _last_step(rulebook: Rulebook, state: CaseState, events: Sequence[CaseEvent]) -> dict[str, str] | None:
    """What was filled in when it was handed over and anybody may see, in words."""
    steps = [e for e in events if isinstance(e.data, Transitioned) and e.data.target == state.status]
    if not steps:
        return None
    last = steps[-1]
    said = {"at": last.time.isoformat()}
    if isinstance(last.data, Transitioned):
        known = rulebook.profile.transitions.get(last.data.transition)
        for name, value in last.data.fields.items():
            if known is None or not _for_everybody(known, name):
                continue
            label = rulebook.choices.get((name, str(value)))
            said[name] = (
                value.text
                if isinstance(value, Words)
                else say(label, rulebook.language)
                if label
                else str(value)
            )
    return said


def _for_everybody(step: Transition, name: str) -> bool:
    """Whether a field of a step is neither internal nor a draft, and leads to nothing else of this hub."""
    field = step.fields.get(name)
    if field is None or name in (step.draft, step.part):
        return False
    return field.seen_by is None and field.type not in ("case", "photo")


def table(rulebook: Rulebook, state: CaseState, made: dict[str, Any]) -> str:
    """One row for people and spreadsheets, under the words of the national complaint form."""
    place, told = made["location"] or {}, made["handed_over"] or {}
    where = ", ".join(str(place[part]) for part in ("address", "village", "district") if place.get(part))
    row = {
        "Nomor laporan asal": state.ticket,
        "Asal": made["from"]["service"],
        "Tanggal laporan": rulebook.calendar.local(state.opened_at).date().isoformat(),
        "Judul laporan": made["title"],
        "Isi laporan": state.text,
        "Tanggal kejadian": (
            rulebook.calendar.local(state.occurred_at).date().isoformat() if state.occurred_at else ""
        ),
        "Lokasi kejadian": where,
        "Lintang": place.get("lat", ""),
        "Bujur": place.get("lon", ""),
        "Kategori": made["topic"] or "",
        "Rahasia": "ya" if state.private else "tidak",
        "Anonim": "ya" if state.anonymous else "tidak",
        "Instansi tujuan": told.get("office", ""),
        "Lampiran": "; ".join(each["name"] for each in made["files"]),
        "Kontak pengirim": made["from"]["contact"],
    }
    lines = _Lines()
    sheet = csv.writer(lines)
    sheet.writerow(row)
    sheet.writerow([_harmless(str(value)) for value in row.values()])
    return "".join(lines)


class _Lines(list[str]):
    """What `csv` writes to."""

    write = list[str].append


def _harmless(cell: str) -> str:
    """A citizen's words are no formula; a number stays one."""
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
