"""A case's document as PDF, A4, to print and sign. Pure: the same sheet gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import black
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from laporhub.pipeline.items import Item
from laporhub.pipeline.papers import Sheet
from laporhub.reports.charts import BOLD, FONT, fonts
from laporhub.web.i18n import Translator

_MARGIN: Final = 22 * mm
_WIDE: Final = A4[0] - 2 * _MARGIN
_SIGNING: Final = 24 * mm
"""Room for a signature and a stamp."""
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=10.5, leading=16, spaceAfter=8)
_CENTRED = ParagraphStyle("centred", _TEXT, alignment=TA_CENTER, spaceAfter=0)
_OFFICE = ParagraphStyle("office", _CENTRED, fontName=BOLD, fontSize=12)
_TITLE = ParagraphStyle("title", _OFFICE, fontSize=13, leading=19, spaceBefore=14)
_CELL = ParagraphStyle("cell", _TEXT, spaceAfter=0, leading=14)
_HEAD = ParagraphStyle("head", _CELL, fontName=BOLD)
_SMALL = ParagraphStyle("small", _CENTRED, fontSize=9, leading=13)


def drawn(sheet: Sheet, t: Translator) -> bytes:
    """The sheet as a PDF file."""
    fonts()
    file = BytesIO()
    SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{sheet.title} {sheet.number}",
        author=sheet.office,
        lang=sheet.language,
        invariant=1,
    ).build(list(_story(sheet, t)))
    return file.getvalue()


def _story(sheet: Sheet, t: Translator) -> Iterator[Flowable]:
    for line in filter(None, (part.strip() for part in sheet.office.split("·"))):
        yield _p(line.upper(), _OFFICE)
    if sheet.office:
        yield HRFlowable(width="100%", thickness=1.6, color=black, spaceBefore=6)
    yield _p(sheet.title.upper(), _TITLE)
    yield _p(t("Nomor: %(number)s", number=sheet.number), _CENTRED)
    yield Spacer(0, 6 * mm)
    for paragraph in sheet.paragraphs:
        yield _p(paragraph, _TEXT)
    if sheet.items:
        yield _table(sheet.items, t)
    if sheet.signatures:
        yield KeepTogether([Spacer(0, 8 * mm), _signed(sheet.signatures, t)])


def _table(items: Sequence[Item], t: Translator) -> Grid:
    head = [_p(title, _HEAD) for title in (t("No."), t("Peralatan atau bahan"), t("Jumlah"))]
    rows = [
        [_p(str(number), _CELL), _p(item.name, _CELL), _p(item.quantity, _CELL)]
        for number, item in enumerate(items, 1)
    ]
    widths = [_WIDE * share for share in (0.08, 0.67, 0.25)]
    ruled: list[Any] = [("GRID", (0, 0), (-1, -1), 0.5, black), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Grid([head, *rows], colWidths=widths, repeatRows=1, style=ruled)


def _signed(signatures: Sequence[tuple[str, str]], t: Translator) -> Grid:
    """Side by side."""
    width = _WIDE / len(signatures)
    rows = [
        [_p(title, _CENTRED) for title, _ in signatures],
        [_p(name, _CENTRED) for _, name in signatures],
        [_p(f"({'.' * 40})", _CENTRED) for _ in signatures],
        [_p(t("Nama, NIP dan cap"), _SMALL) for _ in signatures],
    ]
    below: list[Any] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("VALIGN", (0, 2), (-1, 2), "BOTTOM")]
    return Grid(
        rows, colWidths=[width] * len(signatures), rowHeights=[None, None, _SIGNING, None], style=below
    )


def _p(words: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(words), style)
