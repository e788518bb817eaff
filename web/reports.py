"""Evaluation reports for leaders and the complaint office; a unit's people see their own unit's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.errors import Forbidden, NotFound, Refused
from laporhub.pipeline.figures import Report
from laporhub.pipeline.periods import Every, Period, latest, parse_period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.staff import Account
from laporhub.reports.document import document
from laporhub.reports.html import body, style
from laporhub.reports.names import Names
from laporhub.reports.render import MEDIA_TYPES, render
from laporhub.web.delivery import why
from laporhub.web.desk import Staff, menu, profile_of, profiles_of
from laporhub.web.history import unit_short
from laporhub.web.i18n import Translator
from laporhub.web.site import Site, site_of, translator_of
from laporhub.web.site import render as render_page

router = APIRouter(include_in_schema=False)

_OFFERED: Final[tuple[tuple[Every, int], ...]] = (("month", 13), ("quarter", 5), ("year", 3))
"""How many of each kind are offered, with the one that is running."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a list."""

    value: str
    label: str
    current: bool


def unit_of(rulebook: Rulebook, account: Account, wanted: str) -> str | None:
    """The unit that is reported on, None for all. Raises `Forbidden`, and `NotFound` for a unit that there is not."""
    if rulebook.profile.roles[account.role].scope == "unit":
        if account.unit is None or wanted not in ("", account.unit):
            raise Forbidden("This role sees its own unit's reports only")
        return account.unit
    if wanted and wanted not in rulebook.units:
        raise NotFound(f"There is no unit {wanted!r}")
    return wanted or None


@router.get("/staff/reports", name="reports")
def reports(
    request: Request,
    session: Staff,
    profile: str | None = None,
    period: str = "",
    first: str = "",
    last: str = "",
    unit: str = "",
) -> Response:
    """The report of a period; without one, of the newest month that is over."""
    site, account = site_of(request), session.account
    t, now = translator_of(request, account), site.settings.now()
    rulebook = profile_of(site, account, profile)
    only, zone = unit_of(rulebook, account, unit), rulebook.calendar.zone
    asked, fault = _asked(period, first, last, now, zone, t)
    report = site.hub.report(rulebook.name, asked, only)
    return render_page(
        request,
        "reports.html",
        rulebook=rulebook,
        account=account,
        session=session,
        private=True,
        status=422 if fault else 200,
        fault=fault,
        report=report,
        body=body(document(report, rulebook, t), t),
        groups=_choices(asked, now, zone, Names(rulebook, t), t),
        units=_units(rulebook, only) if rulebook.profile.roles[account.role].scope != "unit" else (),
        first=first if fault else report.first.isoformat(),
        last=last if fault else report.last.isoformat(),
        files=[(form, _address(report, form)) for form in MEDIA_TYPES],
        posts=_posts(site, rulebook, account, asked, t),
        profiles=profiles_of(site, account),
        menu=menu(site, account, rulebook),
    )


def _asked(
    period: str, first: str, last: str, now: datetime, zone: ZoneInfo, t: Translator
) -> tuple[Period, str]:
    """The period, and what was wrong with the one that was asked for. Days that were typed come before the list."""
    default = latest("month", now, zone)
    written = period if period != "days" else f"{first}..{last}"
    try:
        return (parse_period(written, zone) if written else default), ""
    except Refused:
        return default, t(
            "Periode itu tidak ada. Pilih dari daftar, atau isi dua tanggal: yang kedua tidak sebelum yang pertama, "
            "paling lama tiga tahun."
        )


def _choices(
    asked: Period, now: datetime, zone: ZoneInfo, names: Names, t: Translator
) -> list[tuple[str, list[Choice]]]:
    titles = {"month": t("Bulan"), "quarter": t("Triwulan"), "year": t("Tahun")}
    found = [
        (
            titles[every],
            [
                Choice(each.name, names.period(each.name), each == asked)
                for each in _back(every, many, now, zone)
            ],
        )
        for every, many in _OFFERED
    ]
    known = any(choice.current for _, choices in found for choice in choices)
    if asked.kind != "days" and not known:
        found.append((t("Dipilih"), [Choice(asked.name, names.period(asked.name), True)]))
    return found


def _back(every: Every, many: int, now: datetime, zone: ZoneInfo) -> Iterator[Period]:
    """The running one, and those before it."""
    over = latest(every, now, zone)
    yield parse_period(_following(over), zone)
    for _ in range(many - 1):
        yield over
        over = over.before


def _following(period: Period) -> str:
    day = period.last + _DAY
    match period.kind:
        case "quarter":
            return f"{day:%Y}-Q{(day.month + 2) // 3}"
        case "year":
            return f"{day:%Y}"
        case _:
            return f"{day:%Y-%m}"


def _units(rulebook: Rulebook, only: str | None) -> list[Choice]:
    named = [Choice(name, unit.title, name == only) for name, unit in rulebook.units.items()]
    return sorted(named, key=lambda choice: choice.label)


@dataclass(frozen=True, slots=True)
class Sent:
    """To whom a report went by e-mail, in words."""

    receiver: str
    unit: str
    status: str
    at: datetime
    why: str
    failed: bool


def _posts(site: Site, rulebook: Rulebook, account: Account, period: Period, t: Translator) -> list[Sent]:
    """For those who see all units' reports."""
    if rulebook.profile.roles[account.role].scope == "unit":
        return []
    words = {
        "pending": t("menunggu"),
        "sending": t("sedang dikirim"),
        "sent": t("terkirim"),
        "failed": t("gagal"),
    }
    return [
        Sent(
            receiver=post.receiver,
            unit=unit_short(rulebook, post.unit) if post.unit else "",
            status=words[post.status],
            at=post.at,
            why=why(post.reason, t) if post.reason else "",
            failed=post.status == "failed",
        )
        for post in site.hub.report_posts(rulebook.name, period)
    ]


def _address(report: Report, form: str) -> str:
    asked = {"profile": report.profile} | ({"unit": report.unit} if report.unit else {})
    return f"/staff/reports/{quote(report.period)}/{form}?{urlencode(asked)}"


@router.get("/staff/reports/report.css", name="report_style")
def report_style() -> Response:
    return Response(style(), media_type="text/css", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/staff/reports/{period}/{form}", name="report_file")
def report_file(
    request: Request, session: Staff, period: str, form: str, profile: str | None = None, unit: str = ""
) -> Response:
    """The report as a file. Raises `NotFound` for a form that there is not, `Refused` for a period."""
    site, account = site_of(request), session.account
    rulebook = profile_of(site, account, profile)
    only = unit_of(rulebook, account, unit)
    if form not in MEDIA_TYPES:
        raise NotFound(f"A report comes as {', '.join(MEDIA_TYPES)}")
    report = site.hub.report(rulebook.name, parse_period(period, rulebook.calendar.zone), only)
    file = render(report, rulebook, form, translator_of(request, account))
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.data, media_type=file.media_type, headers=headers)
