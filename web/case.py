"""The page of one case, for those who work on it: read, answer, pass on, note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import Way
from laporhub.pipeline.door import TEXT_LIMIT
from laporhub.pipeline.errors import Conflict, Forbidden, LaporHubError, NotFound, Refused, RetryLater
from laporhub.pipeline.events import Confided
from laporhub.pipeline.hub_port import Confidence, Identity
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Transition
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.workflow import allowed, may_confide, may_note, may_speak, may_unseal
from laporhub.web import delivery, forms, history, persons, words
from laporhub.web.actions import PREFIX, fields_for, values_of
from laporhub.web.alike import beside
from laporhub.web.attached import camera, shown, taken_where
from laporhub.web.case_ties import ties
from laporhub.web.chronicle import staff_lines
from laporhub.web.confidence import confidants, confidences, handle_of
from laporhub.web.desk import Session, Staff, case_for, check_csrf, events_for, files_for, menu, scope
from laporhub.web.i18n import Translator
from laporhub.web.paper_links import paper_links
from laporhub.web.problems import status_of
from laporhub.web.public import seers
from laporhub.web.site import render, site_of, translator_of
from laporhub.web.step_form import read_step

router = APIRouter(include_in_schema=False)

SHOWN_LINES = 30
NOTE, IDENTITY, CONVEYED, ELSEWHERE = "note", "identity", "conveyed", "elsewhere"
CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A form that was not taken: which, what was typed, why; `seen` is what its writer had looked at."""

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    seen: int | None = None
    status: int = 200


@router.get("/staff/cases/{ticket}", name="case")
def case_page(request: Request, session: Staff, ticket: str) -> Response:
    return page(request, session, ticket)


@router.post("/staff/cases/{ticket}/do/{transition}")
async def do(request: Request, session: Staff, ticket: str, transition: str) -> Response:
    """Takes a transition; if it is refused, the page again with every typed word."""
    site = site_of(request)
    fields, photos = await read_step(request, PREFIX)
    check_csrf(session, fields)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    step = rulebook.profile.transitions.get(transition)
    if step is None:
        raise NotFound(f"There is no transition {transition!r}")
    try:
        values = values_of(step, fields, state)
        if step.reply:
            way = await run_in_threadpool(site.hub.way, state)
            delivery.check_way(way, step, anyway=bool(fields.get(delivery.ANYWAY)))
        await site.hub.act(state.id, transition, values, session.actor, _seen(fields), photos)
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(refused, request, session, ticket, transition, fields, error)
    return back(state, transition)


@router.post("/staff/cases/{ticket}/replies/{reply_id}/conveyed")
async def conveyed(request: Request, session: Staff, ticket: str, reply_id: str) -> Response:
    """The person told the reporter themselves."""
    site = site_of(request)
    fields = await forms.read_form(request)
    check_csrf(session, fields)
    _, state = await run_in_threadpool(case_for, site, session, ticket)
    try:
        await site.hub.convey(state.id, reply_id, session.actor)
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(refused, request, session, ticket, CONVEYED, fields, error)
    return back(state, CONVEYED)


@router.post("/staff/cases/{ticket}/replies/{reply_id}/elsewhere")
async def elsewhere(request: Request, session: Staff, ticket: str, reply_id: str) -> Response:
    """It is said on another channel of the same reporter."""
    site = site_of(request)
    fields = await forms.read_form(request)
    check_csrf(session, fields)
    _, state = await run_in_threadpool(case_for, site, session, ticket)
    try:
        await site.hub.redirect(state.id, reply_id, fields.get("channel", ""), session.actor)
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(refused, request, session, ticket, ELSEWHERE, fields, error)
    return back(state, ELSEWHERE)


@router.post("/staff/cases/{ticket}/notes")
async def note(request: Request, session: Staff, ticket: str) -> Response:
    """An internal note."""
    site, t = site_of(request), translator_of(request, session.account)
    fields = await forms.read_form(request)
    check_csrf(session, fields)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    if not may_note(rulebook, state, session.actor):
        raise Forbidden("This role only reads: it writes no notes")
    text = fields.get("text", "")
    if not text or len(text) > TEXT_LIMIT:
        fault = t("Tulis catatan dulu.") if not text else t("Teks terlalu panjang.")
        attempt = Attempt(NOTE, fields, fault, {"text": fault}, status=422)
        return await run_in_threadpool(page, request, session, ticket, attempt)
    try:
        await site.hub.note(state.id, text, session.actor)
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(refused, request, session, ticket, NOTE, fields, error)
    return back(state, NOTE)


def _seen(fields: Mapping[str, str]) -> int | None:
    seen = fields.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None


def back(state: CaseState, done: str) -> Response:
    return RedirectResponse(f"/staff/cases/{quote(state.ticket)}?done={quote(done)}", 303)


def refused(
    request: Request,
    session: Session,
    ticket: str,
    form: str,
    fields: Mapping[str, str],
    error: LaporHubError,
) -> Response:
    said = words.refusal(error, translator_of(request, session.account))
    faults = {error.field: said} if isinstance(error, Refused) and error.field else {}
    seen = _seen(fields) if isinstance(error, Conflict) else None
    attempt = Attempt(form, fields, said, faults, seen, status_of(error))
    return page(request, session, ticket, attempt)


def page(
    request: Request,
    session: Session,
    ticket: str,
    attempt: Attempt | None = None,
    who: Identity | None = None,
    confided: Sequence[Confidence] | None = None,
) -> Response:
    """The page; `attempt` is a form that was not taken, `who` and `confided` what was opened for this once."""
    site, account = site_of(request), session.account
    attempt = attempt or Attempt()
    rulebook, state = case_for(site, session, ticket)
    t, now = translator_of(request, account), site.settings.now()
    events = events_for(site, session, rulebook, state)
    lines = staff_lines(rulebook, events, t)
    steps = allowed(rulebook, state, session.actor)
    known = rulebook.profile.channels.get(state.channel)
    said = history.conversation(rulebook, state, events, t, notes=True)
    way = site.hub.way(state)
    files = files_for(site, session, rulebook, state)
    speaks = may_speak(rulebook, state, session.actor)
    failed = speaks and any(entry.delivery == "failed" for entry in said)
    others = site.hub.elsewhere(state) if failed else ()
    return render(
        request,
        "case.html",
        rulebook=rulebook,
        account=account,
        session=session,
        private=True,
        status=attempt.status,
        state=state,
        title=history.status_title(rulebook, state.status, t),
        channel=history.channel_title(rulebook, state.channel, t),
        unit=history.unit_title(rulebook, state.unit),
        place=words.place(state),
        similar=beside(site, rulebook, state, scope(rulebook, account), session.actor, t),
        by_phone=known is not None and known.desk == "phone",
        seers=seers(rulebook, t),
        said=said,
        way_line=delivery.way_line(rulebook, state, way, t),
        stuck=delivery.stuck(rulebook, said, way, others, t) if speaks else [],
        post=site.hub.post_of(state) if speaks else None,
        told_on=lambda entry: (
            history.channel_title(rulebook, entry.channel, t)
            if entry.channel not in ("", state.channel)
            else ""
        ),
        menu=menu(site, account, rulebook),
        photo_place=_photo_place(state, files),
        same_person=persons.others(site, session, rulebook, state, t),
        files=shown(
            files,
            f"/staff/cases/{quote(state.ticket)}",
            t,
            told=lambda file: camera(file, rulebook, t),
        ),
        papers=paper_links(rulebook, state, session.actor, f"/staff/cases/{quote(state.ticket)}", t),
        delivery=lambda entry: delivery.fate(entry.delivery, entry.reason, t),
        lines=lines[:SHOWN_LINES],
        earlier=lines[SHOWN_LINES:],
        changed=[line for line in lines if attempt.seen is not None and line.sequence > attempt.seen],
        clocks=_clocks(rulebook, state, site.settings.now(), t),
        guesses=[(history.unit_title(rulebook, g.unit), g) for g in state.suggestion.units]
        if state.suggestion
        else [],
        gaps=_gaps(rulebook, state, t),
        ties=ties(site, rulebook, state, session.actor, events, files, t),
        replies=_forms(rulebook, state, steps, t, attempt, to_reporter=True, way=way),
        moves=_forms(rulebook, state, steps, t, attempt, to_reporter=False),
        kept=_kept(attempt, steps),
        attempt=attempt,
        late=words.is_late(state, now),
        may_note=may_note(rulebook, state, session.actor),
        sees_identity=may_unseal(rulebook, state, session.actor),
        who=who,
        handle=handle_of(who),
        may_confide=may_confide(rulebook, state, session.actor),
        confidants=confidants(rulebook, t, t("pelapor")),
        confided_count=sum(isinstance(event.data, Confided) for event in events),
        confided=None if confided is None else confidences(rulebook, confided, t),
        key=attempt.values.get("key") or site.settings.new_key(),
        done=_done(rulebook, request.query_params.get("done", ""), t) if attempt.status == 200 else "",
    )


def _photo_place(state: CaseState, files: Sequence[CaseFile]) -> str:
    """Where a photo was taken, where no point was given: the region, and the point itself."""
    if state.location is not None and state.location.lat is not None:
        return ""
    return " · ".join(filter(None, (words.photo_region(state), taken_where(files))))


def _forms(
    rulebook: Rulebook,
    state: CaseState,
    steps: list[tuple[str, Transition]],
    t: Translator,
    attempt: Attempt,
    *,
    to_reporter: bool,
    way: Way | None = None,
) -> list[dict[str, Any]]:
    """The transitions' forms: those after which the reporter gets a message, or the others."""
    return [
        {
            "name": name,
            "title": say(step.title, t.language, rulebook.language),
            "danger": step.danger,
            "target": history.status_title(rulebook, step.target, t),
            "inputs": fields_for(rulebook, state, step, t, attempt.values if name == attempt.form else None),
            "faults": attempt.faults if name == attempt.form else {},
            "open": name == attempt.form,
            "shut": way is not None and step.reply is not None and way.is_shut(step.reply),
        }
        for name, step in sorted(steps, key=_usual_first)
        if bool(step.reply) == to_reporter
    ]


def _usual_first(named: tuple[str, Transition]) -> tuple[bool, bool]:
    """Passing a case on comes before all else, and what ends or undoes something last."""
    _, step = named
    return step.danger, step.assign is None


def _kept(attempt: Attempt, steps: list[tuple[str, Transition]]) -> list[str]:
    """Words typed into a form that is no longer there."""
    if not attempt.form or attempt.form in (
        NOTE,
        IDENTITY,
        CONVEYED,
        ELSEWHERE,
        CONFIDENTIAL,
        *(name for name, _ in steps),
    ):
        return []
    return [value for name, value in attempt.values.items() if name.startswith(PREFIX) and value]


def _clocks(
    rulebook: Rulebook, state: CaseState, now: Any, t: Translator
) -> list[tuple[str, str, str, bool]]:
    """Title, due date, how it stands in words, and whether it is late: running first."""
    order = {"running": 0, "paused": 1, "stopped": 2}
    shown = []
    for name, clock in sorted(state.clocks.items(), key=lambda item: (order[item[1].status], item[1].due_at)):
        due = words.date_time(clock.due_at, rulebook, t)
        if clock.status == "running":
            stands, late = words.time_left(name, clock.due_at, now, rulebook, t), clock.due_at < now
        elif clock.status == "paused":
            stands, late, due = t("Berhenti sementara, menunggu pelapor"), False, ""
        else:
            stands, late = (t("Selesai terlambat") if clock.late else t("Selesai tepat waktu")), False
        shown.append((history.clock_title(rulebook, name, t), due, stands, late))
    return shown


def _gaps(rulebook: Rulebook, state: CaseState, t: Translator) -> list[tuple[str, str]]:
    """What the standard asks for and is not there, by how much it matters, and the classifier's flags."""
    rules = rulebook.profile.requirements

    def titles(names: tuple[str, ...]) -> str:
        return ", ".join(say(rules[n].title, t.language, rulebook.language) for n in names if n in rules)

    flags = ", ".join(words.flag(each, t) for each in state.suggestion.flags) if state.suggestion else ""
    rows = [
        (t("Masih kurang"), titles(state.missing)),
        (t("Sebaiknya ada"), titles(state.advised)),
        (t("Perlu diperiksa"), titles(state.review)),
        (t("Tanda dari sistem"), flags),
    ]
    return [(label, value) for label, value in rows if value]


def _done(rulebook: Rulebook, done: str, t: Translator) -> str:
    if done == NOTE:
        return t("Catatan internal disimpan.")
    if done == CONFIDENTIAL:
        return t("Pesan rahasia disimpan.")
    if done == CONVEYED:
        return t("Tercatat: Anda sudah menyampaikannya sendiri.")
    if done == ELSEWHERE:
        return t("Pesan akan dikirim lewat kanal yang Anda pilih.")
    step = rulebook.profile.transitions.get(done)
    return (
        t("Sudah dilakukan: %(step)s.", step=say(step.title, t.language, rulebook.language)) if step else ""
    )
