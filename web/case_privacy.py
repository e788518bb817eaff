"""On the page of a case: who the reporter is, and what is said in confidence. Every look is on record."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from laporhub.pipeline.errors import Forbidden, Refused, RetryLater
from laporhub.pipeline.workflow import may_confide, may_unseal
from laporhub.web import forms
from laporhub.web.case import CONFIDENTIAL, IDENTITY, Attempt, back, page, refused
from laporhub.web.desk import Staff, case_for, check_csrf
from laporhub.web.site import site_of, translator_of

router = APIRouter(include_in_schema=False)

REASON_AT_LEAST = 3
"""Characters of a reason to open who somebody is."""


@router.post("/staff/cases/{ticket}/identity")
async def identity(request: Request, session: Staff, ticket: str) -> Response:
    """Shows who the reporter is, once, to a role that may see it; who looked and why is on record."""
    site, t = site_of(request), translator_of(request, session.account)
    fields = await forms.read_form(request)
    check_csrf(session, fields)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    if not may_unseal(rulebook, state, session.actor):
        raise Forbidden("This role may not see who reports this case")
    reason = fields.get("reason", "")[: forms.LINE_LIMIT]
    if len(reason) < REASON_AT_LEAST:
        fault = t("Tulis alasan Anda membuka identitas pelapor.")
        attempt = Attempt(IDENTITY, fields, fault, {"reason": fault}, status=422)
        return await run_in_threadpool(page, request, session, ticket, attempt)
    who = await run_in_threadpool(site.hub.unseal, state.id, session.account.username, reason)
    return await run_in_threadpool(page, request, session, ticket, None, who)


@router.post("/staff/cases/{ticket}/confidential/open")
async def open_confidential(request: Request, session: Staff, ticket: str) -> Response:
    """Shows what was said in confidence, once, to those who take part; who read it is on record."""
    site = site_of(request)
    check_csrf(session, await forms.read_form(request))
    _, state = await run_in_threadpool(case_for, site, session, ticket)
    said = await run_in_threadpool(site.hub.confidential, state, session.actor)
    return await run_in_threadpool(page, request, session, ticket, None, None, said)


@router.post("/staff/cases/{ticket}/confidential")
async def confide(request: Request, session: Staff, ticket: str) -> Response:
    """Says something to the reporter in confidence."""
    site, t = site_of(request), translator_of(request, session.account)
    fields = await forms.read_form(request)
    check_csrf(session, fields)
    rulebook, state = await run_in_threadpool(case_for, site, session, ticket)
    if not may_confide(rulebook, state, session.actor):
        raise Forbidden("This role takes no part in the confidential discussion")
    text, key = fields.get("text", ""), fields.get("key") or site.settings.new_key()
    if not text:
        fault = t("Tulis pesan dulu.")
        attempt = Attempt(CONFIDENTIAL, fields, fault, {"text": fault}, status=422)
        return await run_in_threadpool(page, request, session, ticket, attempt)
    try:
        await site.hub.confide(state.id, text, session.actor, key[:200])
    except (Refused, RetryLater) as error:
        return await run_in_threadpool(refused, request, session, ticket, CONFIDENTIAL, fields, error)
    return back(state, CONFIDENTIAL)
