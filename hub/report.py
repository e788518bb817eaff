"""The evaluation report of a period: volumes, how the clocks were kept, what reporters thought."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.tracking import Query

_PAGE = 500


@dataclass
class ClockCount:
    """How one clock of the standard was kept: stopped in time or late, still running in time or overdue."""

    in_time: int = 0
    late: int = 0
    running: int = 0
    overdue: int = 0


@dataclass
class Report:
    """Counts over the cases opened from `start` (included) to `end` (excluded), local midnights."""

    profile: str
    period: str
    start: datetime
    end: datetime
    cases: int = 0
    by_channel: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_unit: Counter[str] = field(default_factory=Counter)
    by_topic: Counter[str] = field(default_factory=Counter)
    by_urgency: Counter[str] = field(default_factory=Counter)
    ratings: Counter[int] = field(default_factory=Counter)
    clocks: dict[str, ClockCount] = field(default_factory=dict)
    disposed: int = 0
    suggested_right: int = 0
    """Of the disposed, how many went to the classifier's first suggestion."""

    def as_json(self) -> dict[str, object]:
        counted = asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}
        counted["ratings"] = {str(stars): number for stars, number in sorted(self.ratings.items())}
        for name in ("by_channel", "by_status", "by_unit", "by_topic", "by_urgency"):
            counted[name] = dict(getattr(self, name).most_common())
        return counted


def span(period: str, zone: str) -> tuple[datetime, datetime]:
    """Start and end of `2026`, `2026-Q4` or `2026-10`, as UTC. Raises `Refused`."""
    found = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", period)
    if found is None:
        raise Refused(f"{period!r} is no period: write 2026-10, 2026-Q4 or 2026", code="bad_period")
    year, quarter, month = int(found[1]), found[2], found[3]
    first, months = (int(month), 1) if month else (3 * int(quarter) - 2, 3) if quarter else (1, 12)
    last = first + months
    start = datetime(year, first, 1, tzinfo=ZoneInfo(zone))
    end = datetime(year + (last > 12), (last - 1) % 12 + 1, 1, tzinfo=ZoneInfo(zone))
    return start.astimezone(UTC), end.astimezone(UTC)


def make_report(hub: Hub, profile: str, period: str) -> Report:
    """Counts the period's cases. Blocking."""
    start, end = span(period, hub.rulebooks[profile].profile.time_zone)
    report, now = Report(profile, period, start, end), hub.now()
    for state in _cases(hub, profile, start, end):
        _count(report, state, now)
    return report


def _cases(hub: Hub, profile: str, start: datetime, end: datetime) -> Iterator[CaseState]:
    cursor = None
    while True:
        query = Query(
            (profile,), opened_from=start, opened_to=end, order="oldest", cursor=cursor, limit=_PAGE
        )
        page = hub.tracking.find(query, hub.now())
        yield from page.cases
        cursor = page.cursor
        if cursor is None:
            return


def _count(report: Report, state: CaseState, now: datetime) -> None:
    report.cases += 1
    report.by_channel[state.channel] += 1
    report.by_status[state.status] += 1
    if state.unit:
        report.by_unit[state.unit] += 1
    if state.rating:
        report.ratings[state.rating] += 1
    if (suggestion := state.suggestion) is not None:
        report.by_urgency[suggestion.urgency] += 1
        if suggestion.topic:
            report.by_topic[suggestion.topic] += 1
        if state.unit:
            report.disposed += 1
            report.suggested_right += bool(suggestion.units) and suggestion.units[0].unit == state.unit
    for name, clock in state.clocks.items():
        counted = report.clocks.setdefault(name, ClockCount())
        if clock.status == "stopped":
            counted.late += clock.late
            counted.in_time += not clock.late
        elif clock.status == "running" and clock.due_at < now:
            counted.overdue += 1
        else:
            counted.running += 1


_HTML = Environment(autoescape=True).from_string("""<!doctype html>
<html lang="id"><meta charset="utf-8"><title>{{ title }} {{ report.period }}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a2230}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d5dae3}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{background:#2b5c9e;height:.7rem;border-radius:.2rem;min-width:2px}
</style>
<h1>Laporan evaluasi {{ title }}</h1>
<p>Periode {{ report.period }} · {{ report.cases }} aduan{% if report.disposed %} ·
saran pertama tepat pada {{ report.suggested_right }} dari {{ report.disposed }} disposisi{% endif %}</p>
<h2>Standar waktu</h2>
<table><tr><th>Batas waktu<th class=n>Tepat waktu<th class=n>Terlambat<th class=n>Berjalan<th class=n>Lewat tenggat</tr>
{% for name, c in clocks %}<tr><td>{{ name }}<td class=n>{{ c.in_time }}<td class=n>{{ c.late }}
<td class=n>{{ c.running }}<td class=n>{{ c.overdue }}</tr>{% endfor %}</table>
{% for heading, rows in tables %}<h2>{{ heading }}</h2>
<table>{% for name, number in rows %}<tr><td>{{ name }}<td class=n>{{ number }}
<td style="width:50%"><div class=bar style="width:{{ (100 * number / rows[0][1]) | round(1) }}%"></div></tr>
{% else %}<tr><td>Tidak ada</tr>{% endfor %}</table>{% endfor %}
</html>""")


def as_html(report: Report, rulebook: Rulebook, language: str = "id") -> str:
    """The report as one self-contained page."""
    profile = rulebook.profile
    named = {
        "Menurut kanal": {n: say(c.title, language) for n, c in profile.channels.items()},
        "Menurut status": {n: say(s.title, language) for n, s in profile.states.items()},
        "Menurut instansi": {n: u.title for n, u in rulebook.units.items()},
        "Menurut topik": {},
    }
    counts = (report.by_channel, report.by_status, report.by_unit, report.by_topic)
    tables = [
        (heading, [(names.get(name, name), number) for name, number in counted.most_common()])
        for (heading, names), counted in zip(named.items(), counts, strict=True)
    ]
    clocks = [
        (say(profile.clocks[name].title, language) if name in profile.clocks else name, counted)
        for name, counted in report.clocks.items()
    ]
    return _HTML.render(report=report, title=say(profile.title, language), tables=tables, clocks=clocks)
