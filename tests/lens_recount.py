"""A little Lens: counts documents as Kibana would from what it stores, with neither Kibana nor Elasticsearch.

It reads the saved state (KQL, columns, formulas), not the description that the state was made from; so what it counts
and what Elasticsearch answers to `query_of` agree only if both mean the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Doc = Mapping[str, Any]
Json = dict[str, Any]
Match = Callable[[Doc], bool]

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(<=|>=|[()<>:*])|([\w.]+))')


def values_of(doc: Doc, field: str) -> list[Any]:
    """The field's values, one or several, none if it is not there."""
    value = doc.get(field)
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


# ── KQL ──────────────────────────────────────────────────────────────────────────────────────────


def kql(text: str, now: datetime) -> Match:
    """What the text asks, as a function of a document. Understands what the dashboards write, and no more."""
    tokens = _tokens(text)
    if not tokens:
        return lambda doc: True
    found = _Parser(tokens, now).either()
    assert not tokens, f"left over: {tokens} in {text}"
    return found


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found, f"not KQL at {at}: {text}"
        tokens.append(found[1] or found[2] or found[3])
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str], now: datetime) -> None:
        self.tokens, self.now = tokens, now

    def take(self, wanted: str) -> bool:
        if self.tokens and self.tokens[0] == wanted:
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Match:
        parts = [self.every()]
        while self.take("or"):
            parts.append(self.every())
        return lambda doc: any(part(doc) for part in parts)

    def every(self) -> Match:
        parts = [self.one()]
        while self.take("and"):
            parts.append(self.one())
        return lambda doc: all(part(doc) for part in parts)

    def one(self) -> Match:
        if self.take("not"):
            inner = self.one()
            return lambda doc: not inner(doc)
        if self.take("("):
            inner = self.either()
            assert self.take(")")
            return inner
        field, sign = self.tokens.pop(0), self.tokens.pop(0)
        if sign == ":":
            return self.equals(field)
        bound = moment(self.literal(), self.now)
        ask = {"<": datetime.__lt__, ">=": datetime.__ge__, "<=": datetime.__le__, ">": datetime.__gt__}[sign]
        return lambda doc: any(ask(value, bound) for value in values_of(doc, field))

    def equals(self, field: str) -> Match:
        if self.take("*"):
            return lambda doc: bool(values_of(doc, field))
        wanted = []
        if self.take("("):
            wanted.append(self.literal())
            while self.take("or"):
                wanted.append(self.literal())
            assert self.take(")")
        else:
            wanted.append(self.literal())
        return lambda doc: any(_text(value) in wanted for value in values_of(doc, field))

    def literal(self) -> str:
        token = self.tokens.pop(0)
        return token[1:-1] if token.startswith('"') else token


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def moment(text: str, now: datetime) -> datetime:
    """Date math: `now`, `now+24h`, `now-30d/d`, `now-1y/M`, in UTC."""
    found = re.fullmatch(r"now(?:([+-]\d+)([hdy]))?(?:/([dM]))?", text)
    assert found, text
    at = now
    if found[1]:
        count = int(found[1])
        at = at.replace(year=at.year + count) if found[2] == "y" else at + _span(count, found[2])
    if found[3]:
        at = at.replace(hour=0, minute=0, second=0, microsecond=0)
        at = at.replace(day=1) if found[3] == "M" else at
    return at


def _span(count: int, unit: str) -> timedelta:
    return timedelta(hours=count) if unit == "h" else timedelta(days=count)


# ── Lens ─────────────────────────────────────────────────────────────────────────────────────────


class Recount:
    """One Lens panel over documents. `rows()` is {keys of the buckets: values}."""

    def __init__(self, attributes: Json, docs: Sequence[Doc], now: datetime, time_zone: str) -> None:
        (layer,) = attributes["state"]["datasourceStates"]["formBased"]["layers"].values()
        self.columns: Json = layer["columns"]
        order = layer["columnOrder"]
        helpers = {name for column in self.columns.values() for name in column.get("references", ())}
        self.buckets = [name for name in order if self.columns[name]["isBucketed"]]
        self.values = [name for name in order if name not in self.buckets and name not in helpers]
        self.now, self.zone = now, ZoneInfo(time_zone)
        asked = kql(attributes["state"]["query"]["query"], now)
        self.docs = [doc for doc in docs if asked(doc)]

    def rows(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        return dict(self._rows(0, (), self.docs))

    def _rows(
        self, depth: int, keys: tuple[Any, ...], docs: Sequence[Doc]
    ) -> Iterator[tuple[tuple[Any, ...], Any]]:
        if depth == len(self.buckets):
            yield keys, tuple(self.value(name, docs) for name in self.values)
            return
        for key, inside in self.groups(self.columns[self.buckets[depth]], docs):
            if inside:
                yield from self._rows(depth + 1, (*keys, key), inside)

    def groups(self, column: Json, docs: Sequence[Doc]) -> list[tuple[Any, list[Doc]]]:
        params = column["params"]
        match column["operationType"]:
            case "filters":
                asked = [kql(each["input"]["query"], self.now) for each in params["filters"]]
                return [(f"g{i}", [doc for doc in docs if ask(doc)]) for i, ask in enumerate(asked)]
            case "date_histogram":
                return self._split(docs, column["sourceField"], lambda at: self.start(at, params["interval"]))
            case "terms":
                found = self._split(docs, column["sourceField"], _key)
                found.sort(key=lambda pair: pair[0])
                by = params["orderBy"]
                if by["type"] == "column":
                    assert params["orderDirection"] == "desc"
                    found.sort(key=lambda pair: -(self.value(by["columnId"], pair[1]) or -math.inf))
                return found[: params["size"]]
        raise AssertionError(column)

    @staticmethod
    def _split(docs: Sequence[Doc], field: str, key_of: Callable[[Any], Any]) -> list[tuple[Any, list[Doc]]]:
        found: dict[Any, list[Doc]] = {}
        for doc in docs:
            for key in {key_of(value) for value in values_of(doc, field)}:
                found.setdefault(key, []).append(doc)
        return list(found.items())

    def start(self, at: datetime, interval: str) -> str:
        """The beginning of the day, week or month, written as Elasticsearch does."""
        local = at.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        if interval == "1w":
            local -= timedelta(days=local.weekday())
        elif interval == "1M":
            local = local.replace(day=1)
        return local.isoformat(timespec="milliseconds")

    def value(self, name: str, docs: Sequence[Doc]) -> Any:
        column = self.columns[name]
        if "filter" in column:
            docs = [doc for doc in docs if kql(column["filter"]["query"], self.now)(doc)]
        numbers = [value for doc in docs for value in values_of(doc, column.get("sourceField", ""))]
        match column["operationType"]:
            case "count":
                return len(docs)
            case "unique_count":
                return len(set(numbers))
            case "average":
                return sum(numbers) / len(numbers) if numbers else None
            case "percentile":
                return Near(numbers, column["params"]["percentile"]) if numbers else None
            case "formula":
                return self.value(column["references"][0], docs)
            case "math":
                tree = column["params"]["tinymathAst"]
                assert tree["name"] == "divide"
                part, whole = (self.value(arg, docs) for arg in tree["args"])
                return part / whole if whole else None
        raise AssertionError(column)


def _key(value: Any) -> Any:
    return _text(value) if isinstance(value, bool) else value


class Near:
    """A percentile, which servers may interpolate as they like: equal to anything between its neighbours."""

    def __init__(self, numbers: list[float], percent: int) -> None:
        ordered = sorted(numbers)
        at = percent / 100 * (len(ordered) - 1)
        self.low = ordered[max(0, math.floor(at) - 1)]
        self.high = ordered[min(len(ordered) - 1, math.ceil(at) + 1)]

    def holds(self, value: float) -> bool:
        return self.low * (1 - 1e-5) <= value <= self.high * (1 + 1e-5)

    def __repr__(self) -> str:
        return f"{self.low} to {self.high}"


def same(answered: float | None, counted: Any) -> bool:
    """Equal, but for what a server keeps of a fraction."""
    if isinstance(counted, Near):
        return answered is not None and counted.holds(answered)
    if answered is None or counted is None:
        return answered is counted
    return math.isclose(answered, counted, rel_tol=1e-5)


def tile(lat: float, lon: float, zoom: int) -> str:
    """The map tile of a point (Web Mercator), as Elasticsearch names it."""
    tiles = 1 << zoom
    x = math.floor((lon + 180) / 360 * tiles)
    y = math.floor((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * tiles)
    return f"{zoom}/{x}/{y}"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]
