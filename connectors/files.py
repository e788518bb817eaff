"""Files of recorded payloads, one `Raw` each: JSON Lines, a JSON document, CSV with a header, forms, or mails.

The content tells the format. UTF-8 (with or without BOM), UTF-16 with BOM and Windows-1252 are read,
whichever the line ends. Content never raises: a broken line is passed on as it is, for the dead letter.
"""

from __future__ import annotations

import codecs
import csv
import mailbox
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol, runtime_checkable

import orjson

from laporhub.pipeline.connector import Connector, Raw

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CSV = "text/csv"
MAIL = "message/rfc822"

_JSON_ONLY = frozenset({"web", "app", "counter", "meta"})
"""Providers that nobody posts forms to: there a line like "a=b" is the header of a table."""
_MAIL_ONLY = frozenset({"email"})
"""Providers whose files are mails: one a file (.eml), or an mbox."""
_FORM_LINE = re.compile(r"[A-Za-z0-9_.%\[\]-]+=")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@runtime_checkable
class Gathers(Protocol):
    """A connector whose payloads lie in several files that belong together: call records, and what was said."""

    def gather(self, files: Sequence[Path]) -> Iterator[Raw]:
        """The payloads. Raises `OSError`, and `Misconfigured` for a file that needs a setting."""
        ...


def recorded(files: Sequence[Path], provider: str, connector: Connector) -> Iterator[Raw]:
    """The payloads in all the files, in order. Raises as `payloads` and `Gathers.gather`."""
    if isinstance(connector, Gathers):
        return connector.gather(files)
    return chain.from_iterable(payloads(path, provider) for path in files)


def is_blank(path: Path) -> bool:
    """Whether there is nothing in a file, or blanks only. Raises only `OSError`."""
    return not any(line.strip() for line in _lines(path))


def payloads(path: Path, provider: str) -> Iterator[Raw]:
    """The payloads in a file, in order, as the connector of `provider` takes them. Raises only `OSError`."""
    if provider in _MAIL_ONLY:
        yield from _mails(path)
        return
    lines = _lines(path)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        return
    every = chain([first], lines)
    if first.lstrip().startswith(("{", "[")):
        yield from _json(path, first, every)
    elif provider not in _JSON_ONLY and _FORM_LINE.match(first.lstrip()):
        yield from (_raw(line.strip(), FORM) for line in every if line.strip())
    else:
        yield from _table(every)


def _mails(path: Path) -> Iterator[Raw]:
    with path.open("rb") as file:
        if not file.peek(5).startswith(b"From "):
            if body := file.read():
                yield Raw(body, MAIL)
            return
    box = mailbox.mbox(path, create=False)
    try:
        yield from (Raw(box.get_bytes(key), MAIL) for key in box.iterkeys())
    finally:
        box.close()


def _lines(path: Path) -> Iterator[str]:
    """The lines without their ends. What cannot be decoded keeps its bytes as surrogates, see `_raw`."""
    with path.open("rb") as file:
        if file.peek(2)[:2] in _UTF16:
            text = file.read().decode("utf-16", "replace")
            yield from text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            return
        for number, line in enumerate(file):
            yield _decode(line if number else line.removeprefix(codecs.BOM_UTF8)).rstrip("\r\n")


def _decode(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", "surrogateescape")


def _raw(line: str, content_type: str) -> Raw:
    return Raw(body=line.encode("utf-8", "surrogateescape"), content_type=content_type)


def _json(path: Path, first: str, lines: Iterable[str]) -> Iterator[Raw]:
    """JSON Lines, or one document: an object over several lines, or a list of objects."""
    if first.lstrip().startswith("[") or _load(first) is None:
        document = _load("\n".join(_lines(path)))
        if document is not None:
            for item in document if isinstance(document, list) else [document]:
                yield _dumped(item)
            return
    yield from (_raw(line, JSON) for line in lines if line.strip())


def _load(text: str) -> object:
    try:
        return orjson.loads(text)
    except ValueError:  # a JSON error, or bytes that are no text
        return None


def _table(lines: Iterable[str]) -> Iterator[Raw]:
    """Rows as JSON objects. "location.lat" in the header makes an object inside; empty cells are left out."""
    source = _Replay(lines)
    top = next(source)
    delimiter = max(",;\t|", key=top.count)
    try:
        header = [name.strip() for name in next(csv.reader([top], delimiter=delimiter), [])]
    except csv.Error:  # then no row means anything
        yield from (_raw(line.rstrip("\n"), CSV) for line in chain([top], source))
        return
    source.take()
    while True:
        try:
            for row in csv.reader(source, delimiter=delimiter, strict=True):
                source.take()
                if any(row):
                    yield _row(header, row)
            return
        except csv.Error:  # e.g. a quote that is never closed: only its own line is lost
            broken, *rest = source.take()
            source.put_back(rest)
            yield _raw(broken, CSV)


class _Replay(Iterator[str]):
    """Lines that can be put back. `take` returns those read since the last `take`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()
        self._read: list[str] = []

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self._read.append(line)
        return f"{line}\n"

    def take(self) -> list[str]:
        taken, self._read = self._read, []
        return taken

    def put_back(self, lines: Iterable[str]) -> None:
        self._back.extendleft(reversed(list(lines)))


def _row(header: list[str], row: list[str]) -> Raw:
    if len(row) > len(header):
        return _dumped(row)
    record: dict[str, object] = {}
    for name, cell in zip(header, row, strict=False):
        outer, dot, inner = name.partition(".")
        if not name or not cell.strip():
            continue
        if dot:
            inside = record.setdefault(outer, {})
            if isinstance(inside, dict):
                inside[inner] = cell
        else:
            record[name] = cell
    return _dumped(record)


def _dumped(value: object) -> Raw:
    try:
        return Raw(body=orjson.dumps(value), content_type=JSON)
    except TypeError:  # bytes that are no text
        return Raw(body=repr(value).encode(), content_type=CSV)
