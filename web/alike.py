"""Cases that may be about the same thing, for staff beside a case and for whoever is about to report it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from laporhub.pipeline import duplicates, media
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Place
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.redact import redact
from laporhub.pipeline.tracking import Query
from laporhub.pipeline.workflow import may_see
from laporhub.web import history, words
from laporhub.web.i18n import Translator
from laporhub.web.site import Site

_EACH = 20
"""Cases looked at for each question."""
_BEFORE_SENDING = 0.6
"""The estimate from which somebody who is about to report is asked."""
_JUST_NOW = timedelta(minutes=10)
"""Younger cases are not held against a report: it may be the same form, sent twice."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as it is suggested."""

    ticket: str
    status: str
    channel: str
    place: str
    opened_at: datetime
    percent: int
    why: str


def beside(
    site: Site, rulebook: Rulebook, state: CaseState, scope: Query, actor: Actor, t: Translator
) -> list[Shown]:
    """Of the cases that the actor may see (`scope`), those that may be about the same as this one. Blocking."""
    place = words.told_place(state)
    by_words = _candidates(site, scope, state.text, place, state.opened_at)
    same_person = site.hub.same_person(state)
    others = {
        each.id: each
        for each in (*by_words, *site.hub.same_pictures(state), *same_person)
        if each.id != state.id and may_see(rulebook, each, actor)
    }
    files, proven = site.hub.files_of([state.id, *others]), {each.id for each in same_person}
    known = {each: duplicates.Known(files.get(each, ()), each in proven) for each in others}
    mine = duplicates.story(state, duplicates.Known(files.get(state.id, ()), proven=True))
    return [_shown(rulebook, each, t) for each in duplicates.alike(mine, others.values(), known)]


def before_sending(site: Site, rulebook: Rulebook, inbound: Inbound, t: Translator) -> list[Shown]:
    """Public cases that somebody who is about to send this may mean. Its pictures are looked at, and nothing of them
    is kept. Blocking.
    """
    now, location = site.settings.now(), inbound.location
    pictures = [facts for each in inbound.files if (facts := media.facts_of(each.data)) is not None]
    prints = {each.fingerprint for each in pictures if each.fingerprint}
    story = duplicates.unsent(
        redact(inbound.text, rulebook.offices, places=rulebook.places), location, now, pictures
    )
    asked = f"{inbound.text} {location.address if location and location.address else ''}"
    found = (
        *_candidates(site, Query(profiles=(rulebook.name,), private=False), asked, None, now),
        *(site.hub.with_pictures_like(rulebook.name, prints) if prints else ()),
    )
    others = {
        each.id: each
        for each in found
        if not each.private and history.shows_text(rulebook, each) and now - each.opened_at >= _JUST_NOW
    }
    known = _looks(site, list(others)) if prints else {}
    likely = [
        each
        for each in duplicates.alike(story, others.values(), known)
        if each.probability >= _BEFORE_SENDING
    ]
    return [replace(_shown(rulebook, each, t), place=words.region(each.case)) for each in likely]


def _looks(site: Site, cases: Sequence[str]) -> dict[str, duplicates.Known]:
    """What the cases' pictures look like. Not where they were taken: whoever tries out places must learn nothing."""
    return {
        case: duplicates.Known([replace(each, lat=None, lon=None) for each in files])
        for case, files in site.hub.files_of(cases).items()
    }


def _candidates(
    site: Site, scope: Query, text: str, place: Place | None, at: datetime
) -> Iterator[CaseState]:
    now = site.settings.now()
    for question in duplicates.questions(text, place):
        query = replace(
            scope, text=question, opened_from=at - duplicates.WITHIN, order="newest", limit=_EACH, cursor=None
        )
        yield from site.hub.tracking.find(query, now).cases


def _shown(rulebook: Rulebook, found: duplicates.Alike, t: Translator) -> Shown:
    case = found.case
    told = {
        "reporter": t("pelapor yang sama"),
        "words": t("isi mirip"),
        "near": t("titik lokasi berdekatan"),
        "taken_near": t("titik lokasi menurut foto berdekatan"),
        "place": t("tempat sama"),
        "topic": t("urusan sama"),
        "image": t("foto sama"),
    }
    return Shown(
        ticket=case.ticket,
        status=history.status_title(rulebook, case.status, t, public=True),
        channel=history.channel_title(rulebook, case.channel, t),
        place=words.place(case),
        opened_at=case.opened_at,
        percent=round(found.probability * 100),
        why=", ".join(told[reason] for reason in found.reasons),
    )
