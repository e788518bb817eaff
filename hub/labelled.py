"""Past cases in a CSV file, for `laporhub train` and `laporhub evaluate`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.text import clean

TEXT: Final = "text"
_LONGEST_FIELD: Final = 1_000_000
"""Characters of a field that are read; more is no complaint."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A row: what was said, whose it was, and where; "" for what the file does not have."""

    text: str
    label: str
    name: str
    village: str
    district: str
    address: str
    received_on: str


def read_labelled(file: Path, label: str) -> list[Labelled]:
    """The rows in the order of time, as far as the file tells it; rows without text or label are left out.

    Raises `Misconfigured` for a file that is none, or lacks a column.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(_rows(csv.DictReader(lines), label, file))
    except FileNotFoundError:
        raise Misconfigured(f"{file} is no file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Misconfigured(f"{file} is no CSV in UTF-8: {error}") from None
    if not rows:
        raise Misconfigured(f"{file} has no row with a text and a {label}")
    return sorted(rows, key=lambda row: row.received_on)


def _rows(rows: csv.DictReader[str], label: str, file: Path) -> Iterator[Labelled]:
    for needed in (TEXT, label):
        if needed not in (rows.fieldnames or ()):
            raise Misconfigured(
                f"{file} has no column {needed!r}; it has: {', '.join(rows.fieldnames or ())}"
            )
    for row in rows:
        text, told = clean(row[TEXT] or ""), (row[label] or "").strip()
        if text and told:
            given = {name: (row.get(name) or "").strip() for name in _OTHERS}
            yield Labelled(text=text, label=told, name=given.pop("id"), **given)


_OTHERS: Final = ("id", "village", "district", "address", "received_on")
