"""A report as HTML: a part of a page, or a page that stands alone."""

from __future__ import annotations

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from laporhub.reports.charts import svg
from laporhub.reports.parts import Cell, Document, Translate, written

_LOADER: Final = PackageLoader("laporhub.reports")


@cache
def _environment() -> Environment:
    return Environment(
        loader=_LOADER, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def style() -> str:
    """The style sheet that `body` wants."""
    return _LOADER.get_source(_environment(), "report.css")[0]


def body(document: Document, t: Translate) -> str:
    """The report without the page around it; it brings no style, no script and no link."""

    def shown(cell: Cell) -> str:
        return written(cell, document.language)

    template = _environment().get_template("report.html")
    return template.render(document=document, shown=shown, svg=svg, t=t)


def page(document: Document, t: Translate) -> str:
    """One file with all that it needs in it."""
    template = _environment().get_template("page.html")
    return template.render(document=document, body=body(document, t), style=style())
