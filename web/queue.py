"""The staff's work list: what waits for one's role, filtered by links, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.rude import masked
from laporhub.pipeline.staff import Account
from laporhub.pipeline.tracking import Query, Tracking
from laporhub.pipeline.workflow import is_unread
from laporhub.web import history, words
from laporhub.web.delivery import why
from laporhub.web.desk import (
    NOBODY,
    Filters,
    Staff,
    found_for,
    menu,
    narrow,
    profile_of,
    profiles_of,
    scope,
    sought_by,
    work,
)
from laporhub.web.i18n import Translator
from laporhub.web.site import render, site_of, translator_of

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One case in the list, in words."""

    state: CaseState
    urgency: str
    age: str
    due: str
    left: str
    late: bool
    place: str
    suggestion: str
    status: str
    summary: str
    unread: bool
    failed: str


@dataclass(frozen=True, slots=True)
class Link:
    """A filter as a link; `count` is how many cases are behind it."""

    title: str
    href: str
    count: int | None
    current: bool


@router.get("/staff", name="queue")
def queue(
    request: Request,
    session: Staff,
    profile: str | None = None,
    tab: str = "",
    status: str = "",
    unit: str = "",
    channel: str = "",
    q: str = "",
    cursor: str | None = None,
) -> Response:
    site, account = site_of(request), session.account
    t, now = translator_of(request, account), site.settings.now()
    rulebook = profile_of(site, account, profile)
    mine = work(rulebook, account)
    tab = (
        tab
        if tab in ("mine", "helping", "late", "attention", "undelivered", "all")
        else "mine"
        if mine and not (status or q or unit or channel)
        else "all"
    )
    q = sought_by(rulebook, account, q)
    filters = Filters(status, unit, channel, q, True if tab == "late" else None, cursor)
    all_mine = scope(rulebook, account)
    shown = replace(
        all_mine,
        statuses=mine if tab == "mine" else (),
        units=() if tab == "helping" else all_mine.units,
        helping=_asked_of(rulebook, account) if tab == "helping" else (),
        attention=True if tab == "attention" else None,
        undelivered=True if tab == "undelivered" else None,
    )
    query = narrow(replace(shown, limit=PAGE_SIZE), filters)
    page = found_for(rulebook, account, site.hub.tracking.find(query, now))
    address = _Address(rulebook, tab, filters)
    counts = {name: site.hub.tracking.count(all_mine, name, now) for name in ("status", "channel", "unit")}
    return render(
        request,
        "queue.html",
        rulebook=rulebook,
        account=account,
        session=session,
        private=True,
        rows=[_row(rulebook, state, now, t) for state in page.cases],
        total=page.total,
        tabs=_tabs(site.hub.tracking, all_mine, counts["status"], mine, address, now, t),
        statuses=_by(counts["status"], "status", rulebook, address, t),
        channels=_by(counts["channel"], "channel", rulebook, address, t),
        units=_by(counts["unit"], "unit", rulebook, address, t),
        filters=filters,
        tab=tab,
        following=address(cursor=page.cursor) if page.cursor else None,
        first=address(cursor=None) if cursor else None,
        unfiltered=address(status="", unit="", channel="", q="", cursor=None),
        profiles=profiles_of(site, account),
        menu=menu(site, account, rulebook),
    )


@dataclass(frozen=True, slots=True)
class _Address:
    """The list's address with some of its filters changed."""

    rulebook: Rulebook
    tab: str
    filters: Filters

    def __call__(self, *, tab: str | None = None, **changes: str | None) -> str:
        kept = {name: value for name, value in asdict(self.filters).items() if name != "overdue"}
        query = {"profile": self.rulebook.name, "tab": tab or self.tab, **kept, **changes}
        return "/staff?" + urlencode({name: value for name, value in query.items() if value})


def _tabs(
    tracking: Tracking,
    query: Query,
    by_status: Mapping[str, int],
    mine: tuple[str, ...],
    address: _Address,
    now: datetime,
    t: Translator,
) -> list[Link]:
    late = tracking.count(replace(query, overdue=True), "status", now)
    attention = tracking.count(replace(query, attention=True), "status", now)
    undelivered = tracking.count(replace(query, undelivered=True), "status", now)
    helping = (
        tracking.count(replace(query, units=(), helping=query.units), "status", now) if query.units else {}
    )
    tabs = [
        ("mine", t("Perlu tindakan saya"), sum(by_status.get(status, 0) for status in mine)),
        ("helping", t("Diminta membantu"), sum(helping.values())),
        ("late", t("Lewat tenggat"), sum(late.values())),
        ("attention", t("Pesan baru, gagal terkirim"), sum(attention.values())),
        ("undelivered", t("Gagal terkirim"), sum(undelivered.values())),
        ("all", t("Semua"), sum(by_status.values())),
    ]
    return [
        Link(title, address(tab=name, status="", cursor=None), number, name == address.tab)
        for name, title, number in tabs
        if (name != "mine" or mine) and (name != "helping" or query.units)
    ]


def _asked_of(rulebook: Rulebook, account: Account) -> tuple[str, ...]:
    """The units whose part may be asked for here: the account's own, and never none, which would mean any."""
    return scope(rulebook, account).units or (NOBODY,)


def _by(
    counts: Mapping[str, int], name: str, rulebook: Rulebook, address: _Address, t: Translator
) -> list[Link]:
    """The values of one filter that have cases, each as a link that sets it, or takes it away again."""
    titles = {
        "status": lambda value: history.status_title(rulebook, value, t),
        "channel": lambda value: history.channel_title(rulebook, value, t),
        "unit": lambda value: history.unit_short(rulebook, value),
    }
    current = getattr(address.filters, name)
    links = [
        Link(
            titles[name](value),
            address(tab="all", cursor=None, **{name: "" if value == current else value}),
            number,
            value == current,
        )
        for value, number in counts.items()
        if value
    ]
    if name != "status":
        return sorted(links, key=lambda link: (-(link.count or 0), link.title))
    order = list(rulebook.profile.states)
    known = [value for value in counts if value]
    return [
        link for _, link in sorted(zip(known, links, strict=True), key=lambda pair: _rank(order, pair[0]))
    ]


def _rank(order: list[str], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _why_failed(state: CaseState, t: Translator) -> str:
    """Why the newest replies did not arrive; empty if they did."""
    newest = {reply.purpose: reply for reply in state.replies.values()}
    failed = [why(each.reason, t) for each in newest.values() if each.status == "failed"]
    return ", ".join(dict.fromkeys(failed))


def _by_photo(state: CaseState, t: Translator) -> str:
    region = words.photo_region(state)
    return t("%(place)s (menurut foto)", place=region) if region else ""


def _row(rulebook: Rulebook, state: CaseState, now: datetime, t: Translator) -> Row:
    rulebook = rulebook.of(state)
    first = next(iter(words.running(state)), None)
    best = state.suggestion.units[0] if state.suggestion and state.suggestion.units else None
    if state.unit:
        towards = history.unit_short(rulebook, state.unit)
    elif best:
        towards = f"{history.unit_short(rulebook, best.unit)} ({best.probability:.0%})"
    else:
        towards = ""
    return Row(
        state=state,
        urgency=state.suggestion.urgency if state.suggestion else "normal",
        age=words.span(now - state.opened_at, t),
        due=words.date_time(first[1].due_at, rulebook, t) if first else "",
        left=words.time_left(first[0], first[1].due_at, now, rulebook, t) if first else "",
        late=words.is_late(state, now),
        place=words.place(state) or _by_photo(state, t),
        suggestion=towards,
        status=history.status_title(rulebook, state.status, t),
        summary=masked(" ".join(state.text.split())[:140]),
        unread=is_unread(state),
        failed=_why_failed(state, t),
    )
