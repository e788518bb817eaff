"""A report in its forms: the same numbers in each, nothing that runs, nothing that breaks a reader's program."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from histories import history, started, suggested
from openpyxl import load_workbook
from openpyxl.utils import range_boundaries
from pypdf import PdfReader
from support import laporgub

from laporhub.pipeline.counting import make_report
from laporhub.pipeline.events import Assigned, CaseEvent, ClockStopped, Rated, Transitioned
from laporhub.pipeline.figures import Report
from laporhub.pipeline.periods import parse_period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.reports.charts import svg
from laporhub.reports.document import document
from laporhub.reports.parts import Amount, Chart, Document, change, written
from laporhub.reports.render import MEDIA_TYPES, render
from laporhub.web.i18n import translator

RULES = laporgub()
ZONE = RULES.calendar.zone
LATER = datetime(2027, 3, 1, tzinfo=UTC)
EVIL = "=HYPERLINK(\"http://x.example\") <script>alert(1)</script> & 'x'"


def events() -> list[list[CaseEvent]]:
    """A few cases with something in every chapter."""
    found = []
    for number in range(6):
        steps: list[Any] = [
            suggested("dishub", "pdam"),
            started("first_response"),
            Assigned(unit="dishub" if number % 2 else "dinas-pupr"),
            ClockStopped(clock="first_response", late=number == 3),
        ]
        if number < 2:
            fields = {"reason": "unclear"}
            steps.append(
                Transitioned(
                    transition="reject", source="received", target="rejected", ends=True, fields=fields
                )
            )
        if number > 3:
            steps += [Transitioned(transition="close", source="answered", target="closed", ends=True)]
            steps += [Rated(rating=number)]
        found.append([event.but({"profile": RULES.name}) for event in history(number, steps)])
    return found


def report(period: str = "2026-11", unit: str | None = None, histories: Any = None) -> Report:
    asked = parse_period(period, ZONE)
    return make_report(events() if histories is None else histories, RULES, asked, unit, LATER)


def shown(made: Document) -> list[str]:
    """Every number and name that a reader of the document finds, as it is written."""
    cells = [cell for tile in made.tiles for cell in (tile.title, tile.amount, tile.before)]
    cells += [cell for s in made.sections for table in s.tables for row in table.rows for cell in row]
    titles = [s.title for s in made.sections] + [
        c for s in made.sections for t in s.tables for c in t.columns
    ]
    return [made.title, made.subject, made.period, *titles, *(written(cell, made.language) for cell in cells)]


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pdf_text(data: bytes) -> str:
    return flat("".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("unit", [None, "dishub"])
def test_each_form_shows_every_number_of_the_document(language: str, unit: str | None) -> None:
    t = translator(language)
    made = document(report(unit=unit), RULES, t)
    forms = {form: render(report(unit=unit), RULES, form, t).data for form in MEDIA_TYPES}

    page = _Text()
    page.feed(forms["html"].decode())
    html = flat("".join(page.found))
    pdf = pdf_text(forms["pdf"])
    for words in shown(made):
        assert flat(words) in html, words
        assert flat(words) in pdf, words

    book = load_workbook(io.BytesIO(forms["xlsx"]))
    values = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    for section in made.sections:
        for table in section.tables:
            for row in table.rows:
                for cell in row:
                    assert isinstance(cell, str) or cell.value is None or _number(cell) in _numbers(values), (
                        row
                    )
    assert json.loads(forms["json"])["cases"] == report(unit=unit).figures.cases


def _number(cell: Amount) -> float:
    assert cell.value is not None
    return round(100 * cell.value if cell.kind == "points" else cell.value, 6)


def _numbers(values: list[Any]) -> set[float]:
    return {round(value, 6) for value in values if isinstance(value, int | float)}


def test_a_sheet_has_a_chart_for_each_of_the_documents_drawn_from_numbers_that_are_there() -> None:
    t = translator("id")
    made = document(report(), RULES, t)
    book = load_workbook(io.BytesIO(render(report(), RULES, "xlsx", t).data))
    charts = [chart for sheet in book for chart in sheet._charts]
    wanted = [chart for section in made.sections for chart in section.charts]
    assert len(charts) == len(wanted) > 5
    numbers = book["Data grafik"]
    for chart, drawn in zip(wanted, charts, strict=True):
        assert [len(chart.series)] == [len(drawn.series)]
        for (_, values), series in zip(chart.series, drawn.series, strict=True):
            reference = series.val.numRef.f.rpartition("!")[2].replace("$", "")
            columns = zip(
                ("min_col", "min_row", "max_col", "max_row"), range_boundaries(reference), strict=True
            )
            found = [cell.value for row in numbers.iter_rows(**dict(columns)) for cell in row]
            assert found == list(values), chart.title


def wicked() -> Rulebook:
    """A profile whose texts are as bad as they can be."""
    units = {**RULES.units, "dishub": RULES.units["dishub"].model_copy(update={"title": EVIL, "short": EVIL})}
    profile = RULES.profile.model_copy(update={"title": EVIL, "source": EVIL})
    return replace(RULES, units=units, profile=profile)


def test_words_of_a_profile_are_words_in_every_form() -> None:
    t = translator("id")
    page = _Text()
    page.feed(render(report(), wicked(), "html", t).data.decode())
    assert "script" not in page.tags
    assert EVIL in "".join(page.found)
    book = load_workbook(io.BytesIO(render(report(), wicked(), "xlsx", t).data))
    types = {
        cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == EVIL
    }
    assert types == {"s"}, "text, never a formula"
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(render(report(), wicked(), "pdf", t).data)).pages
    )
    assert flat("<script>alert(1)</script>") in flat(text)


def test_a_page_needs_nothing_from_elsewhere() -> None:
    html = render(report(), RULES, "html", translator("id")).data.decode()
    addresses = set(re.findall(r"(?:https?:)?//[^\s\"'<)]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<link|@import| on\w+=", html)


@pytest.mark.parametrize("standing", [True, False])
def test_a_chart_is_a_picture_with_a_name_and_without_styles_of_its_own(standing: bool) -> None:
    names = tuple(f"Dinas dengan nama yang sangat panjang dan <aneh> nomor {n}" for n in range(40))
    series = tuple((title, tuple(float(n * 1000) for n in range(40))) for title in ("A & B", "C"))
    drawn = ElementTree.fromstring(svg(Chart("Judul <b>", names, series, standing=standing)))
    assert drawn.get("role") == "img" and drawn.get("viewBox")
    assert drawn[0].text == "Judul <b>"
    attributes = {name for element in drawn.iter() for name in element.attrib}
    assert not attributes & {"style", "id", "class", "onload", "href"}


@pytest.mark.parametrize("numbers", [(), (0.0,), (1.0,), (10**9,)])
def test_a_chart_is_drawn_whatever_its_numbers(numbers: tuple[float, ...]) -> None:
    names = tuple("abc"[: len(numbers)])
    for standing in (True, False):
        if names or standing:
            assert svg(Chart("x", names, (("y", numbers),), standing=standing)).startswith("<svg")


def test_the_same_report_is_the_same_file() -> None:
    for form in MEDIA_TYPES:
        first, second = (render(report(), RULES, form, translator("id")) for _ in range(2))
        assert first == second, form
        assert first.name == f"laporgub-jateng-2026-11.{form}"
    days = render(report("2026-11-02..2026-11-03", "dishub"), RULES, "pdf", translator("id"))
    assert days.name == "laporgub-jateng-dishub-2026-11-02_2026-11-03.pdf"


def test_an_empty_period_says_so_and_one_that_runs_that_it_does() -> None:
    t = translator("id")
    empty = document(report(histories=[]), RULES, t)
    assert empty.notice.startswith("Tidak ada aduan") and empty.sections == ()
    asked = parse_period("2026-11", ZONE)
    running = make_report(events(), RULES, asked, None, datetime(2026, 11, 25, tzinfo=UTC))
    assert document(running, RULES, t).notice.startswith("Periode ini belum berakhir")
    future = make_report(events(), RULES, parse_period("2027-05", ZONE), None, LATER)
    assert document(future, RULES, t).notice == "Periode ini belum dimulai."
    assert document(report(), RULES, t).notice == ""
    for form in MEDIA_TYPES:
        assert render(report(histories=[]), RULES, form, t).data


@pytest.mark.parametrize(
    ("amount", "indonesian", "english"),
    [
        (Amount(1234567), "1.234.567", "1,234,567"),
        (Amount(0.8765, "share"), "87,6 %", "87.6 %"),
        (Amount(None, "share"), "–", "–"),
        (Amount(4.04, "stars"), "4,0", "4.0"),
        (change(Amount(5), Amount(7)), "-2", "-2"),
        (change(Amount(7), Amount(5)), "+2", "+2"),
        (change(Amount(5), Amount(5)), "0", "0"),
        (change(Amount(0.9, "share"), Amount(0.85, "share")), "+5,0", "+5.0"),
        (change(Amount(12.5, "hours"), Amount(20, "hours")), "-7,5", "-7.5"),
        (change(Amount(0.9, "share"), Amount(None, "share")), "–", "–"),
    ],
)
def test_numbers_as_people_read_them(amount: Amount, indonesian: str, english: str) -> None:
    assert (written(amount, "id"), written(amount, "en")) == (indonesian, english)
