"""Staff write down what they are told, on the phone or at the counter: the public's form, filled in by an officer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from laporhub.pipeline.errors import LaporHubError, NotFound, Refused, RetryLater
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_intake import Channel
from laporhub.pipeline.workflow import desks
from laporhub.web import forms, history, words
from laporhub.web.desk import Session, Staff, check_csrf, profile_of
from laporhub.web.problems import retry_after, status_of
from laporhub.web.public import form_words, receipt_words
from laporhub.web.site import render, site_of, translator_of

router = APIRouter(include_in_schema=False)

ANSWERS = ("page", "phone", "letter")
"""How somebody at a counter may want the answer; the counter's connector knows the same words."""
_MUST = frozenset({"text"})
"""Without anything else a complaint is still taken: nobody is sent away."""


@router.get("/staff/desk/{channel}")
def desk_page(request: Request, session: Staff, channel: str, profile: str | None = None) -> Response:
    rulebook, _ = _desk(request, session, channel, profile)
    return _page(request, session, rulebook, channel, {}, {})


@router.post("/staff/desk/{channel}")
async def write_down(request: Request, session: Staff, channel: str, profile: str | None = None) -> Response:
    """Takes the form. What the standard asks for and is not there is pointed out once; then it is taken without."""
    site, t = site_of(request), translator_of(request, session.account)
    fields, files = await forms.read_upload(request)
    check_csrf(session, fields)
    rulebook, known = _desk(request, session, channel, profile)
    faults = forms.check_form(fields, rulebook, site.settings.now(), _MUST) | forms.check_files(files)
    if fields.get("answer_by") == "phone" and not fields.get("phone"):
        faults["phone"] = "empty"
    if not faults and "asked" not in fields:
        faults = dict.fromkeys(forms.unfilled(fields, forms.required_fields(rulebook, channel)), "ask")
    if faults:
        return _page(request, session, rulebook, channel, fields, faults, status=422)
    key = fields.get("key") or site.settings.new_key()
    body = forms.from_form(fields, rulebook.calendar.zone)
    inbound = forms.complaint(body, key[:200], rulebook.calendar.zone, files)
    try:
        receipt = await site.hub.receive(rulebook.name, channel, _wanted(inbound, known, fields))
    except (Refused, RetryLater) as error:
        said = words.refusal(error, t)
        page = _page(request, session, rulebook, channel, fields, {}, status=status_of(error), message=said)
        page.headers.update(retry_after(error))
        return page
    if not receipt.duplicate:
        title = history.channel_title(rulebook, channel, t)
        with suppress(LaporHubError):  # the complaint is safe: who wrote it down is not worth an error page
            await site.hub.note(
                receipt.case_id, t("Dicatat oleh petugas: %(channel)s", channel=title), session.actor
            )
    return await run_in_threadpool(_received, request, session, rulebook, channel, fields, receipt)


def _desk(request: Request, session: Session, channel: str, profile: str | None) -> tuple[Rulebook, Channel]:
    """The channel, if this person writes for it. Raises `NotFound`, whether it is not there or not theirs."""
    rulebook = profile_of(site_of(request), session.account, profile)
    if channel not in desks(rulebook, session.account.role):
        raise NotFound("There is no such desk, or it is not yours")
    return rulebook, rulebook.profile.channels[channel]


def _wanted(inbound: Inbound, channel: Channel, fields: Mapping[str, str]) -> Inbound:
    """With how the answer is wanted, where one can choose."""
    answer_by = fields.get("answer_by")
    if not _chooses(channel) or answer_by not in ANSWERS:
        return inbound
    return inbound.model_copy(update={"reply_to": answer_by})


def _chooses(channel: Channel) -> bool:
    return channel.desk == "counter" and channel.delivery == "push"


def _page(
    request: Request,
    session: Session,
    rulebook: Rulebook,
    channel: str,
    fields: Mapping[str, str],
    faults: Mapping[str, str],
    *,
    status: int = 200,
    message: str = "",
) -> Response:
    t = translator_of(request, session.account)
    known = rulebook.profile.channels[channel]
    return render(
        request,
        "desk.html",
        rulebook=rulebook,
        account=session.account,
        session=session,
        private=True,
        status=status,
        channel=channel,
        desk=known.desk,
        chooses=_chooses(known),
        title=history.channel_title(rulebook, channel, t),
        required=forms.required_fields(rulebook, channel),
        asked="ask" in faults.values() or "asked" in fields,
        **form_words(request, rulebook, fields, faults, message, t),
    )


def _received(
    request: Request,
    session: Session,
    rulebook: Rulebook,
    channel: str,
    fields: Mapping[str, str],
    receipt: Receipt,
) -> Response:
    """What to read out, or to print: the receipt in the reporter's hands is their key to the tracking page."""
    t = translator_of(request, session.account)
    known = rulebook.profile.channels[channel]
    return render(
        request,
        "desk_received.html",
        rulebook=rulebook,
        account=session.account,
        session=session,
        private=True,
        channel=channel,
        desk=known.desk,
        answer_by=fields.get("answer_by", "page") if _chooses(known) else known.delivery,
        title=history.channel_title(rulebook, channel, t),
        site=rulebook.profile.channels["web"].account if "web" in rulebook.profile.channels else "",
        **receipt_words(request, rulebook, receipt, t),
    )
