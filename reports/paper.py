"""A case's document as PDF, A4, to print and sign. Pure: the same sheet gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid
from reportlab.platypus.tables import TableStyle

from laporhub.pipeline.items import Item
from laporhub.pipeline.papers import Sheet
from laporhub.reports.charts import BOLD, FONT, INK, fonts
from laporhub.reports.parts import Translate

_MARGIN: Final = 22 * mm
_WIDE: Final = A4[0] - 2 * _MARGIN - 12  # ReportLab leaves 6 points free inside its frames
_SIGNING: Final = 24 * mm
"""The room for a signature and a stamp."""
_DOTS: Final = "(" + "." * 40 + ")"

_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=10, leading=15, textColor=INK, spaceAfter=7)
_CENTRED = ParagraphStyle("centred", _TEXT, alignment=TA_CENTER, spaceAfter=0)
_OFFICE = ParagraphStyle("office", _CENTRED, fontName=BOLD, fontSize=11)
_TITLE = ParagraphStyle("title", _CENTRED, fontName=BOLD, fontSize=12.5, leading=18)
_CELL = ParagraphStyle("cell", _TEXT, fontSize=9, leading=12, spaceAfter=0)
_HEAD = ParagraphStyle("head", _CELL, fontName=BOLD)


def paper(sheet: Sheet, t: Translate) -> bytes:
    """The file."""
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


def _story(sheet: Sheet, t: Translate) -> Iterator[Flowable]:
    yield from (_p(line.strip().upper(), _OFFICE) for line in sheet.office.split("·") if line.strip())
    if sheet.office:
        yield Spacer(0, 4)
        yield HRFlowable(width="100%", thickness=1.6, color=INK, spaceAfter=16)
    yield _p(sheet.title.upper(), _TITLE)
    yield _p(t("Nomor: %(number)s", number=sheet.number), _CENTRED)
    yield Spacer(0, 14)
    yield from (_p(text, _TEXT) for text in sheet.paragraphs)
    if sheet.items:
        yield _table(sheet.items, t)
    if sheet.signatures:
        yield KeepTogether([Spacer(0, 22), _signed(sheet.signatures, t)])


def _table(items: Sequence[Item], t: Translate) -> Flowable:
    head = [_p(word, _HEAD) for word in (t("No."), t("Peralatan atau bahan"), t("Jumlah"))]
    rows = [
        [_p(str(n), _CELL), _p(each.name, _CELL), _p(each.quantity, _CELL)] for n, each in enumerate(items, 1)
    ]
    widths = [12 * mm, _WIDE - 52 * mm, 40 * mm]
    style: list[Any] = [("GRID", (0, 0), (-1, -1), 0.6, INK), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Grid([head, *rows], colWidths=widths, style=TableStyle(style), repeatRows=1)


def _signed(signatures: Sequence[tuple[str, str]], t: Translate) -> Flowable:
    """Side by side."""
    above = [[_p(title, _CENTRED), _p(name, _CENTRED)] for title, name in signatures]
    below = [[_p(_DOTS, _CENTRED), _p(t("Nama, NIP dan cap"), _CENTRED)] for _ in signatures]
    rows: list[list[Any]] = [above, [Spacer(0, _SIGNING) for _ in signatures], below]
    return Grid(
        rows,
        colWidths=[_WIDE / len(signatures)] * len(signatures),
        style=[("VALIGN", (0, 0), (-1, -1), "TOP")],
    )


def _p(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text).replace("\n", "<br/>"), style)
