"""Files that came with messages, as staff and the reporter see them: pictures without what the camera wrote in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.evidence import is_answered
from laporhub.web.attached import is_picture
from laporhub.web.desk import Staff, case_for, files_for
from laporhub.web.guard import same
from laporhub.web.site import Site, site_of
from laporhub.web.tracking import find_case

router = APIRouter(include_in_schema=False)

_VARIANTS: Final = ("shown", "preview")
_SAFE: Final = {
    # Whatever a file holds, it runs nothing and loads nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


@router.get("/staff/cases/{ticket}/files/{name}")
def for_staff(request: Request, session: Staff, ticket: str, name: str, variant: str = "") -> Response:
    """For whoever may see the case."""
    site = site_of(request)
    rulebook, state = case_for(site, session, ticket)
    return _answer(site, state, files_for(site, session, rulebook, state), name, variant)


@router.get("/t/{ticket}/files/{name}")
def for_reporter(request: Request, ticket: str, name: str, k: str = "", variant: str = "") -> Response:
    """For whoever has the secret link."""
    site = site_of(request)
    state = find_case(site, ticket)
    if state is None or not same(k, site.hub.tracking_token(state.id)):
        raise NotFound("There is no such report, or the code does not belong to it")
    answered = is_answered(site.rulebook_of(state), state)
    files = [each for each in site.hub.files(state.id) if each.field is None or answered]
    return _answer(site, state, files, name, variant)


def _answer(site: Site, state: CaseState, files: Sequence[CaseFile], name: str, variant: str) -> Response:
    """A picture is always shown re-encoded; anything else is given as a download."""
    file = next((each for each in files if each.id == name), None)
    if file is None or file.status != "kept":
        raise NotFound("There is no such file")
    if is_picture(file):
        data = site.hub.file(file, variant if variant in _VARIANTS else "shown")
        headers, media_type = {"Content-Disposition": "inline"}, "image/jpeg"
    else:
        data = site.hub.file(file)
        ending = (file.media_type or "").rpartition("/")[2].rpartition(".")[2] or "bin"
        headers = {
            "Content-Disposition": f'attachment; filename="{state.ticket}-{file.position + 1}.{ending}"'
        }
        media_type = file.media_type or "application/octet-stream"
    if data is None:
        raise NotFound("The file was erased")
    return Response(data, media_type=media_type, headers=headers | _SAFE)
