"""What a report is made of before it becomes HTML, PDF or a sheet: words, amounts, tables, charts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from babel.numbers import format_decimal, format_percent

Kind: TypeAlias = Literal["count", "share", "hours", "stars", "more", "points", "longer", "better"]
"""How a number is meant: the last four are differences, of counts, shares, hours and stars."""


class Translate(Protocol):
    """Says messages in one language; the source language is Indonesian."""

    @property
    def language(self) -> str: ...
    def __call__(self, message: str, **values: object) -> str: ...
    def many(self, singular: str, plural: str, count: int, **values: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a cell; None where there is nothing to count. A share is from 0 to 1."""

    value: float | None
    kind: Kind = "count"


Cell: TypeAlias = str | Amount


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under `columns`; the first cell of a row names it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars for each of `names`, standing or lying; those of several series side by side."""

    title: str
    names: tuple[str, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]
    standing: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the numbers that stand at the top."""

    title: str
    amount: Amount
    before: Amount
    change: Amount


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter."""

    title: str
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report in one language."""

    language: str
    title: str
    subject: str
    """Whose it is: the service, and the unit where it is of one."""
    period: str
    facts: tuple[tuple[str, str], ...]
    """What stands below the title: label and words."""
    notice: str
    """What the reader must know first: that there was nothing, or that the period is not over; "" for neither."""
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    remarks: tuple[str, ...] = field(default=())
    """How it was counted."""


def written(cell: Cell, language: str) -> str:
    """A cell as people read it."""
    if isinstance(cell, str):
        return cell
    if cell.value is None:
        return "–"
    match cell.kind:
        case "count":
            return format_decimal(cell.value, "#,##0", locale=language)
        case "share":
            return format_percent(cell.value, "0.0 %", locale=language)
        case "hours" | "stars":
            return format_decimal(cell.value, "#,##0.0", locale=language)
        case "more":
            return format_decimal(cell.value, "+#,##0;-#,##0", locale=language) if cell.value else "0"
        case "points":
            return format_decimal(100 * cell.value, "+0.0;-0.0", locale=language)
        case "longer" | "better":
            return format_decimal(cell.value, "+#,##0.0;-#,##0.0", locale=language)


def part(of: float, whole: float) -> Amount:
    """A share, none where there is no whole."""
    return Amount(of / whole if whole else None, "share")


_DIFFERENCES: dict[Kind, Kind] = {"count": "more", "share": "points", "hours": "longer", "stars": "better"}


def change(now: Amount, before: Amount) -> Amount:
    """How much more it is than before."""
    kind = _DIFFERENCES[now.kind]
    return Amount(None if now.value is None or before.value is None else now.value - before.value, kind)
