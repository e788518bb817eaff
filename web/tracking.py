"""The tracking page: what everybody may know of a report, and what its reporter may read, say and do."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.errors import LaporHubError, NotFound, Refused, RetryLater
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.rude import masked
from laporhub.pipeline.workflow import allowed, is_final, may_confide
from laporhub.web import forms, history, words
from laporhub.web.actions import fields_for, values_of
from laporhub.web.attached import shown
from laporhub.web.confidence import confidants, confidences
from laporhub.web.evidence import photos_for_reporter
from laporhub.web.guard import same
from laporhub.web.paper_links import paper_links
from laporhub.web.problems import status_of
from laporhub.web.public import CHANNEL, fault_word, field_labels, seers
from laporhub.web.site import Site, render, site_of, translator_of

router = APIRouter(include_in_schema=False)

CONFIDENTIAL = "confidential"


def reporter_of(state: CaseState) -> Actor:
    return Actor(id=state.reporter, role="reporter")


def find_case(site: Site, ticket: str) -> CaseState | None:
    """The case of a ticket in an address; None for what cannot be one."""
    typed = forms.clean(ticket)
    state = site.hub.case(typed) if 4 <= len(typed) <= 60 else None
    return state if state is not None and state.profile in site.hub.rulebooks else None


@router.get("/t/{ticket}", name="track")
def track(request: Request, ticket: str, k: str | None = None) -> Response:
    site = site_of(request)
    state = find_case(site, ticket)
    if state is None:
        return render(request, "not_found.html", status=404, private=True, typed=forms.clean(ticket)[:60])
    if k is not None and same(k, site.hub.tracking_token(state.id)):
        return _own(request, state, k)
    return _public(request, state, wrong_token=k is not None)


@router.post("/t/{ticket}")
async def enter_token(request: Request, ticket: str) -> Response:
    """The code, typed by hand instead of following the link."""
    fields = await forms.read_form(request)
    return RedirectResponse(f"/t/{quote(ticket)}?k={quote(fields.get('k', '')[:200])}", 303)


@router.post("/t/{ticket}/messages")
async def add_message(request: Request, ticket: str) -> Response:
    """A further message or an answer of the reporter."""
    site, t = site_of(request), translator_of(request)
    fields, files = await forms.read_upload(request)
    state = await run_in_threadpool(_authorised, site, ticket, fields)
    faults = {name: fault_word(kind, t) for name, kind in forms.check_message(fields, files).items()}
    if faults:
        return await run_in_threadpool(_own, request, state, fields["k"], fields, faults, "message", 422)
    key = fields.get("key") or site.settings.new_key()
    inbound = forms.further_message(state.id, state.reporter, fields, key[:200], files)
    try:
        await site.hub.receive(state.profile, _page_channel(site.rulebook_of(state), state), inbound)
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(_refuse, request, state, fields, "message", error)
    return _back(state, fields["k"], "message")


@router.post("/t/{ticket}/do/{transition}")
async def act(request: Request, ticket: str, transition: str) -> Response:
    """A step of the reporter: confirm, rate, reopen."""
    site = site_of(request)
    fields = await forms.read_form(request)
    state = await run_in_threadpool(_authorised, site, ticket, fields)
    step = site.rulebook_of(state).profile.transitions.get(transition)
    if step is None:
        raise NotFound(f"There is no transition {transition!r}")
    try:
        await site.hub.act(state.id, transition, values_of(step, fields), reporter_of(state))
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(_refuse, request, state, fields, transition, error)
    return _back(state, fields["k"], transition)


@router.post("/t/{ticket}/confidential")
async def confide(request: Request, ticket: str) -> Response:
    """The reporter says something in confidence."""
    site, t = site_of(request), translator_of(request)
    fields = await forms.read_form(request)
    state = await run_in_threadpool(_authorised, site, ticket, fields)
    text, key = fields.get("text", ""), fields.get("key") or site.settings.new_key()
    if not text:
        faults = {"text": fault_word("empty", t)}
        return await run_in_threadpool(_own, request, state, fields["k"], fields, faults, CONFIDENTIAL, 422)
    try:
        await site.hub.confide(state.id, text, reporter_of(state), key[:200])
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(_refuse, request, state, fields, CONFIDENTIAL, error)
    return _back(state, fields["k"], CONFIDENTIAL)


def _authorised(site: Site, ticket: str, fields: Mapping[str, str]) -> CaseState:
    state = find_case(site, ticket)
    if state is None or not same(fields.get("k"), site.hub.tracking_token(state.id)):
        raise NotFound("There is no such report, or the code does not belong to it")
    return state


def _page_channel(rulebook: Rulebook, state: CaseState) -> str:
    """The channel of what is said here: the web, or the case's own where a profile has no web form."""
    return CHANNEL if CHANNEL in rulebook.profile.channels else state.channel


def _back(state: CaseState, token: str, done: str) -> Response:
    return RedirectResponse(f"/t/{quote(state.ticket)}?k={quote(token)}&done={quote(done)}", 303)


def _public(request: Request, state: CaseState, *, wrong_token: bool) -> Response:
    site, t = site_of(request), translator_of(request)
    rulebook = site.rulebook_of(state)
    events = site.hub.events(state.id)
    return render(
        request,
        "track.html",
        rulebook=rulebook,
        private=True,
        status=403 if wrong_token else 200,
        state=state,
        title=history.status_title(rulebook, state.status, t, public=True),
        final=is_final(rulebook, state),
        steps=history.public_steps(rulebook, events, t, names=not state.private),
        unit="" if state.private else history.unit_title(rulebook, state.unit),
        channel="" if state.private else history.channel_title(rulebook, state.channel, t),
        shows_text=history.shows_text(rulebook, state),
        text=masked(state.text),
        answers=history.public_answers(rulebook, state, events),
        ticking=_ticking(site, rulebook, state, request),
        wrong_token=wrong_token,
    )


def _own(
    request: Request,
    state: CaseState,
    token: str,
    values: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    at_fault: str = "",
    status: int = 200,
    message: str = "",
) -> Response:
    """The reporter's page; `values`, `faults` and `message` belong to the form named `at_fault`."""
    site, t = site_of(request), translator_of(request)
    rulebook = site.rulebook_of(state)
    events, files = site.hub.events(state.id), site.hub.files(state.id)
    steps = allowed(rulebook, state, reporter_of(state))
    said = history.conversation(
        rulebook, state, events, t, opener=lambda sealed: site.hub.unseal_words(state, sealed)
    )
    requirements = rulebook.profile.requirements
    confides = may_confide(rulebook, state, reporter_of(state))
    confided = site.hub.confidential(state, reporter_of(state)) if confides else ()
    return render(
        request,
        "track_own.html",
        rulebook=rulebook,
        private=True,
        status=status,
        state=state,
        token=token,
        title=history.status_title(rulebook, state.status, t, public=True),
        final=is_final(rulebook, state),
        steps=history.public_steps(rulebook, events, t),
        unit=history.unit_title(rulebook, state.unit),
        channel=history.channel_title(rulebook, state.channel, t),
        said=said,
        who=None if state.anonymous else site.hub.own_identity(state.id),
        seers=seers(rulebook, t),
        confides=confides,
        confided=confidences(rulebook, confided, t),
        confidants=confidants(rulebook, t),
        files=shown(files, f"/t/{quote(state.ticket)}", t, f"k={quote(token)}"),
        photos=photos_for_reporter(
            rulebook, state, files, f"/t/{quote(state.ticket)}", t, f"k={quote(token)}"
        ),
        papers=paper_links(
            rulebook, state, reporter_of(state), f"/t/{quote(state.ticket)}", t, f"?k={quote(token)}"
        ),
        missing=[requirements[name] for name in state.missing if name in requirements],
        wanted=forms.missing_fields(rulebook, state.missing),
        labels=field_labels(t),
        ticking=_ticking(site, rulebook, state, request),
        actions=[
            (name, step, fields_for(rulebook, state, step, t, values if name == at_fault else None))
            for name, step in steps
        ],
        values=values or {},
        faults=faults or {},
        at_fault=at_fault,
        message=message,
        key=(values or {}).get("key") or site.settings.new_key(),
        done=request.query_params.get("done", "") if status == 200 else "",
    )


def _ticking(
    site: Site, rulebook: Rulebook, state: CaseState, request: Request
) -> list[tuple[str, str, str]]:
    """Clock, due date and time left, in words."""
    t, now = translator_of(request), site.settings.now()
    return [
        (
            history.clock_title(rulebook, name, t),
            words.date_time(clock.due_at, rulebook, t),
            words.time_left(name, clock.due_at, now, rulebook, t),
        )
        for name, clock in words.running(state)
    ]


def _refuse(
    request: Request, state: CaseState, fields: Mapping[str, str], form: str, error: LaporHubError
) -> Response:
    """The page as it is now, with what was typed and why it was not taken."""
    site, t = site_of(request), translator_of(request)
    now = find_case(site, state.ticket) or state
    said = words.refusal(error, t)
    at = error.field if isinstance(error, Refused) and error.field else ""
    return _own(request, now, fields["k"], fields, {at: said} if at else {}, form, status_of(error), said)
