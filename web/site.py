"""What every request handler works with: the hub, the settings, and pages in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.hub_port import HubPort
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import Text, say
from laporhub.pipeline.staff import Account
from laporhub.pipeline.workflow import desks
from laporhub.web import words
from laporhub.web.assets import asset_url
from laporhub.web.guard import Attempts, Line
from laporhub.web.i18n import LANGUAGES, SOURCE_LANGUAGE, Translator, translator
from laporhub.web.metrics import Metrics
from laporhub.web.settings import WebSettings

LANGUAGE_COOKIE = "bahasa"
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Site:
    """The application's parts; one per application, in `app.state.site`."""

    hub: HubPort
    settings: WebSettings
    metrics: Metrics = field(default_factory=Metrics)
    attempts: Attempts = field(default_factory=Attempts)
    sign_ins: Line = field(default_factory=Line)

    def rulebook(self, profile: str | None = None) -> Rulebook:
        """The named profile's rules, or the default's. Raises `NotFound`."""
        if profile is None:
            return next(iter(self.hub.rulebooks.values()))
        if profile not in self.hub.rulebooks:
            raise NotFound(f"There is no profile {profile!r} here")
        return self.hub.rulebooks[profile]

    def rulebook_of(self, state: CaseState) -> Rulebook:
        """The rules of a case: those under which it was opened."""
        return self.rulebook(state.profile).of(state)

    def home(self, rulebook: Rulebook) -> str:
        """The address of a profile's public form."""
        return "/" if rulebook.name == self.rulebook().name else f"/p/{rulebook.name}/"


def site_of(request: Request) -> Site:
    site = request.app.state.site
    assert isinstance(site, Site)  # noqa: S101
    return site


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("laporhub.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    t = translator(language)
    environment.install_gettext_callables(t.gettext, t.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(asset_url=asset_url, languages=LANGUAGES, t=t)
    return environment


def language_of(request: Request, account: Account | None = None) -> str:
    """What the reader just chose, chose before, or has in their account; else Indonesian."""
    chosen = (
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        account.language if account else None,
    )
    return next((language for language in chosen if language in LANGUAGES), SOURCE_LANGUAGE)


def translator_of(request: Request, account: Account | None = None) -> Translator:
    return translator(language_of(request, account))


def _switch(request: Request, language: str) -> str:
    """This page in another language; of a submitted form, the page it was on."""
    url = request.url.include_query_params(lang=language)
    return f"{quote(url.path)}?{url.query}"


def render(
    request: Request,
    template: str,
    *,
    rulebook: Rulebook | None = None,
    account: Account | None = None,
    status: int = 200,
    private: bool = False,
    **context: Any,
) -> HTMLResponse:
    """A page. `private` ones are not kept by any cache and not found by search engines."""
    site = site_of(request)
    rulebook = rulebook or site.rulebook()
    language = language_of(request, account)
    now = site.settings.now()
    t = translator(language)

    def text(value: Text) -> str:
        return say(value, language, rulebook.language)

    page = _environment(language).get_template(template)
    html = page.render(
        request=request,
        rulebook=rulebook,
        profile=rulebook.profile,
        others=[other for other in site.hub.rulebooks.values() if other.name != rulebook.name],
        home=site.home,
        account=account,
        desks=desks(rulebook, account.role) if account else (),
        language=language,
        switch=lambda other: _switch(request, other),
        say=text,
        now=now,
        at=lambda moment: words.date_time(moment, rulebook, t),
        ago=lambda moment: words.ago(moment, now, t),
        demo=site.settings.demo,
        private=private,
        **context,
    )
    response = HTMLResponse(html, status_code=status)
    response.headers["Cache-Control"] = "no-store" if private else "no-cache"
    if private:
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=_YEAR, samesite="lax", secure=site.settings.cookie_secure
        )
    return response
