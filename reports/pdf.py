"""A report as PDF: A4, with page numbers, the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid
from reportlab.platypus.tables import TableStyle

from laporhub.reports.charts import BOLD, FONT, INK, LINE, SOFT, drawing, fonts
from laporhub.reports.parts import Document, Section, Table, Tile, Translate, written

_MARGIN: Final = 18 * mm
_WIDE: Final = A4[0] - 2 * _MARGIN
_FRAME: Final = 6
"""What ReportLab leaves free inside its frames."""
_MAIN, _WASH, _AMBER = HexColor("#0b4f6c"), HexColor("#f3f6f8"), HexColor("#fdf3dc")
_TILES_A_ROW: Final = 4

_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=8.5, leading=12, textColor=INK)
_SOFT = ParagraphStyle("soft", _TEXT, fontSize=7.5, leading=10.5, textColor=SOFT)
_TITLE = ParagraphStyle("title", _TEXT, fontName=BOLD, fontSize=16, leading=20)
_PERIOD = ParagraphStyle(
    "period", _TEXT, fontName=BOLD, fontSize=12, leading=16, textColor=_MAIN, spaceAfter=6
)
_HEADING = ParagraphStyle(
    "heading", _TEXT, fontName=BOLD, fontSize=11.5, leading=15, spaceBefore=12, spaceAfter=4
)
_CAPTION = ParagraphStyle("caption", _TEXT, fontName=BOLD, spaceBefore=6, spaceAfter=3)
_CELL = ParagraphStyle("cell", _TEXT, fontSize=7.5, leading=9.5)
_NUMBER = ParagraphStyle("number", _CELL, alignment=TA_RIGHT)
_HEAD = ParagraphStyle("head", _CELL, fontSize=6.3, leading=8, textColor=SOFT)
_HEAD_NUMBER = ParagraphStyle("head-number", _HEAD, alignment=TA_RIGHT)
_LARGE = ParagraphStyle("large", _TEXT, fontName=BOLD, fontSize=14, leading=18)


def pdf(document: Document, t: Translate) -> bytes:
    """The file."""
    fonts()
    file = BytesIO()
    SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN - _FRAME,
        rightMargin=_MARGIN - _FRAME,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=f"{document.title}: {document.subject}, {document.period}",
        author=document.subject,
        lang=document.language,
        invariant=1,
    ).build(list(_story(document, t)), canvasmaker=_numbered(document, t))
    return file.getvalue()


def _story(document: Document, t: Translate) -> Iterator[Flowable]:
    yield _p(document.title, _SOFT)
    yield _p(document.subject, _TITLE)
    yield _p(document.period, _PERIOD)
    facts = [[_p(label, _SOFT), _p(words, _CELL)] for label, words in document.facts]
    yield Grid(facts, colWidths=[34 * mm, _WIDE - 34 * mm], style=TableStyle(_FACTS))
    if document.notice:
        notice = [[_p(document.notice, _TEXT)]]
        yield Spacer(0, 6)
        yield Grid(notice, colWidths=[_WIDE], style=[("BACKGROUND", (0, 0), (-1, -1), _AMBER)])
    yield Spacer(0, 8)
    yield _tiles(document, t)
    for section in document.sections:
        yield from _section(section, document.language)
    remarks: list[Flowable] = [
        _p(t("Cara menghitung"), _HEADING),
        *(_p(f"• {remark}", _SOFT) for remark in document.remarks),
    ]
    yield KeepTogether(remarks)


def _section(section: Section, language: str) -> Iterator[Flowable]:
    """A heading stays with what comes first below it."""
    above: list[Flowable] = [_p(section.title, _HEADING)]
    if section.note:
        above.append(_p(section.note, _SOFT))
    for chart in section.charts:
        if len(section.charts) > 1 or chart.title != section.title:
            above.append(_p(chart.title, _CAPTION))
        yield KeepTogether([*above, drawing(chart, int(_WIDE))])
        above = []
    for table in section.tables:
        yield CondPageBreak(30 * mm)
        yield from above
        yield Spacer(0, 6)
        yield _grid(table, language)
        above = []
    if above:
        yield KeepTogether(above)


def _grid(table: Table, language: str) -> Grid:
    head = [_p(title, _HEAD_NUMBER if number else _HEAD) for number, title in enumerate(table.columns)]
    rows = [
        [_p(written(cell, language), _NUMBER if number else _CELL) for number, cell in enumerate(row)]
        for row in table.rows
    ]
    others = len(table.columns) - 1
    first = _WIDE * max(0.24, 0.64 - 0.06 * others)
    widths = [first, *[(_WIDE - first) / others] * others]
    return Grid([head, *rows], colWidths=widths, repeatRows=1, style=TableStyle(_RULED))


def _tiles(document: Document, t: Translate) -> Grid:
    cells = [_tile(tile, document.language, t) for tile in document.tiles]
    cells += [[]] * (-len(cells) % _TILES_A_ROW)
    rows = [cells[number : number + _TILES_A_ROW] for number in range(0, len(cells), _TILES_A_ROW)]
    return Grid(rows, colWidths=[_WIDE / _TILES_A_ROW] * _TILES_A_ROW, style=TableStyle(_TILED))


def _tile(tile: Tile, language: str, t: Translate) -> list[Flowable]:
    before = t("sebelumnya %(number)s", number=written(tile.before, language))
    if tile.change.value:
        points = f" {t('poin')}" if tile.change.kind == "points" else ""
        before = f"{before} ({written(tile.change, language)}{points})"
    return [_p(tile.title, _SOFT), _p(written(tile.amount, language), _LARGE), _p(before, _SOFT)]


def _p(words: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(words), style)


def _numbered(document: Document, t: Translate) -> type[Canvas]:
    """A canvas that knows how many pages there are when it writes their numbers."""

    class Numbered(Canvas):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self.setFont(FONT, 7)
                self.setFillColor(SOFT)
                said = t("Halaman %(number)s dari %(all)s", number=number, all=len(self._pages))
                self.drawRightString(A4[0] - _MARGIN, 10 * mm, said)
                self.drawString(_MARGIN, 10 * mm, f"{document.subject} · {document.period}"[:110])
                super().showPage()
            super().save()

    return Numbered


_FACTS: Final[list[Any]] = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
_RULED: Final[list[Any]] = [
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, SOFT),
    ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
    ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
    ("VALIGN", (0, 1), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
]
_TILED: Final[list[Any]] = [
    ("BACKGROUND", (0, 0), (-1, -1), _WASH),
    ("INNERGRID", (0, 0), (-1, -1), 4, HexColor("#ffffff")),
    ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
    ("LEFTPADDING", (0, 0), (-1, -1), 7),
    ("TOPPADDING", (0, 0), (-1, -1), 6),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
]
