"""What staff was told: their unit's and role's notices, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from laporhub.pipeline.notices import Notice
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.web import forms, history
from laporhub.web.desk import Staff, check_csrf, menu, profile_of
from laporhub.web.i18n import Translator
from laporhub.web.site import render, site_of, translator_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One notice in words."""

    at: datetime
    ticket: str
    text: str
    is_new: bool
    urgent: bool


@router.get("/staff/inbox", name="inbox")
def inbox(request: Request, session: Staff, profile: str | None = None) -> Response:
    """The newest hundred."""
    site, account = site_of(request), session.account
    t, rulebook = translator_of(request, account), profile_of(site, account, profile)
    found = site.hub.notices(rulebook.name, account)
    unread = site.hub.unread_notices(rulebook.name, account)
    return render(
        request,
        "inbox.html",
        rulebook=rulebook,
        account=account,
        session=session,
        private=True,
        lines=_lines(rulebook, [notice for _, notice in found], unread, t),
        unread=unread,
        newest=found[0][0] if found else 0,
        menu=menu(site, account, rulebook),
    )


@router.post("/staff/inbox")
async def read(request: Request, session: Staff, profile: str | None = None) -> Response:
    """All up to the newest that the page showed is read; what came meanwhile is not.

    The profile stands in the address, as for the page: it decides what the account is here.
    """
    site, fields = site_of(request), await forms.read_form(request)
    check_csrf(session, fields)
    rulebook = await run_in_threadpool(profile_of, site, session.account, profile)
    upto = fields.get("upto", "")
    if upto.isascii() and upto.isdecimal() and len(upto) < 16:
        await site.hub.read_notices(rulebook.name, session.account, int(upto))
    return RedirectResponse(f"/staff/inbox?profile={quote(rulebook.name)}", 303)


def _lines(rulebook: Rulebook, notices: Sequence[Notice], unread: int, t: Translator) -> list[Line]:
    return [
        Line(
            each.at,
            each.ticket,
            _said(rulebook, each, t),
            number < unread,
            each.occasion in ("warned", "escalated"),
        )
        for number, each in enumerate(notices)
    ]


def _said(rulebook: Rulebook, notice: Notice, t: Translator) -> str:
    match notice.occasion:
        case "assigned":
            return t("Didisposisikan kepada instansi Anda")
        case "involved":
            return t("Instansi Anda diminta memberi bagian jawaban")
        case "warned":
            return t("Tenggat hampir habis: %(clock)s", clock=history.clock_title(rulebook, notice.detail, t))
        case "escalated":
            return t("Tenggat sudah lewat: %(clock)s", clock=history.clock_title(rulebook, notice.detail, t))
        case "stepped":
            step = rulebook.profile.transitions.get(notice.detail)
            return say(step.title, t.language, rulebook.language) if step else notice.detail
