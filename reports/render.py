"""A report in each of its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from laporhub.pipeline.figures import Report
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.reports.document import document
from laporhub.reports.parts import Document, Translate


@dataclass(frozen=True, slots=True)
class File:
    """A report to be kept: `name` tells profile, unit and period."""

    name: str
    media_type: str
    data: bytes


MEDIA_TYPES: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
"""Form → what it is called on the wire."""


def render(report: Report, rulebook: Rulebook, form: str, t: Translate) -> File:
    """`form` is one of `MEDIA_TYPES`."""
    made = _json(report) if form == "json" else _drawn(form)(document(report, rulebook, t), t)
    parts = (report.profile, report.unit, report.period.replace("..", "_"))
    name = "-".join(part for part in parts if part)
    return File(f"{name}.{form}", MEDIA_TYPES[form], made)


def _json(report: Report) -> bytes:
    return orjson.dumps(report.as_json(), option=orjson.OPT_APPEND_NEWLINE)


def _drawn(form: str) -> Callable[[Document, Translate], bytes]:
    """Loaded when asked for: the libraries that draw take a while."""
    if form == "pdf":
        from laporhub.reports.pdf import pdf

        return pdf
    if form == "xlsx":
        from laporhub.reports.xlsx import xlsx

        return xlsx
    from laporhub.reports.html import page

    return lambda made, t: page(made, t).encode()
