"""A report as a spreadsheet: numbers that can be counted with, and charts that belong to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Final, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from laporhub.reports.parts import Amount, Cell, Chart, Document, Section, Table, Translate

_FORMATS: Final[Mapping[str, str]] = {
    "count": "#,##0",
    "share": "0.0%",
    "hours": "#,##0.0",
    "stars": "0.0",
    "more": "+#,##0;-#,##0;0",
    "points": "+0.0;-0.0;0.0",
    "longer": "+#,##0.0;-#,##0.0;0.0",
    "better": "+0.0;-0.0;0.0",
}
_COLOURS: Final = ("#0b4f6c", "#e0a030")
_MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 (the format knows no zones; the same bytes each time)
_CHART_ROWS: Final = 16
_Styles: TypeAlias = Mapping[str, Format]


def xlsx(document: Document, t: Translate) -> bytes:
    """The file: a summary, a sheet a chapter, and one with the numbers that charts are drawn from."""
    file = BytesIO()
    # Words are never taken for formulas or links, whatever they begin with.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        title = f"{document.title}: {document.subject}, {document.period}"
        book.set_properties({"title": title[:250], "created": _MADE})
        styles = _styles(book)
        _summary(book, document, styles, t)
        sheets = [(section, book.add_worksheet(name)) for section, name in _named(document, t)]
        numbers = _Numbers(book, t("Data grafik"), styles)
        for section, sheet in sheets:
            _section(book, sheet, section, styles, numbers)
    return file.getvalue()


def _styles(book: Workbook) -> dict[str, Format]:
    found = {kind: book.add_format({"num_format": written}) for kind, written in _FORMATS.items()}
    return found | {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "heading": book.add_format({"bold": True, "font_size": 12, "font_color": _COLOURS[0]}),
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1}),
        "soft": book.add_format({"font_color": "#4a5967"}),
        "told": book.add_format({"bg_color": "#fdf3dc"}),
        "none": book.add_format({"align": "right"}),
    }


def _named(document: Document, t: Translate) -> list[tuple[Section, str]]:
    """Each chapter with the name of its sheet: at most 31 characters, without some signs, each once."""
    taken = {t("Ringkasan").lower(), t("Data grafik").lower()}
    found = []
    for section in document.sections:
        name = plain = re.sub(r"[\[\]:*?/\\']", " ", section.title)[:28].strip()
        number = 2
        while name.lower() in taken:
            name, number = f"{plain} {number}", number + 1
        taken.add(name.lower())
        found.append((section, name))
    return found


def _summary(book: Workbook, document: Document, styles: _Styles, t: Translate) -> None:
    sheet = book.add_worksheet(t("Ringkasan"))
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 3, 18)
    sheet.write_string(0, 0, document.subject, styles["title"])
    sheet.write_string(1, 0, f"{document.title} · {document.period}", styles["heading"])
    row = 2
    for label, words in document.facts:
        sheet.write_string(row, 0, label, styles["soft"])
        sheet.write_string(row, 1, words)
        row += 1
    if document.notice:
        sheet.write_string(row, 0, document.notice, styles["told"])
        row += 1
    columns = (t("Ukuran"), t("Periode ini"), t("Periode sebelumnya"), t("Perubahan"))
    rows = tuple((tile.title, tile.amount, tile.before, tile.change) for tile in document.tiles)
    row = _table(sheet, row + 1, Table("", columns, rows), styles)
    sheet.write_string(row, 0, t("Cara menghitung"), styles["heading"])
    for number, remark in enumerate(document.remarks, 1):
        sheet.write_string(row + number, 0, remark, styles["soft"])
    _printed(sheet)


def _section(book: Workbook, sheet: Worksheet, section: Section, styles: _Styles, numbers: _Numbers) -> None:
    """Tables below each other, charts to their right."""
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 12, 13)
    sheet.write_string(0, 0, section.title, styles["title"])
    row = 1
    if section.note:
        sheet.write_string(row, 0, section.note, styles["soft"])
        row += 1
    for table in section.tables:
        row = _table(sheet, row + 1, table, styles)
    beside = max((len(table.columns) for table in section.tables), default=-1) + 1
    at = 2
    for chart in section.charts:
        height = max(_CHART_ROWS, len(chart.names) * len(chart.series) + 4)
        drawn = _chart(book, chart, numbers.add(chart))
        drawn.set_size({"width": 640, "height": 20 * height})
        sheet.insert_chart(at, beside, drawn, {"description": chart.title})
        at += height + 1
    _printed(sheet)


def _table(sheet: Worksheet, row: int, table: Table, styles: _Styles) -> int:
    """Where the next may begin."""
    for column, title in enumerate(table.columns):
        sheet.write_string(row, column, title, styles["head"])
    for number, cells in enumerate(table.rows, row + 1):
        for column, cell in enumerate(cells):
            _cell(sheet, number, column, cell, styles)
    return row + len(table.rows) + 2


def _cell(sheet: Worksheet, row: int, column: int, cell: Cell, styles: _Styles) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif cell.value is None:
        sheet.write_string(row, column, "–", styles["none"])
    else:
        sheet.write_number(row, column, _scaled(cell, cell.value), styles[cell.kind])


def _scaled(cell: Amount, value: float) -> float:
    """Points are hundredths of the whole."""
    return 100 * value if cell.kind == "points" else value


class _Numbers:
    """The sheet that charts are drawn from."""

    def __init__(self, book: Workbook, name: str, styles: _Styles) -> None:
        self.name, self.styles = name, styles
        self._sheet = book.add_worksheet(name)
        self._sheet.set_column(0, 0, 44)
        self._row = 0

    def add(self, chart: Chart) -> tuple[str, int]:
        """Writes the chart's numbers: this sheet, and the row of their head."""
        head = self._row
        for column, title in enumerate((chart.title, *(title for title, _ in chart.series))):
            self._sheet.write_string(head, column, title, self.styles["head"])
        for row, name in enumerate(chart.names, head + 1):
            self._sheet.write_string(row, 0, name)
        for column, (_, values) in enumerate(chart.series, 1):
            for row, value in enumerate(values, head + 1):
                self._sheet.write_number(row, column, value, self.styles["count"])
        self._row = head + len(chart.names) + 2
        return self.name, head


def _chart(book: Workbook, chart: Chart, data: tuple[str, int]) -> Any:
    name, head = data
    kind = {"type": "column" if chart.standing else "bar"}
    drawn = book.add_chart(kind)
    first, last = head + 1, head + len(chart.names)
    for column in range(1, len(chart.series) + 1):
        drawn.add_series(
            {
                "name": [name, head, column],
                "categories": [name, first, 0, last, 0],
                "values": [name, first, column, last, column],
                "fill": {"color": _COLOURS[column - 1]},
                "data_labels": {"value": not chart.standing},
                "gap": 60,
            }
        )
    drawn.set_title({"name": chart.title, "name_font": {"size": 12}})
    if len(chart.series) == 1:
        drawn.set_legend({"none": True})
    else:
        drawn.set_legend({"position": "bottom"})
    if chart.standing:
        drawn.set_y_axis({"min": 0, "major_gridlines": {"visible": True, "line": {"color": "#c6d0d8"}}})
    else:
        drawn.set_y_axis({"reverse": True})
        drawn.set_x_axis({"min": 0, "visible": False, "major_gridlines": {"visible": False}})
    return drawn


def _printed(sheet: Worksheet) -> None:
    """On A4, across, all columns on a page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
