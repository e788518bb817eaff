"""The page that holds the classifier against what people decided."""

from __future__ import annotations

from typing import Final

from laporhub.dashboards.common import (
    CASES,
    CHANNEL,
    TOPIC,
    UNIT,
    either_way,
    guide,
)
from laporhub.dashboards.conditions import Has, Is, every
from laporhub.dashboards.describe import (
    OPENED,
    Average,
    Bars,
    By,
    Count,
    Dashboard,
    Heat,
    Lines,
    Metric,
    Over,
    Row,
    Share,
    Table,
    words,
)

JUDGED: Final = Has("suggestion_right")
"""A person has decided a case for which there was a suggestion."""
RIGHT: Final = Share(
    words("Saran pertama tepat", "First suggestion right"), Is("suggestion_right", True), JUDGED
)
IN_THREE: Final = Share(
    words("Tiga saran memuat keputusan", "Among the first three"), Is("suggestion_in_top3", True), JUDGED
)
ABSTAINED: Final = Share(
    words("Sistem ragu, petugas memilih", "In doubt, staff chose"),
    Is("suggestion_sure", False),
    Has("suggestion_sure"),
)
RIGHT_WHEN_SURE: Final = Share(
    words("Tepat saat yakin", "Right when sure"),
    every(Is("suggestion_sure", True), Is("suggestion_right", True)),
    every(Is("suggestion_sure", True), JUDGED),
)
BY_ITSELF: Final = Has("automatic")
"""The hub disposed without asking."""
AUTOMATIC: Final = Count(words("Disposisi otomatis", "Disposed by itself"), BY_ITSELF)
RETURNED: Final = Share(
    words("Otomatis, lalu dikembalikan", "By itself, later given back"),
    Is("automatic", "returned"),
    BY_ITSELF,
)
JUDGED_CASES: Final = Count(words("Aduan yang dinilai", "Cases judged"), JUDGED)
RIGHT_OR_WRONG: Final = either_way(
    words("Saran dan keputusan", "Suggestion and decision"),
    words("Sesuai", "Same"),
    words("Berbeda", "Different"),
    "suggestion_right",
)


def routing() -> Dashboard:
    """The classifier against what people decided."""
    return Dashboard(
        "routing",
        words("Saran instansi dan keputusan", "Suggestions and decisions"),
        words(
            "Seberapa sering saran sistem sama dengan keputusan admin, dan di mana ia keliru?",
            "How often does the suggestion equal what the admin decided, and where does it err?",
        ),
        (
            guide(
                words(
                    "Dinilai hanya yang diputuskan orang; disposisi otomatis setelah instansinya menanggapi.",
                    "Only what people decided is judged; what was automatic, once its agency acted on it.",
                )
            ),
            Row(
                5,
                (
                    Metric(words("Saran pertama tepat", "First suggestion right"), OPENED, RIGHT),
                    Metric(words("Tiga saran memuat keputusan", "Among the first three"), OPENED, IN_THREE),
                    Metric(words("Sistem ragu, petugas memilih", "In doubt, staff chose"), OPENED, ABSTAINED),
                    Metric(words("Tepat saat yakin", "Right when sure"), OPENED, RIGHT_WHEN_SURE),
                ),
            ),
            Row(
                5,
                (
                    Metric(words("Aduan yang dinilai", "Cases judged"), OPENED, JUDGED_CASES),
                    Metric(words("Disposisi otomatis", "Disposed by itself"), OPENED, AUTOMATIC),
                    Metric(
                        words("Otomatis, lalu dikembalikan", "By itself, later given back"), OPENED, RETURNED
                    ),
                ),
            ),
            Row(
                12,
                (
                    Lines(
                        words("Saran per minggu: tepat dan ragu", "Suggestions per week: right, in doubt"),
                        OPENED,
                        Over("opened_at", "1w"),
                        (RIGHT, IN_THREE, ABSTAINED),
                    ),
                    Bars(
                        words("Rata-rata keyakinan saran", "Average probability"),
                        OPENED,
                        RIGHT_OR_WRONG,
                        (Average(words("Keyakinan", "Probability"), "suggested_probability"),),
                    ),
                ),
                (30, 18),
            ),
            Row(
                16,
                (
                    Bars(
                        words("Keputusan per instansi", "Decisions by agency"),
                        OPENED,
                        By("unit", size=15),
                        (CASES,),
                        split=RIGHT_OR_WRONG,
                        where=JUDGED,
                    ),
                    Heat(
                        words(
                            "Yang tertukar: disarankan (mendatar) dan diputuskan",
                            "Mistaken: suggested, decided",
                        ),
                        OPENED,
                        By("suggested_unit", size=12),
                        By("unit", size=12),
                        CASES,
                        where=Is("suggestion_right", False),
                    ),
                ),
            ),
            Row(
                14,
                (
                    Table(
                        words("Ketepatan per instansi yang disarankan", "By suggested agency"),
                        OPENED,
                        (By("suggested_unit", size=100),),
                        (JUDGED_CASES, RIGHT, IN_THREE, ABSTAINED, AUTOMATIC, RETURNED),
                    ),
                    Bars(words("Tanda isi", "Flags"), OPENED, By("flags"), (CASES,)),
                ),
                (36, 12),
            ),
        ),
        (UNIT, CHANNEL, TOPIC),
        time_from="now-90d/d",
    )
