"""The file by which staff give a case to another government."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.handover import may_hand_over
from laporhub.web.desk import Staff, case_for
from laporhub.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/staff/cases/{ticket}/hand-over.zip")
def download(request: Request, session: Staff, ticket: str) -> Response:
    """For those who may hand the case over; that they had it is on record."""
    site = site_of(request)
    rulebook, state = case_for(site, session, ticket)
    if not may_hand_over(rulebook, state, session.actor):
        raise NotFound("There is no such file of this case, or it is not yours to have")
    headers = {
        "Content-Disposition": f'attachment; filename="{state.ticket}.zip"',
        "Cache-Control": "private, no-store",
    }
    data = site.hub.hand_over_file(state, session.account.username)
    return Response(data, media_type="application/zip", headers=headers)
