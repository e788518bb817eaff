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
from laporhub.dashboards.conditions import Has, Is
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
SURE: Final = Share(
    words("Saran yakin", "Suggestion sure"), Is("suggestion_sure", True), Has("suggestion_sure")
)
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
                    "Dihitung hanya aduan yang sudah didisposisi dan punya saran. Yang memutuskan tetap admin.",
                    "Only cases that were assigned and had a suggestion count. An admin still decides.",
                )
            ),
            Row(
                5,
                (
                    Metric(words("Saran pertama tepat", "First suggestion right"), OPENED, RIGHT),
                    Metric(words("Tiga saran memuat keputusan", "Among the first three"), OPENED, IN_THREE),
                    Metric(words("Saran yakin", "Suggestion sure"), OPENED, SURE),
                    Metric(
                        words("Aduan yang dinilai", "Cases judged"),
                        OPENED,
                        Count(words("Aduan yang dinilai", "Cases judged"), JUDGED),
                    ),
                ),
            ),
            Row(
                12,
                (
                    Lines(
                        words("Ketepatan saran per minggu", "Right suggestions per week"),
                        OPENED,
                        Over("opened_at", "1w"),
                        (RIGHT, IN_THREE),
                        where=JUDGED,
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
                        (CASES, RIGHT, IN_THREE),
                        where=JUDGED,
                    ),
                    Bars(words("Tanda isi", "Flags"), OPENED, By("flags"), (CASES,)),
                ),
                (32, 16),
            ),
        ),
        (UNIT, CHANNEL, TOPIC),
        time_from="now-90d/d",
    )
