"""The pages of those who work: the admins of some channels, and the units."""

from __future__ import annotations

from laporhub.dashboards.common import (
    ATTENTION,
    BY_STATUS,
    CASES,
    CHANNEL,
    DUE_DAYS,
    FINISHED,
    HOURS,
    LATE_NOW,
    OPEN,
    RECEIVED,
    SOON,
    STATUS,
    STILL_OPEN,
    TOPIC,
    TOPICS,
    UNDELIVERED,
    UNIT,
    WAITING,
    narrowed,
    prefixed,
    promises,
    to_do,
)
from laporhub.dashboards.conditions import Either, Has, Is, every
from laporhub.dashboards.describe import (
    CLOSED,
    EVENTS,
    NOW,
    OPENED,
    Average,
    Bars,
    By,
    Count,
    Dashboard,
    Donut,
    Lines,
    Metric,
    Over,
    PointsMap,
    Row,
    words,
)
from laporhub.pipeline.profile.rulebook import Rulebook


def queue(rulebook: Rulebook, role_name: str) -> Dashboard:
    """The page of those who answer on some channels."""
    role = rulebook.profile.roles[role_name]
    languages = rulebook.profile.languages
    several = len(role.channels) > 1
    return Dashboard(
        f"queue-{role_name.replace('_', '-')}",
        prefixed("Antrean", "Queue of", role.title, languages),
        words(
            "Apa yang menunggu di kanal ini, dan balasan mana yang tidak sampai?",
            "What is waiting on these channels, and which replies did not arrive?",
        ),
        (
            Row(5, (WAITING, ATTENTION, UNDELIVERED, STILL_OPEN, SOON, LATE_NOW)),
            Row(
                12,
                (
                    BY_STATUS,
                    Lines(
                        words("Aduan masuk per hari", "Received per day"),
                        OPENED,
                        Over("opened_at"),
                        (CASES,),
                        split=By("channel", size=12) if several else None,
                    ),
                ),
            ),
            Row(
                12,
                (
                    Bars(
                        words("Balasan gagal terkirim menurut jenis", "Replies that failed, by kind"),
                        NOW,
                        By("failed_replies"),
                        (CASES,),
                        where=OPEN,
                    ),
                    Lines(
                        words("Pengiriman gagal per hari", "Failed deliveries per day"),
                        EVENTS,
                        Over("time"),
                        (Count(words("Gagal", "Failed")),),
                        where=every(Is("kind", "reply_updated"), Is("delivery_status", "failed")),
                    ),
                ),
            ),
            Row(
                16,
                (
                    to_do(
                        words("Perlu dikerjakan", "To do"),
                        every(
                            OPEN, Either((Is("waiting", True), Is("attention", True), Has("failed_replies")))
                        ),
                        *("due_at", "status", "channel", "unit", "urgency", "failed_replies"),
                    ),
                ),
            ),
        ),
        (CHANNEL, STATUS, UNIT) if several else (STATUS, UNIT),
        only=(("channel", role.channels),),
    )


def unit(rulebook: Rulebook) -> Dashboard:
    """The page of a unit: its own cases. Who may read several units sees them together, or one by the list."""
    mine = Is("active", True)
    rows = (
        Row(5, (RECEIVED, STILL_OPEN, SOON, LATE_NOW, WAITING, FINISHED)),
        Row(12, (BY_STATUS, DUE_DAYS)),
        Row(
            12,
            (
                Lines(
                    words("Aduan masuk dan selesai per minggu", "Received and closed per week"),
                    OPENED,
                    Over("opened_at", "1w"),
                    (CASES, Count(words("Sudah selesai", "Closed by now"), Has("closed_at"))),
                ),
                TOPICS,
            ),
        ),
        Row(
            5,
            (
                *promises(rulebook),
                Metric(words("Rata-rata lama (jam)", "Average hours"), CLOSED, HOURS, Has("closed_at")),
                Metric(
                    words("Nilai pelapor", "Rating"),
                    OPENED,
                    Average(words("Nilai pelapor (1–5)", "Rating (1–5)"), "rating"),
                ),
            ),
        ),
        Row(
            16,
            (
                PointsMap(words("Peta titik aduan", "Map of complaints"), OPENED),
                Donut(words("Kecamatan", "Districts"), OPENED, By("district", size=12, other=True), CASES),
            ),
            (30, 18),
        ),
        Row(
            16,
            (
                to_do(
                    words("Aduan terbuka, tenggat terdekat dulu", "Open cases, due first"),
                    OPEN,
                    *("due_at", "status", "urgency", "topic", "district", "village", "text"),
                ),
            ),
        ),
    )
    return Dashboard(
        "unit",
        words("Aduan instansi", "An agency's cases"),
        words(
            "Apa yang harus kami tanggapi, mana yang segera jatuh tempo, dan bagaimana kami bekerja?",
            "What must we answer, what is due soon, and how do we do?",
        ),
        narrowed(mine, *rows),
        (UNIT, STATUS, TOPIC),
        time_from="now-90d/d",
    )
