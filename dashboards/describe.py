"""The words in which dashboards are described: views, values, buckets, panels, rows. No Kibana in here.

`lens` turns a panel into what Kibana stores, `queries` into the request that Elasticsearch answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from laporhub.dashboards.conditions import ANYTHING, Condition
from laporhub.pipeline.profile.section import Text


def words(indonesian: str, english: str) -> Text:
    """A text in both languages of the dashboards."""
    return {"id": indonesian, "en": english}


@dataclass(frozen=True)
class View:
    """What a panel counts, and by which time.

    `source` is the kind of record. `time` is the field that the dashboard's time range narrows; with None, the
    panel shows the state of now whatever the range: a backlog must not hide old cases.
    """

    name: str
    title: Text
    source: Literal["cases", "events"]
    time: str | None


OPENED: Final = View(
    "opened", words("Aduan menurut waktu masuk", "Cases by time received"), "cases", "opened_at"
)
CLOSED: Final = View(
    "closed", words("Aduan menurut waktu selesai", "Cases by time closed"), "cases", "closed_at"
)
NOW: Final = View("now", words("Aduan sekarang", "Cases now"), "cases", None)
EVENTS: Final = View("events", words("Kejadian", "Events"), "events", "time")
VIEWS: Final = (OPENED, CLOSED, NOW, EVENTS)


# ── values: what is counted ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Count:
    """How many records."""

    label: Text
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Distinct:
    """How many different values of a field, such as cases among events."""

    label: Text
    field: str
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Average:
    """The mean of a number."""

    label: Text
    field: str
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Percentile:
    """The value that `percent` of the records stay at or below."""

    label: Text
    field: str
    percent: int
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Share:
    """Records with `part` among those with `whole`, as a fraction."""

    label: Text
    part: Condition
    whole: Condition


Value: TypeAlias = Count | Distinct | Average | Percentile | Share


# ── buckets: by what it is split ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class By:
    """The most frequent values of a field, ordered by the panel's first value, or by themselves."""

    field: str
    size: int = 10
    kind: Literal["string", "number", "boolean"] = "string"
    alphabetical: bool = False
    other: bool = False
    """Whether the rest is shown, too, as one."""


@dataclass(frozen=True)
class Over:
    """Spans of time, in the profile's time zone: "1d", "1w" or "1M"."""

    field: str
    interval: Literal["1d", "1w", "1M"] = "1d"


@dataclass(frozen=True)
class Choices:
    """Groups with names of their own."""

    label: Text
    choices: tuple[tuple[Text, Condition], ...]


Bucket: TypeAlias = By | Over | Choices


# ── panels ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Metric:
    """One large number."""

    title: Text
    view: View
    value: Value
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Bars:
    """Bars, side by side for several values, stacked when split. Standing over time, else lying."""

    title: Text
    view: View
    by: Bucket
    values: tuple[Value, ...]
    split: Bucket | None = None
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Lines:
    """Lines over time."""

    title: Text
    view: View
    by: Over
    values: tuple[Value, ...]
    split: Bucket | None = None
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Donut:
    """Parts of a whole."""

    title: Text
    view: View
    by: Bucket
    value: Value
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Heat:
    """Two buckets against each other."""

    title: Text
    view: View
    x: Bucket
    y: Bucket
    value: Value
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Table:
    """Rows and columns of numbers."""

    title: Text
    view: View
    by: tuple[Bucket, ...]
    values: tuple[Value, ...]
    where: Condition = ANYTHING


@dataclass(frozen=True)
class PointsMap:
    """Points on a map, near ones joined."""

    title: Text
    view: View
    point: str = "point"
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Listing:
    """The records themselves, as a saved search. `order` is a field and whether the largest comes first."""

    title: Text
    view: View
    columns: tuple[str, ...]
    order: tuple[str, bool]
    where: Condition = ANYTHING


@dataclass(frozen=True)
class Note:
    """Words for the reader, in Markdown."""

    title: Text
    text: Text


Chart: TypeAlias = Metric | Bars | Lines | Donut | Heat | Table
"""Panels that Lens draws."""

Panel: TypeAlias = Chart | PointsMap | Listing | Note


@dataclass(frozen=True)
class Row:
    """Panels beside each other. `widths` are columns of the grid; left out, all are equally wide."""

    height: int
    panels: tuple[Panel, ...]
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Control:
    """A list above the dashboard to narrow it by."""

    field: str
    view: View


@dataclass(frozen=True)
class Dashboard:
    """One page. `only` narrows all of it, as filters the reader sees: field → values."""

    name: str
    title: Text
    answers: Text
    """The questions it is for."""
    rows: tuple[Row, ...]
    controls: tuple[Control, ...] = ()
    time_from: str = "now-30d/d"
    time_to: str = "now"
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()


# ── what panels have in common ───────────────────────────────────────────────────────────────────


def buckets(panel: Chart) -> tuple[Bucket, ...]:
    """The panel's buckets as they nest: spans of time innermost, so that "the most frequent" means overall."""
    match panel:
        case Metric():
            found: tuple[Bucket | None, ...] = ()
        case Bars() | Lines():
            found = (panel.by, panel.split)
        case Donut():
            found = (panel.by,)
        case Heat():
            found = (panel.y, panel.x)
        case Table():
            found = panel.by
    return tuple(sorted((bucket for bucket in found if bucket), key=lambda bucket: isinstance(bucket, Over)))


def values(panel: Chart) -> tuple[Value, ...]:
    """What the panel counts."""
    match panel:
        case Metric() | Donut() | Heat():
            return (panel.value,)
        case Bars() | Lines() | Table():
            return panel.values


def ranking(panel: Chart) -> int | None:
    """Which of the panel's values orders its frequent values: the first that is no share, as Lens wants it."""
    return next((i for i, value in enumerate(values(panel)) if not isinstance(value, Share)), None)
