"""The complaint office's pages: everything at a glance, and the limits of the standard."""

from __future__ import annotations

from laporhub.dashboards.common import (
    ATTENTION,
    BY_STATUS,
    CASES,
    CHANNEL,
    DUE_DAYS,
    HOURS,
    LATE_CLOCKS,
    LATE_NOW,
    OPEN,
    OVERDUE,
    RECEIVED,
    SOON,
    STATUS,
    STILL_OPEN,
    TOPIC,
    TOPICS,
    UNIT,
    URGENCY,
    WAITING,
    promises,
    to_do,
    unit_columns,
)
from laporhub.dashboards.conditions import Either, Has, Is, every
from laporhub.dashboards.describe import (
    CLOSED,
    EVENTS,
    NOW,
    OPENED,
    Bars,
    By,
    Count,
    Dashboard,
    Donut,
    Heat,
    Lines,
    Over,
    Percentile,
    PointsMap,
    Row,
    Table,
    words,
)
from laporhub.pipeline.profile.rulebook import Rulebook


def overview() -> Dashboard:
    """The office's first page: how much comes in, where it stands, what cannot wait."""
    return Dashboard(
        "overview",
        words("Ringkasan pengaduan", "Overview"),
        words(
            "Berapa yang masuk, lewat kanal mana, sampai di mana, dan apa yang tidak boleh menunggu?",
            "How much comes in, by which channel, where does it stand, and what cannot wait?",
        ),
        (
            Row(5, (RECEIVED, STILL_OPEN, ATTENTION, WAITING, SOON, LATE_NOW)),
            Row(
                12,
                (
                    Lines(
                        words("Aduan masuk per hari menurut kanal", "Received per day by channel"),
                        OPENED,
                        Over("opened_at"),
                        (CASES,),
                        split=By("channel", size=12),
                    ),
                    Donut(words("Kanal", "Channels"), OPENED, By("channel", size=12), CASES),
                ),
                (32, 16),
            ),
            Row(12, (BY_STATUS, TOPICS)),
            Row(
                16,
                (
                    PointsMap(words("Peta titik aduan", "Map of complaints"), OPENED),
                    Bars(
                        words("Kabupaten/kota tersering", "Most frequent regencies"),
                        OPENED,
                        By("region", size=15),
                        (CASES,),
                    ),
                ),
                (30, 18),
            ),
            Row(
                12,
                (
                    Bars(
                        words("Langkah penanganan per hari", "Steps taken per day"),
                        EVENTS,
                        Over("time"),
                        (Count(words("Langkah", "Steps")),),
                        split=By("transition", size=12),
                        where=Is("kind", "transitioned"),
                    ),
                    Donut(
                        words("Kelengkapan yang kurang", "What is missing"),
                        OPENED,
                        By("missing"),
                        CASES,
                    ),
                ),
                (32, 16),
            ),
            Row(
                14,
                (
                    to_do(
                        words("Lewat tenggat atau perlu perhatian", "Overdue or in need of attention"),
                        Either((OVERDUE, every(OPEN, Is("attention", True)))),
                        *("due_at", "status", "unit", "channel", "urgency", "topic"),
                    ),
                ),
            ),
        ),
        (CHANNEL, UNIT, STATUS, URGENCY),
    )


def deadlines(rulebook: Rulebook) -> Dashboard:
    """The limits of the standard, and who keeps them."""
    return Dashboard(
        "deadlines",
        words("Tenggat dan instansi", "Deadlines and agencies"),
        words(
            "Apakah batas waktu standar dipenuhi, mana yang segera jatuh tempo, instansi mana yang lambat?",
            "Are the standard's limits kept, what is due soon, and which agencies are slow?",
        ),
        (
            Row(5, (LATE_NOW, SOON, *promises(rulebook))),
            Row(12, (DUE_DAYS, LATE_CLOCKS)),
            Row(
                14,
                (
                    Bars(
                        words("Instansi dengan aduan terbanyak", "Agencies with the most cases"),
                        OPENED,
                        By("unit", size=15),
                        (CASES,),
                        where=Has("unit"),
                    ),
                    Bars(
                        words("Instansi terlambat menyelesaikan (rata-rata jam)", "Slowest agencies (hours)"),
                        CLOSED,
                        By("unit", size=15),
                        (HOURS,),
                        where=every(Has("unit"), Has("closed_at")),
                    ),
                ),
            ),
            Row(
                16,
                (
                    Table(
                        words("Kinerja per instansi", "Agencies in numbers"),
                        OPENED,
                        (By("unit", size=100),),
                        (
                            *unit_columns(),
                            Percentile(
                                words("90 % selesai dalam (jam)", "90 % within (hours)"), "hours_open", 90
                            ),
                        ),
                    ),
                ),
            ),
            Row(
                16,
                (
                    Heat(
                        words("Aduan terbuka: instansi dan status", "Open cases: agency and status"),
                        NOW,
                        By("status", size=12, alphabetical=True),
                        By("unit", size=15),
                        CASES,
                        where=OPEN,
                    ),
                    Bars(
                        words("Peringatan dan eskalasi per hari", "Alarms per day"),
                        EVENTS,
                        Over("time"),
                        (Count(words("Peringatan", "Alarms")),),
                        split=By("clock"),
                        where=Is("kind", "clock_alarmed"),
                    ),
                ),
                (26, 22),
            ),
        ),
        (UNIT, CHANNEL, TOPIC),
    )
