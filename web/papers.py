"""Documents of a case, to download: for staff and for the reporter, as the profile allows."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.papers import sheet
from laporhub.reports.paper import paper
from laporhub.web.desk import Staff, case_for
from laporhub.web.guard import same
from laporhub.web.i18n import translator
from laporhub.web.site import Site, site_of
from laporhub.web.tracking import find_case, reporter_of

router = APIRouter(include_in_schema=False)

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


@router.get("/staff/cases/{ticket}/documents/{name}.pdf")
def for_staff(request: Request, session: Staff, ticket: str, name: str) -> Response:
    """For whom the profile names."""
    site = site_of(request)
    _, state = case_for(site, session, ticket)
    return _answer(site, state, name, session.actor)


@router.get("/t/{ticket}/documents/{name}.pdf")
def for_reporter(request: Request, ticket: str, name: str, k: str = "") -> Response:
    """For whoever has the secret link, where the profile names the reporter."""
    site = site_of(request)
    state = find_case(site, ticket)
    if state is None or not same(k, site.hub.tracking_token(state.id)):
        raise NotFound("There is no such report, or the code does not belong to it")
    return _answer(site, state, name, reporter_of(state))


def _answer(site: Site, state: CaseState, name: str, actor: Actor) -> Response:
    made = sheet(site.rulebook_of(state), state, site.hub.events(state.id), name, actor)
    data = paper(made, translator(made.language))
    named = {"Content-Disposition": f'attachment; filename="{state.ticket}-{name}.pdf"'}
    return Response(data, media_type="application/pdf", headers=_HEADERS | named)
