"""A case's document as PDF, A4, to print and sign. Pure: the same sheet gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from laporhub.pipeline.items import Item
from laporhub.pipeline.papers import Sheet
from laporhub.web.i18n import Translator

_MARGIN: Final = 22.0
_SIGNING: Final = 24.0
"""Millimetres: of the page's edge, and of the room for a signature and a stamp."""
_FONT: Final = "Helvetica"
_PLAINER: Final = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "„": '"',
        "‘": "'",
        "’": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "•": "-",
        "→": "->",
        "≤": "<=",
    }
)


def drawn(sheet: Sheet, at: datetime, t: Translator) -> bytes:
    """The sheet as a PDF file; `at` is the time that stands in it as its making."""
    pdf = FPDF(format="A4", unit="mm")
    pdf.set_creation_date(at)
    pdf.set_title(_plain(f"{sheet.title} {sheet.number}"))
    pdf.set_lang(sheet.language)
    pdf.set_margins(_MARGIN, _MARGIN)
    pdf.set_auto_page_break(True, _MARGIN)
    pdf.add_page()
    _head(pdf, sheet, t)
    pdf.set_font(_FONT, size=11)
    for paragraph in sheet.paragraphs:
        pdf.multi_cell(0, 6, _plain(paragraph), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.ln(3)
    if sheet.items:
        _table(pdf, sheet.items, t)
    _signed(pdf, sheet.signatures, t)
    return bytes(pdf.output())


def _head(pdf: FPDF, sheet: Sheet, t: Translator) -> None:
    pdf.set_font(_FONT, "B", 12)
    for line in filter(None, (part.strip() for part in sheet.office.split("·"))):
        _centred(pdf, line.upper(), 6)
    if sheet.office:
        y = pdf.get_y() + 2
        pdf.set_line_width(0.6)
        pdf.line(_MARGIN, y, pdf.w - _MARGIN, y)
        pdf.set_line_width(0.2)
        pdf.ln(8)
    pdf.set_font(_FONT, "B", 13)
    _centred(pdf, sheet.title.upper(), 7)
    pdf.set_font(_FONT, size=11)
    _centred(pdf, t("Nomor: %(number)s", number=sheet.number), 6)
    pdf.ln(6)


def _centred(pdf: FPDF, text: str, height: float) -> None:
    pdf.multi_cell(0, height, _plain(text), align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _table(pdf: FPDF, items: Sequence[Item], t: Translator) -> None:
    with pdf.table(
        col_widths=(1, 8, 3),
        text_align=("CENTER", "LEFT", "LEFT"),
        line_height=6,
        padding=1,
        first_row_as_headings=True,
    ) as table:
        table.row([t("No."), t("Peralatan atau bahan"), t("Jumlah")])
        for number, item in enumerate(items, 1):
            table.row([str(number), _plain(item.name), _plain(item.quantity)])
    pdf.ln(4)


def _signed(pdf: FPDF, signatures: Sequence[tuple[str, str]], t: Translator) -> None:
    """Side by side, and never torn from each other by the end of a page."""
    if not signatures:
        return
    if pdf.will_page_break(_SIGNING + 50):
        pdf.add_page()
    width, top = pdf.epw / len(signatures), pdf.get_y() + 6
    for number, (title, name) in enumerate(signatures):
        left = _MARGIN + number * width
        for y, text in ((top, title), (top + 6, name), (top + 16 + _SIGNING, "(" + "." * 44 + ")")):
            pdf.set_xy(left, y)
            pdf.multi_cell(width, 5, _plain(text), align="C")
        pdf.set_xy(left, top + 22 + _SIGNING)
        pdf.multi_cell(width, 5, _plain(t("Nama, NIP dan cap")), align="C")


def _plain(text: str) -> str:
    """In the letters that the fonts of every reader have: those of Western Europe."""
    return text.translate(_PLAINER).encode("latin-1", "replace").decode("latin-1")
