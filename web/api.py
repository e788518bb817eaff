"""The API: complaints for everybody, cases for staff. Errors are problem+json (see `problems`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from laporhub.pipeline.access import eyes_of, state_as_seen
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.door import TEXT_LIMIT
from laporhub.pipeline.errors import Forbidden, NotFound, Refused
from laporhub.pipeline.periods import parse_period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.tracking import Query
from laporhub.pipeline.workflow import allowed, may_note
from laporhub.web import delivery, forms, present
from laporhub.web.desk import (
    Caller,
    Filters,
    Session,
    case_for,
    events_for,
    found_for,
    narrow,
    profile_of,
    scope,
    sought_by,
)
from laporhub.web.forms import ComplaintBody
from laporhub.web.guard import same
from laporhub.web.problems import NotSignedInError, documented
from laporhub.web.reports import unit_of
from laporhub.web.site import Site, site_of, translator_of
from laporhub.web.tracking import find_case

ERRORS = documented(400, 401, 403, 404, 405, 409, 413, 422, 503)

router = APIRouter(prefix="/api/v1", responses=ERRORS)
staff = APIRouter(
    prefix="/api/v1", responses=ERRORS, tags=["staff"], dependencies=[Depends(HTTPBearer(auto_error=False))]
)


class Accepted(BaseModel):
    """A complaint that is durable. Keep `tracking_token`: it is the reporter's only key to it."""

    ticket: str
    tracking_token: str
    status: str
    received_at: datetime
    tracking_url: str
    missing: tuple[str, ...] = ()


@router.post("/complaints", status_code=201, tags=["public"])
async def complain(
    request: Request,
    body: ComplaintBody,
    profile: str | None = None,
    channel: str = "web",
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Accepted:
    """Takes a complaint. The same `Idempotency-Key` with the same body gives the same ticket again."""
    site = site_of(request)
    rulebook = site.rulebook(profile)
    known = rulebook.profile.channels.get(channel)
    if known is None or known.delivery != "page":
        raise Refused(f"{channel!r} is not a channel that answers on the tracking page", field="channel")
    inbound = forms.complaint(body, idempotency_key or site.settings.new_key(), rulebook.calendar.zone)
    receipt = await site.hub.receive(rulebook.name, channel, inbound)
    token = await run_in_threadpool(site.hub.tracking_token, receipt.case_id)
    return Accepted(
        ticket=receipt.ticket,
        tracking_token=token,
        status=receipt.status,
        received_at=receipt.received_at,
        tracking_url=f"{site.settings.public_url.rstrip('/')}/t/{receipt.ticket}?k={token}",
        missing=receipt.missing,
    )


@router.get("/complaints/{ticket}", tags=["public"])
def complaint(request: Request, ticket: str, token: str | None = None) -> dict[str, Any]:
    """What everybody may know of a complaint; with its token, the reporter's own view."""
    site, t = site_of(request), translator_of(request)
    state = find_case(site, ticket)
    if state is None:
        raise NotFound("There is no complaint with this ticket")
    rulebook, events = site.rulebook_of(state), site.hub.events(state.id)
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else token
    if given is None and not scheme:
        return present.public(rulebook, state, events, t)
    if not same(given, site.hub.tracking_token(state.id)):
        raise NotSignedInError
    who = site.hub.own_identity(state.id)
    return present.own(rulebook, state, events, t, lambda sealed: site.hub.unseal_words(state, sealed), who)


@staff.get("/cases")
def cases(
    request: Request,
    session: Caller,
    profile: str | None = None,
    status: str = "",
    unit: str = "",
    channel: str = "",
    q: str = "",
    overdue: bool | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """The cases that the caller may see, most urgent first; `cursor` of one page asks for the next."""
    site = site_of(request)
    rulebook = profile_of(site, session.account, profile)
    filters = Filters(status, unit, channel, sought_by(rulebook, session.account, q), overdue, cursor)
    query = replace(narrow(scope(rulebook, session.account), filters), limit=limit)
    now = site.settings.now()
    page = found_for(rulebook, session.account, site.hub.tracking.find(query, now))
    shown = [present.summary(state, now) for state in page.cases]
    return {"cases": shown, "cursor": page.cursor, "total": page.total}


@staff.get("/cases/{ticket}")
def case(request: Request, session: Caller, ticket: str) -> dict[str, Any]:
    """One case, and what the caller may do with it now."""
    site = site_of(request)
    rulebook, state = case_for(site, session, ticket)
    steps = [name for name, _ in allowed(rulebook, state, session.actor)]
    return {**present.case(state, site.settings.now()), "actions": steps}


@staff.get("/cases/{ticket}/events")
def events(request: Request, session: Caller, ticket: str) -> dict[str, Any]:
    """The case's history as CloudEvents, oldest first, without anything sealed."""
    site = site_of(request)
    rulebook, state = case_for(site, session, ticket)
    return {"events": [present.event(event) for event in events_for(site, session, rulebook, state)]}


@staff.post("/cases/{ticket}/actions/{transition}")
async def act(
    request: Request, session: Caller, ticket: str, transition: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Takes a transition. The body holds its fields, and `seen`: the `seq` of the case one was looking at.

    A step whose reply certainly does not arrive is refused (`window_closed`), unless `undelivered` is true.
    """
    site = site_of(request)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    if transition not in rulebook.profile.transitions:
        raise NotFound(f"There is no transition {transition!r}")
    given = dict(body or {})
    anyway = given.pop(delivery.ANYWAY, False) is True
    fields, seen = _arguments(given)
    step = rulebook.profile.transitions[transition]
    if step.reply:
        delivery.check_way(await run_in_threadpool(site.hub.way, state), step, anyway=anyway)
    after = await site.hub.act(state.id, transition, fields, session.actor, seen)
    return _shown(site, rulebook, session, after)


class NoteBody(BaseModel):
    """An internal note."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


@staff.post("/cases/{ticket}/notes", status_code=201)
async def note(request: Request, session: Caller, ticket: str, body: NoteBody) -> dict[str, Any]:
    site = site_of(request)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    if not may_note(rulebook, state, session.actor):
        raise Forbidden("This role only reads: it writes no notes")
    after = await site.hub.note(state.id, forms.clean(body.text), session.actor)
    return _shown(site, rulebook, session, after)


def _shown(site: Site, rulebook: Rulebook, session: Session, after: CaseState) -> dict[str, Any]:
    """The case after a step, as whoever took it may see it."""
    eyes = eyes_of(rulebook, session.account.role)
    return present.case(state_as_seen(after, eyes), site.settings.now())


@staff.get("/stats")
def stats(request: Request, session: Caller, profile: str | None = None) -> dict[str, Any]:
    """Numbers of the cases that the caller may see."""
    site = site_of(request)
    rulebook = profile_of(site, session.account, profile)
    query, now = scope(rulebook, session.account), site.settings.now()
    return _stats(request, rulebook, query, now)


@staff.get("/reports/{period}")
def report(
    request: Request, session: Caller, period: str, profile: str | None = None, unit: str = ""
) -> dict[str, Any]:
    """The figures of a month `2026-10`, a quarter `2026-Q4`, a year `2026` or days `2026-10-05..2026-10-20`."""
    site = site_of(request)
    rulebook = profile_of(site, session.account, profile)
    only = unit_of(rulebook, session.account, unit)
    return site.hub.report(rulebook.name, parse_period(period, rulebook.calendar.zone), only).as_json()


def _stats(request: Request, rulebook: Rulebook, query: Query, now: datetime) -> dict[str, Any]:
    tracking = site_of(request).hub.tracking
    by = {name: dict(tracking.count(query, name, now)) for name in ("status", "unit", "channel", "urgency")}
    overdue = tracking.count(replace(query, overdue=True), "status", now)
    return {
        "profile": rulebook.name,
        "at": now,
        "total": sum(by["status"].values()),
        "overdue": sum(overdue.values()),
        **{f"by_{name}": counts for name, counts in by.items()},
    }


def _arguments(body: Mapping[str, Any]) -> tuple[dict[str, str], int | None]:
    """A transition's fields and `seen`; the fields may also stand together under "fields"."""
    given = dict(body)
    seen = given.pop("seen", None)
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise Refused("'seen' is the sequence number of the case, a whole number", field="seen")
    nested = given.pop("fields", {})
    if not isinstance(nested, dict):
        raise Refused("'fields' holds the transition's fields by name", field="fields")
    fields = {**given, **nested}
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise Refused(f"The field {name!r} is a text or a whole number", field=name)
        if len(str(value)) > TEXT_LIMIT:
            raise Refused(f"The field {name!r} is too long", code="too_long", field=name)
    return {name: forms.clean(str(value)) for name, value in fields.items()}, seen
