"""The leaders' page: months, from events only.

Events hold no words of anybody, and a month that is over stays as it was.
"""

from __future__ import annotations

from laporhub.dashboards.conditions import Condition, Is, Not, every
from laporhub.dashboards.describe import (
    EVENTS,
    Average,
    Bars,
    By,
    Control,
    Count,
    Dashboard,
    Distinct,
    Donut,
    Lines,
    Metric,
    Over,
    Row,
    Share,
    Table,
    words,
)
from laporhub.pipeline.profile.rulebook import Rulebook

OPENED_EVENT = Is("kind", "opened")
RATED = Is("kind", "rated")
STEP = Is("kind", "transitioned")
ESCALATED = every(Is("kind", "clock_alarmed"), Is("late", True))
MONTHLY = Over("time", "1M")


def leaders(rulebook: Rulebook) -> Dashboard:
    """Totals, promptness, satisfaction, what people complain about."""
    finals = tuple(name for name, state in rulebook.profile.states.items() if state.final)
    # A step from one end to another, as a rating, ends nothing.
    ended = every(STEP, Is("status_to", finals), Not(Is("status_from", finals)))
    received = Count(words("Masuk", "Received"), OPENED_EVENT)
    closed = Distinct(words("Selesai", "Closed"), "case_id", ended)
    prompt = _prompt(rulebook)
    rating = Average(words("Nilai pelapor (1–5)", "Rating (1–5)"), "rating", RATED)
    overdue = Distinct(words("Aduan terlambat", "Late cases"), "case_id", ESCALATED)
    cases = Distinct(words("Aduan", "Cases"), "case_id")
    return Dashboard(
        "report",
        words("Laporan pimpinan", "Leaders' report"),
        words(
            "Berapa aduan sebulan, berapa tepat waktu, seberapa puas pelapor, apa yang paling banyak diadukan?",
            "How many a month, how many in time, how content are reporters, what do they complain about?",
        ),
        (
            Row(
                5,
                (
                    Metric(words("Aduan masuk", "Received"), EVENTS, received),
                    Metric(words("Aduan selesai", "Closed"), EVENTS, closed),
                    Metric(words("Tepat waktu", "In time"), EVENTS, prompt),
                    Metric(words("Aduan terlambat", "Late cases"), EVENTS, overdue),
                    Metric(words("Kepuasan pelapor", "Satisfaction"), EVENTS, rating),
                ),
            ),
            Row(
                12,
                (
                    Bars(
                        words("Masuk dan selesai per bulan", "Received and closed per month"),
                        EVENTS,
                        MONTHLY,
                        (received, closed),
                    ),
                    Lines(
                        words("Tepat waktu per bulan menurut tenggat", "In time per month, by limit"),
                        EVENTS,
                        MONTHLY,
                        (prompt,),
                        split=By("clock"),
                        where=_measured(rulebook),
                    ),
                ),
            ),
            Row(
                12,
                (
                    Bars(
                        words("Topik terbanyak", "Busiest topics"),
                        EVENTS,
                        By("topic", size=12),
                        (cases,),
                        where=Is("kind", "classified"),
                    ),
                    Donut(
                        words("Kanal", "Channels"),
                        EVENTS,
                        By("channel", size=12),
                        Count(words("Aduan", "Cases")),
                        where=OPENED_EVENT,
                    ),
                    Bars(
                        words("Nilai dari pelapor", "Ratings"),
                        EVENTS,
                        By("rating", size=5, kind="number", alphabetical=True),
                        (Count(words("Penilaian", "Ratings")),),
                        where=RATED,
                    ),
                ),
                (20, 12, 16),
            ),
            Row(
                12,
                (
                    Lines(
                        words("Kepuasan per bulan", "Satisfaction per month"),
                        EVENTS,
                        MONTHLY,
                        (rating,),
                        where=RATED,
                    ),
                    Bars(
                        words("Langkah penanganan per bulan", "Steps per month"),
                        EVENTS,
                        MONTHLY,
                        (Count(words("Langkah", "Steps")),),
                        split=By("transition", size=12),
                        where=STEP,
                    ),
                ),
            ),
            Row(
                18,
                (
                    Table(
                        words("Kinerja per instansi", "Agencies in numbers"),
                        EVENTS,
                        (By("unit", size=100),),
                        (cases, overdue, prompt, rating),
                    ),
                ),
            ),
        ),
        (Control("unit", EVENTS), Control("channel", EVENTS)),
        time_from="now-1y/M",
    )


def _measured(rulebook: Rulebook) -> Condition:
    """The ends of the limits that the standard sets."""
    return every(Is("kind", "clock_stopped"), Is("clock", tuple(rulebook.standard_clocks)))


def _prompt(rulebook: Rulebook) -> Share:
    """Limits kept among limits that ended."""
    ended = _measured(rulebook)
    return Share(words("Tepat waktu", "In time"), every(ended, Is("late", False)), ended)
