"""Conditions and panels that several dashboards share."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from laporhub.dashboards.conditions import ANYTHING, All, Condition, Either, Has, Is, Not, Within, every
from laporhub.dashboards.describe import (
    CLOSED,
    NOW,
    OPENED,
    Average,
    Bars,
    By,
    Choices,
    Control,
    Count,
    Listing,
    Metric,
    Note,
    Over,
    Row,
    Share,
    Value,
    words,
)
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import Text, say

OPEN: Final = Is("final", False)
OVERDUE: Final = every(OPEN, Within("due_at", before="now"))
DUE_SOON: Final = every(OPEN, Within("due_at", at_least="now", before="now+24h"))
CASES: Final = Count(words("Aduan", "Cases"))
HOURS: Final = Average(words("Rata-rata lama (jam)", "Average hours"), "hours_open")

RECEIVED: Final = Metric(words("Aduan masuk", "Received"), OPENED, Count(words("Aduan masuk", "Received")))
FINISHED: Final = Metric(
    words("Aduan selesai", "Closed"), CLOSED, Count(words("Aduan selesai", "Closed")), Has("closed_at")
)


def backlog(title: Text, where: Condition) -> Metric:
    """A number of open cases, whatever the time range."""
    return Metric(title, NOW, Count(title), where)


STILL_OPEN: Final = backlog(words("Masih terbuka", "Still open"), OPEN)
LATE_NOW: Final = backlog(words("Lewat tenggat", "Overdue"), OVERDUE)
SOON: Final = backlog(words("Tenggat dalam 24 jam", "Due within 24 hours"), DUE_SOON)
ATTENTION: Final = backlog(words("Perlu perhatian", "Need attention"), Is("attention", True))
WAITING: Final = backlog(words("Pesan belum dibaca", "Messages not read"), Is("waiting", True))
UNDELIVERED: Final = backlog(
    words("Balasan gagal terkirim", "Replies that failed"), every(OPEN, Has("failed_replies"))
)

BY_STATUS: Final = Bars(
    words("Aduan terbuka menurut status", "Open cases by status"),
    NOW,
    By("status", size=20),
    (CASES,),
    split=By("urgency", size=5),
    where=OPEN,
)
DUE_DAYS: Final = Bars(
    words("Jatuh tempo 14 hari ke depan", "Due in the next 14 days"),
    NOW,
    Over("due_at"),
    (CASES,),
    where=every(OPEN, Within("due_at", at_least="now/d", before="now+14d/d")),
)
LATE_CLOCKS: Final = Bars(
    words("Tenggat yang terlewati pada aduan terbuka", "Limits missed by open cases"),
    NOW,
    By("clocks_late"),
    (CASES,),
    where=OPEN,
)
TOPICS: Final = Bars(words("Topik tersering", "Most frequent topics"), OPENED, By("topic", size=12), (CASES,))

STATUS: Final = Control("status", OPENED)
UNIT: Final = Control("unit", OPENED)
CHANNEL: Final = Control("channel", OPENED)
URGENCY: Final = Control("urgency", OPENED)
TOPIC: Final = Control("topic", OPENED)


def to_do(title: Text, where: Condition, *columns: str) -> Listing:
    """The cases themselves, due first."""
    return Listing(title, NOW, ("ticket", *columns), ("due_at", False), where)


def kept(name: str, label: Text) -> Share:
    """Among cases whose clock has stopped or run out: those that never missed it."""
    in_time, missed = Is("clocks_kept", name), Is("clocks_late", name)
    return Share(label, All((in_time, Not(missed))), Either((in_time, missed)))


def in_time(label: Text) -> Share:
    """Among closed cases: those where no limit was missed."""
    return Share(label, every(Has("closed_at"), Is("late", False)), Has("closed_at"))


def unit_columns() -> tuple[Value, ...]:
    """What is said of each unit: how much, how much of it open and late, and how long it takes."""
    return (
        CASES,
        Count(words("Terbuka", "Open"), OPEN),
        Count(words("Pernah terlambat", "Ever late"), Is("late", True)),
        in_time(words("Selesai tepat waktu", "Closed in time")),
        HOURS,
    )


def either_way(label: Text, yes: Text, no: Text, field: str) -> Choices:
    """A yes-or-no field in words."""
    return Choices(label, ((yes, Is(field, True)), (no, Is(field, False))))


def guide(text: Text, height: int = 4) -> Row:
    """A note across the page: what it is for and how to read it."""
    return Row(height, (Note(words("Petunjuk", "Guide"), text),))


def narrowed(where: Condition, *rows: Row) -> tuple[Row, ...]:
    """The same rows for fewer records: `where` is added to every panel that counts."""
    if where == ANYTHING:
        return rows
    return tuple(
        Row(
            row.height,
            tuple(
                panel if isinstance(panel, Note) else replace(panel, where=every(where, panel.where))
                for panel in row.panels
            ),
            row.widths,
        )
        for row in rows
    )


def prefixed(indonesian: str, english: str, title: Text, languages: tuple[str, ...]) -> Text:
    """Words before a title of the profile, in both languages."""
    return words(
        f"{indonesian}: {say(title, 'id', *languages)}", f"{english}: {say(title, 'en', *languages)}"
    )


def promises(rulebook: Rulebook) -> tuple[Metric, ...]:
    """For each limit of the standard, how often it was kept."""
    languages = rulebook.profile.languages
    titles = {
        name: prefixed("Tepat waktu", "In time", clock.title, languages)
        for name, clock in rulebook.standard_clocks.items()
    }
    return tuple(Metric(title, OPENED, kept(name, title)) for name, title in titles.items())
