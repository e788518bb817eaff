"""What the names in figures are called on paper. A name that the profile no longer knows stands for itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date, format_datetime
from babel.units import format_unit

from laporhub.pipeline.figures import Report
from laporhub.pipeline.periods import Period, parse_period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_time import Limit
from laporhub.pipeline.profile.section import Text, say
from laporhub.reports.parts import Translate

_ZONES = {"Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}
_TIME = {"id": "d MMMM y HH.mm", "en": "d MMMM y HH:mm"}


@dataclass(frozen=True, slots=True)
class Names:
    """Of one profile, in one language."""

    rulebook: Rulebook
    t: Translate

    def say(self, text: Text) -> str:
        return say(text, self.t.language, self.rulebook.language)

    def channel(self, name: str) -> str:
        known = self.rulebook.profile.channels.get(name)
        return self.say(known.title) if known else name

    def status(self, name: str) -> str:
        known = self.rulebook.profile.states.get(name)
        return self.say(known.title) if known else name

    def unit(self, name: str) -> str:
        known = self.rulebook.units.get(name)
        return known.title if known else name or self.t("Belum didisposisi")

    def unit_short(self, name: str) -> str:
        known = self.rulebook.units.get(name)
        return (known.short or known.title) if known else name or self.t("Belum didisposisi")

    def topic(self, name: str) -> str:
        return name[:1].upper() + name[1:] if name else self.t("Tanpa topik")

    def urgency(self, name: str) -> str:
        t = self.t
        return {"normal": t("Biasa"), "high": t("Mendesak"), "critical": t("Darurat")}.get(name, name)

    def place(self, code: str) -> str:
        """A region by its official code: as the unit that governs it is called."""
        if not code:
            return self.t("Tidak diketahui")
        for unit in self.rulebook.units.values():
            if unit.territory and code in unit.territory.codes:
                return unit.short or unit.title
        return code

    def clock(self, name: str) -> str:
        known = self.rulebook.profile.clocks.get(name)
        return self.say(known.title) if known else name

    def limit(self, name: str) -> str:
        known = self.rulebook.profile.clocks.get(name)
        return self._limit(known.limit) if known else ""

    def _limit(self, limit: Limit) -> str:
        if limit.working_days:
            return self.t.many("%(count)s hari kerja", "%(count)s hari kerja", limit.working_days)
        unit, length = next(
            (unit, length)
            for unit, length in (("minute", limit.minutes), ("hour", limit.hours), ("day", limit.days))
            if length
        )
        return format_unit(length, f"duration-{unit}", locale=self.t.language)

    def reason(self, value: str) -> str:
        """Why a case was rejected, as the form had it."""
        for step in self.rulebook.profile.transitions.values():
            for form in step.fields.values() if step.danger else ():
                if form.options and value in form.options:
                    return self.say(form.options[value])
        return value or self.t("Tanpa alasan")

    def period(self, name: str) -> str:
        """ "Oktober 2026", "Triwulan IV 2026", "Tahun 2026", "5 Oktober 2026 – 20 Oktober 2026"."""
        return _period(parse_period(name, self.rulebook.calendar.zone), self.t)

    def part(self, name: str) -> str:
        """A day or a month of a chart."""
        if len(name) == len("2026-10"):
            return format_date(date.fromisoformat(f"{name}-01"), "MMM y", locale=self.t.language)
        return format_date(date.fromisoformat(name), "d/M", locale=self.t.language)

    def moment(self, at: datetime) -> str:
        zone = self.rulebook.profile.time_zone
        local = format_datetime(
            at, _TIME[self.t.language], tzinfo=self.rulebook.calendar.zone, locale=self.t.language
        )
        return f"{local} {_ZONES.get(zone, zone)}"

    def subject(self, report: Report) -> str:
        title = self.say(self.rulebook.profile.title)
        return f"{title} · {self.unit(report.unit)}" if report.unit else title


def _period(period: Period, t: Translate) -> str:
    match period.kind:
        case "month":
            return format_date(period.first, "MMMM y", locale=t.language)
        case "quarter":
            roman = ("I", "II", "III", "IV")[(period.first.month - 1) // 3]
            return t("Triwulan %(number)s %(year)s", number=roman, year=period.first.year)
        case "year":
            return t("Tahun %(year)s", year=period.first.year)
        case "days":
            first, last = (
                format_date(day, "d MMMM y", locale=t.language) for day in (period.first, period.last)
            )
            return first if first == last else f"{first} – {last}"
