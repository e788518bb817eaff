"""Charts as ReportLab draws them: the same drawing becomes a picture in HTML (SVG) and in PDF."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Final
from xml.etree import ElementTree

from reportlab.graphics import renderSVG
from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.colors import HexColor
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from laporhub.reports.parts import Chart

FONT: Final = "Vera"
"""Comes with ReportLab, and so looks the same everywhere; it has the letters of European and Indonesian writing."""
BOLD: Final = "VeraBd"
INK, SOFT, LINE = HexColor("#1a2733"), HexColor("#4a5967"), HexColor("#c6d0d8")
COLOURS: Final = (HexColor("#0b4f6c"), HexColor("#e0a030"))
"""Of first and second series: told apart without colour, too, one dark and one light."""
WIDTH: Final = 480
_SIZE: Final = 8
_BAR: Final = 11
_SVG: Final = "http://www.w3.org/2000/svg"


@cache
def fonts() -> None:
    """Makes the fonts known to ReportLab; once is enough."""
    for name in (FONT, BOLD):
        registerFont(TTFont(name, f"{name}.ttf"))
    registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)


def drawing(chart: Chart, width: int = WIDTH) -> Drawing:
    """The chart, `width` points wide and as high as it must be."""
    fonts()
    made = _standing(chart, width) if chart.standing else _lying(chart, width)
    if len(chart.series) > 1:
        _legend(made, chart)
    return made


def svg(chart: Chart) -> str:
    """The chart as an element for an HTML page, with a title for those who hear it, and no style of its own: pages
    may forbid that.
    """
    drawn = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>", "", renderSVG.drawToString(drawing(chart)), flags=re.DOTALL)
    root = ElementTree.fromstring(drawn)  # noqa: S314 (just made here)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        _style_as_attributes(element)
        element.attrib.pop("id", None)
    for name in ("width", "height", "clip-path", "version"):
        root.attrib.pop(name, None)
    for element in [each for each in root if each.tag in ("title", "desc", "defs")]:
        root.remove(element)
    title = ElementTree.Element("title")
    title.text = chart.title
    root.insert(0, title)
    root.set("role", "img")
    root.set("xmlns", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _style_as_attributes(element: ElementTree.Element) -> None:
    for rule in element.attrib.pop("style", "").split(";"):
        name, _, value = (each.strip() for each in rule.partition(":"))
        if name == "font-family":
            value = "inherit"
        if name and value:
            element.set(name, value)
    element.attrib.pop("clip-path", None)


def _lying(chart: Chart, width: int) -> Drawing:
    """The first name on top, each bar with its number."""
    names = [_short(name, 0.4 * width) for name in reversed(chart.names)]
    room = math.ceil(max(stringWidth(name, FONT, _SIZE) for name in names)) + 8
    height = len(names) * (len(chart.series) * _BAR + 7) + 8
    bars = HorizontalBarChart()
    bars.x, bars.y, bars.width, bars.height = room, 4, width - room - 40, height - 8
    bars.data = [list(reversed(numbers)) for _, numbers in reversed(chart.series)]
    bars.categoryAxis.categoryNames = names
    bars.categoryAxis.labels.boxAnchor = "e"
    bars.categoryAxis.labels.dx = -4
    bars.valueAxis.visible = False
    _dress(bars, chart, backwards=True)
    bars.barLabels.boxAnchor = "w"
    bars.barLabels.dx = 4
    made = Drawing(width, height)
    made.add(bars)
    return made


def _standing(chart: Chart, width: int) -> Drawing:
    height = 150
    bars = VerticalBarChart()
    bars.x, bars.y, bars.width, bars.height = 34, 18, width - 40, height - 26
    bars.data = [list(numbers) for _, numbers in chart.series]
    every = max(1, len(chart.names) // 12 + (len(chart.names) > 12))
    bars.categoryAxis.categoryNames = [
        name if number % every == 0 else "" for number, name in enumerate(chart.names)
    ]
    bars.categoryAxis.labels.boxAnchor = "n"
    bars.categoryAxis.labels.dy = -3
    _dress(bars, chart, backwards=False)
    bars.barLabelFormat = None
    bars.valueAxis.visibleGrid = True
    bars.valueAxis.gridStrokeColor = LINE
    bars.valueAxis.gridStrokeWidth = 0.4
    bars.valueAxis.labelTextFormat = "%d"
    made = Drawing(width, height)
    made.add(bars)
    return made


def _dress(bars: HorizontalBarChart | VerticalBarChart, chart: Chart, *, backwards: bool) -> None:
    """Colours, letters and scale, the same for all."""
    most = max((number for _, numbers in chart.series for number in numbers), default=0.0)
    bars.valueAxis.valueMin, bars.valueAxis.valueMax, bars.valueAxis.valueStep = 0, *_scale(math.ceil(most))
    bars.groupSpacing, bars.barSpacing, bars.barWidth = 6, 1, _BAR
    bars.bars.strokeColor = None
    bars.strokeColor = None
    for number in range(len(chart.series)):
        bars.bars[number].fillColor = COLOURS[len(chart.series) - 1 - number if backwards else number]
    for axis in (bars.categoryAxis, bars.valueAxis):
        axis.strokeColor, axis.strokeWidth, axis.visibleTicks = LINE, 0.5, False
        axis.labels.fontName, axis.labels.fontSize, axis.labels.fillColor = FONT, _SIZE, SOFT
    bars.barLabelFormat = _label
    bars.barLabels.fontName, bars.barLabels.fontSize, bars.barLabels.fillColor = FONT, _SIZE, INK


def _label(number: float) -> str:
    """Nothing beside no bar."""
    return f"{number:.0f}" if number else ""


def _scale(most: int) -> tuple[int, int]:
    """The end of the axis and its step: whole numbers, at most six."""
    step = 1
    while most / step > 5:
        step = step * 2 if str(step)[0] in "15" else step // 2 * 5
    return step * max(1, -(-most // step)), step


def _legend(made: Drawing, chart: Chart) -> None:
    """A line above the bars: which colour is what."""
    made.height += 16
    at = 34.0
    for number, (title, _) in enumerate(chart.series):
        square = Rect(at, made.height - 11, 8, 8)
        square.fillColor, square.strokeColor = COLOURS[number], None
        made.add(square)
        words = String(at + 12, made.height - 10, title, fontName=FONT, fontSize=_SIZE, fillColor=SOFT)
        made.add(words)
        at += 28 + stringWidth(title, FONT, _SIZE)


def _short(name: str, room: float) -> str:
    """The name, cut where it is wider than the room."""
    if stringWidth(name, FONT, _SIZE) <= room:
        return name
    while stringWidth(f"{name}…", FONT, _SIZE) > room:
        name = name[:-1].rstrip()
    return f"{name}…"
