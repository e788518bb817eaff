"""The API of privacy: who a reporter is, and what is said in confidence. Every look of staff is on record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, BaseModel, Field

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.door import TEXT_LIMIT
from laporhub.pipeline.errors import Forbidden, NotFound
from laporhub.pipeline.hub_port import Confidence
from laporhub.pipeline.workflow import has_confidential, may_confide, may_unseal
from laporhub.web import forms
from laporhub.web.api import ERRORS
from laporhub.web.case_privacy import REASON_AT_LEAST
from laporhub.web.confidence import handle_of
from laporhub.web.desk import Caller, case_for
from laporhub.web.guard import same
from laporhub.web.problems import NotSignedInError
from laporhub.web.site import Site, site_of
from laporhub.web.tracking import find_case, reporter_of

router = APIRouter(prefix="/api/v1", responses=ERRORS, tags=["public"])
staff = APIRouter(
    prefix="/api/v1", responses=ERRORS, tags=["staff"], dependencies=[Depends(HTTPBearer(auto_error=False))]
)

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


class ReasonBody(BaseModel):
    """Why somebody looks; it is kept in the audit log."""

    reason: Annotated[forms.Line, Field(min_length=REASON_AT_LEAST)]


class ConfidenceBody(BaseModel):
    """What is said in confidence."""

    text: Annotated[str, Field(max_length=TEXT_LIMIT), AfterValidator(forms.clean), Field(min_length=1)]


@staff.post("/cases/{ticket}/identity")
def identity(request: Request, session: Caller, ticket: str, body: ReasonBody) -> dict[str, Any]:
    """Who the reporter is, to a role that may see it."""
    site = site_of(request)
    rulebook, state = case_for(site, session, ticket)
    if not may_unseal(rulebook, state, session.actor):
        raise Forbidden("This role may not see who reports this case")
    who = site.hub.unseal(state.id, session.account.username, body.reason)
    return {
        "ticket": state.ticket,
        "name": who.name,
        "phone": who.phone,
        "email": who.email,
        "handle": handle_of(who) or None,
    }


@staff.get("/cases/{ticket}/confidential")
def confidential(request: Request, session: Caller, ticket: str) -> dict[str, Any]:
    """What was said in confidence, to those who take part."""
    site = site_of(request)
    _, state = case_for(site, session, ticket)
    return _shown(site.hub.confidential(state, session.actor))


@staff.post("/cases/{ticket}/confidential", status_code=201)
async def confide(
    request: Request, session: Caller, ticket: str, body: ConfidenceBody, key: Key = None
) -> dict[str, Any]:
    """Says something to the reporter in confidence. The same `Idempotency-Key` and words are said once."""
    site = site_of(request)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    if not may_confide(rulebook, state, session.actor):
        raise Forbidden("This role takes no part in the confidential discussion")
    await site.hub.confide(state.id, body.text, session.actor, key or site.settings.new_key())
    return {"ticket": state.ticket}


@router.get("/complaints/{ticket}/confidential")
def own_confidential(request: Request, ticket: str, token: str | None = None) -> dict[str, Any]:
    """The confidential discussion, to the reporter: with the complaint's token."""
    site = site_of(request)
    state = _own(site, request, ticket, token)
    return _shown(site.hub.confidential(state, reporter_of(state)))


@router.post("/complaints/{ticket}/confidential", status_code=201)
async def own_confide(
    request: Request, ticket: str, body: ConfidenceBody, token: str | None = None, key: Key = None
) -> dict[str, Any]:
    """The reporter says something in confidence. The same `Idempotency-Key` and words are said once."""
    site = site_of(request)
    state = await run_in_threadpool(_own, site, request, ticket, token)
    await site.hub.confide(state.id, body.text, reporter_of(state), key or site.settings.new_key())
    return {"ticket": state.ticket}


def _own(site: Site, request: Request, ticket: str, token: str | None) -> CaseState:
    state = find_case(site, ticket)
    if state is None or not has_confidential(site.rulebook_of(state)):
        raise NotFound("There is no such complaint, or it has no confidential discussion")
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else token
    if not same(given, site.hub.tracking_token(state.id)):
        raise NotSignedInError
    return state


def _shown(said: Sequence[Confidence]) -> dict[str, Any]:
    """Staff are told by role and unit, never by account."""
    return {
        "messages": [
            {"at": each.at, "from": each.role, "unit": each.unit, "text": each.text} for each in said
        ]
    }
