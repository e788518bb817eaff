"""Who is at the desk: signed-in staff, what they may see, and the queries that keep them to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from laporhub.pipeline.access import events_as_seen, eyes_of, state_as_seen
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.errors import Forbidden, NotFound
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.ids import parse_ticket
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.staff import Account
from laporhub.pipeline.tracking import Page, Query
from laporhub.pipeline.workflow import may_see, queue_statuses
from laporhub.web import forms
from laporhub.web.guard import CsrfMismatch, csrf_token, same
from laporhub.web.problems import NotSignedInError
from laporhub.web.site import Site, site_of
from laporhub.web.tracking import find_case

NOBODY = "-"
"""A unit that does not exist: the scope of an account without one."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. `csrf` is the token of their forms; None for an API token, which needs none."""

    account: Account
    secret: str | None
    csrf: str | None

    @property
    def actor(self) -> Actor:
        return Actor(id=self.account.username, role=self.account.role, unit=self.account.unit)


def session_cookie(site: Site) -> str:
    """The cookie's name; over HTTPS with the prefix that keeps other hosts from setting it."""
    return "__Host-laporhub" if site.settings.cookie_secure else "laporhub"


def by_session(request: Request) -> Session:
    """The person behind the session cookie. Raises `NotSignedInError`. Blocking."""
    site = site_of(request)
    secret = request.cookies.get(session_cookie(site), "")
    account = site.hub.accounts.session(secret, site.settings.now()) if secret else None
    if account is None:
        raise NotSignedInError
    return Session(_at_work(request, account), secret, csrf_token(site.settings.secret_key, secret))


def by_token_or_session(request: Request) -> Session:
    """The person behind an API token, else behind the session cookie. Blocking.

    A session is only taken from this site's own pages: a browser says when another site sends it.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        account = (
            site_of(request).hub.accounts.bearer(token.strip(), site_of(request).settings.now())
            if scheme.lower() == "bearer"
            else None
        )
        if account is None:
            raise NotSignedInError
        return Session(_at_work(request, account), None, None)
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise NotSignedInError
    return by_session(request)


Staff = Annotated[Session, Depends(by_session)]
Caller = Annotated[Session, Depends(by_token_or_session)]


def check_csrf(session: Session, fields: Mapping[str, str]) -> None:
    if session.csrf is None or not same(fields.get("csrf"), session.csrf):
        raise CsrfMismatch("The form is not from this session: load the page again")


def _at_work(request: Request, account: Account) -> Account:
    """The account as it is in the profile that the request is about: what it is elsewhere gives no rights there."""
    if not account.posts:
        return account
    site, ticket = site_of(request), request.path_params.get("ticket")
    state = find_case(site, ticket) if ticket else None
    mine = [book.name for book in profiles_of(site, account)]
    wanted = state.profile if state else request.query_params.get("profile") or next(iter(mine), "")
    return account.at(wanted)


# ── scope ────────────────────────────────────────────────────────────────────────────────────────


def profiles_of(site: Site, account: Account) -> list[Rulebook]:
    """The served profiles in which the account has its role."""
    return [
        rulebook
        for name, rulebook in site.hub.rulebooks.items()
        if name in account.profiles and account.at(name).role in rulebook.profile.roles
    ]


def profile_of(site: Site, account: Account, wanted: str | None) -> Rulebook:
    """The profile asked for, or the account's first. Raises `Forbidden`."""
    mine = profiles_of(site, account)
    found = next((rulebook for rulebook in mine if wanted in (None, "", rulebook.name)), None)
    if found is None or account.at(found.name) != account:
        raise Forbidden("The account has no role in this profile")
    return found


def scope(rulebook: Rulebook, account: Account) -> Query:
    """All cases of the profile that the account may see."""
    role = rulebook.profile.roles[account.role]
    return Query(
        profiles=(rulebook.name,),
        channels=role.channels if role.scope == "channels" else (),
        units=(account.unit or NOBODY,) if role.scope == "unit" else (),
        private=None if role.sees_private else False,
    )


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader narrows a list to; empty means any."""

    status: str = ""
    unit: str = ""
    channel: str = ""
    q: str = ""
    overdue: bool | None = None
    cursor: str | None = None


def narrow(query: Query, filters: Filters) -> Query:
    """The query within its scope: a filter can only take away."""
    return replace(
        query,
        statuses=(filters.status,) if filters.status else query.statuses,
        units=_within(query.units, filters.unit),
        channels=_within(query.channels, filters.channel),
        text=forms.clean(filters.q)[:200],
        overdue=filters.overdue,
        cursor=filters.cursor or None,
    )


def _within(scope: tuple[str, ...], wanted: str) -> tuple[str, ...]:
    if not wanted:
        return scope
    return (wanted,) if not scope or wanted in scope else (NOBODY,)


def work(rulebook: Rulebook, account: Account) -> tuple[str, ...]:
    """The states that wait for this account's role."""
    return queue_statuses(rulebook, account.role)


@dataclass(frozen=True, slots=True)
class Menu:
    """What stands at the top of staff's pages beside the queue."""

    undelivered: int
    channels: bool
    notices: int = 0
    """Not read yet."""


def menu(site: Site, account: Account, rulebook: Rulebook) -> Menu:
    """Blocking."""
    query = replace(scope(rulebook, account), undelivered=True)
    counted = site.hub.tracking.count(query, "status", site.settings.now())
    unread = site.hub.unread_notices(rulebook.name, account)
    return Menu(sum(counted.values()), sees_channels(rulebook, account), unread)


def sees_channels(rulebook: Rulebook, account: Account) -> bool:
    """Whoever works on cases of all units, or of a channel."""
    return rulebook.profile.roles[account.role].scope != "unit"


def case_for(site: Site, session: Session, ticket: str) -> tuple[Rulebook, CaseState]:
    """The case as this person may see it. Raises `NotFound`, whether it is not there or not theirs."""
    state = find_case(site, ticket)
    account = session.account
    if state is not None and state.profile in account.profiles and account.at(state.profile) == account:
        rulebook = site.rulebook_of(state)
        if may_see(rulebook, state, session.actor):
            return rulebook, state_as_seen(state, eyes_of(rulebook, session.account.role))
    raise NotFound("There is no such case, or it is not yours to see")


def events_for(site: Site, session: Session, rulebook: Rulebook, state: CaseState) -> list[CaseEvent]:
    """The case's history as this person may see it. Blocking."""
    return events_as_seen(rulebook, site.hub.events(state.id), eyes_of(rulebook, session.account.role))


def files_for(site: Site, session: Session, rulebook: Rulebook, state: CaseState) -> Sequence[CaseFile]:
    """The case's files as this person may see them. Blocking."""
    hides = eyes_of(rulebook, session.account.role).hides
    if "files" in hides:
        return ()
    found = site.hub.files(state.id)
    return [replace(each, lat=None, lon=None) for each in found] if "place" in hides else found


def found_for(rulebook: Rulebook, account: Account, page: Page) -> Page:
    """A page of cases as this person may see them."""
    eyes = eyes_of(rulebook, account.role)
    return replace(page, cases=[state_as_seen(state, eyes) for state in page.cases])


def sought_by(rulebook: Rulebook, account: Account, typed: str) -> str:
    """What may be searched for: who is spared the words finds no case by them."""
    blind = "text" in eyes_of(rulebook, account.role).hides
    return "" if blind and parse_ticket(typed) is None else typed
